"""Words for values in messages."""

from kspec.spec.node import Node

MAX_SHOWN = 40


def quote(text: str) -> str:
    """Return text in single quotes, shortened to MAX_SHOWN characters."""
    return f"'{text}'" if len(text) <= MAX_SHOWN else f"'{text[:MAX_SHOWN]}…'"


def describe(node: Node) -> str:
    """Return the kind and any short value: `the text 'abc'`, `the number 2.5`, `a list`."""
    value = node.value
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {quote(value)}" if value else "empty text"
    if isinstance(value, int | float):
        is_literal = node.style == "plain" and node.written and "${" not in node.written
        return f"the number {node.written if is_literal else spell_number(value)}"
    kind = "mapping" if isinstance(value, dict) else "list"
    return f"a {kind}" if value else f"an empty {kind}"


def spell_number(value: float) -> str:
    """Return a number with six digits; a whole float keeps its point: `3.0`."""
    text = format(value, ".6g")
    return f"{text}.0" if isinstance(value, float) and text.lstrip("-").isdigit() else text


def enumerate_words(words: list[str], last: str = "or") -> str:
    """Return `a`, `a or b`, `a, b or c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"
