"""`--set path=value`: values of the command line, set in the tree as if the file had them."""

from collections.abc import Mapping

from kspec.spec.diagnostics import Diagnostic, KspecError, Span
from kspec.spec.node import Node
from kspec.spec.reader import MAX_SCALAR, UNSEEN, read
from kspec.spec.scalars import RangeError, TrapError, resolve
from kspec.spec.suggestions import suggest

OVERRIDES = "--set"
"""The file name of overrides in spans and sources."""
FLOW = ("[", "{", '"', "'")
"""First characters of a value that is not an unquoted scalar."""


def override(root: Node, overrides: Mapping[str, str]) -> tuple[Node, tuple[Diagnostic, ...], str]:
    """Return the tree with the command line's values, the problems, and the text of their spans.

    A path consists of keys and list indices, separated by dots: `network.0.dense.units`.
    """
    problems: list[Diagnostic] = []
    lines: list[str] = []
    for path, text in overrides.items():
        shown = UNSEEN.sub("\ufffd", f"{path}={text}".replace("\n", "\ufffd"))
        lines.append(shown)
        line = len(lines)
        try:
            place = Span(OVERRIDES, line, len(path) + 2, line, len(shown) + 1)
            root = _set(root, path, path, _parse(text, place), line)
        except _PathError as error:
            span = Span(OVERRIDES, line, error.column, line, error.column + error.width)
            problems.append(Diagnostic("KS305", error.message, span=span, help=error.help))
        except (TrapError, RangeError, KspecError) as error:
            message, help_ = _reason(error)
            problems.append(Diagnostic("KS306", message, span=place, help=help_))
    return root, tuple(problems), "\n".join(lines)


class _PathError(Exception):
    """The path of an override leads nowhere."""

    def __init__(self, path: str, rest: str, part: str, message: str, help_: str | None) -> None:
        super().__init__(message)
        self.message, self.help = message, help_
        self.column, self.width = len(path) - len(rest) + 1, max(len(part), 1)


def _reason(error: TrapError | RangeError | KspecError) -> tuple[str, str | None]:
    """Return the problem of a value, and the help."""
    if isinstance(error, TrapError):
        return error.message, error.help
    if isinstance(error, KspecError):
        return error.diagnostics[0].message, error.diagnostics[0].help
    return "a number that 64 bits cannot hold", None


def _parse(text: str, span: Span) -> Node:
    """Return the value of an override; all of its parts have the place `span`."""
    if len(text) > MAX_SCALAR or UNSEEN.search(text) or "\n" in text:
        raise KspecError(Diagnostic("KS306", "a value is one line of visible text"))
    if not text.startswith(FLOW):
        return Node(resolve(text), span, written=text)
    root, problems = read(f"value: {text}", OVERRIDES)
    if problems:
        raise KspecError(*problems)
    return root.mapping["value"].with_value(root.mapping["value"].value, span=span)


def _graft(node: Node, span: Span, parent: Node, step: str | int, key: Span) -> Node:
    """Return a copy of `node` below `parent`; all of its parts have the place `span`."""
    if node.is_scalar:
        return node.with_value(node.value, span=span, parent=parent, step=step, key=key)
    copy = Node([] if isinstance(node.value, list) else {}, span, "collection", key, parent, step)
    copy.mapping.update({k: _graft(v, span, copy, k, span) for k, v in node.mapping.items()})
    copy.items.extend(_graft(v, span, copy, i, span) for i, v in enumerate(node.items))
    return copy


def _set(node: Node, path: str, rest: str, value: Node, line: int) -> Node:
    """Return `node` with `value` at `rest`, the last part of `path`."""
    step, below = _split(node, path, rest)
    here = node.child(step)
    part = rest if below is None else rest[: len(rest) - len(below) - 1]
    column = len(path) - len(rest) + 1
    key = Span(OVERRIDES, line, column, line, column + len(part))
    if below is None:
        child = _graft(value, value.span, node, step, key)
    else:
        empty = Node({}, key, "collection", key, node, step)
        child = _set(
            here if here is not None and here.value is not None else empty, path, below, value, line
        )
    if isinstance(step, int):
        return node.with_value([child if i == step else each for i, each in enumerate(node.items)])
    return node.with_value({**node.mapping, step: child})


def _split(node: Node, path: str, rest: str) -> tuple[str | int, str | None]:
    """Return the next step below `node`, and the rest; the longest existing key wins."""
    parts = rest.split(".")
    if isinstance(node.value, list):
        step = int(parts[0]) if parts[0].isascii() and parts[0].isdigit() else -1
        if not 0 <= step < len(node.value):
            count = len(node.value)
            message = f"`{parts[0]}` is not an index of a list of {count}"
            help_ = f"write 0 to {count - 1}" if count else "the list is empty"
            raise _PathError(path, rest, parts[0], message, help_)
        return step, ".".join(parts[1:]) or None
    if not isinstance(node.value, dict):
        whole = path[: len(path) - len(rest) - 1]
        help_ = f"set `{whole}` itself"
        raise _PathError(path, rest, parts[0], f"`{whole}` is a value, with nothing below", help_)
    for count in range(len(parts), 0, -1):
        key = ".".join(parts[:count])
        if key in node.value:
            return key, ".".join(parts[count:]) or None
    return _new(node, path, rest, parts)


def _new(node: Node, path: str, rest: str, parts: list[str]) -> tuple[str, str | None]:
    """Return the step to a key that is not written yet; the schema judges the key."""
    if not parts[0]:
        raise _PathError(path, rest, "", "a key is missing here", "write `--set section.key=value`")
    if node.step == "params" and node.route == ("params",):
        help_ = suggest(parts[0], node.mapping, none="the spec has no params")
        raise _PathError(path, rest, parts[0], f"unknown param `{parts[0]}`", help_)
    if node.route == ("gates",):
        return rest, None
    return parts[0], ".".join(parts[1:]) or None
