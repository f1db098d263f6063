"""Interpolation of `${…}` in text: each expression is replaced by its value."""

import re
from collections.abc import Mapping

from kspec.spec.expressions import ExpressionError, evaluate
from kspec.spec.node import Node, Value

MAX_TEXT = 4096
"""Maximum characters of a text after interpolation."""
PLACEHOLDER = re.compile(r"\$(\$(?=\{)|\{(?P<body>[^{}]*)(?P<end>\})?)")
"""`${…}`; `$${` stands for the text `${`; without `end`, the expression is not closed."""


def interpolate(text: str, names: Mapping[str, Node]) -> Value:
    """Return `text` with every `${…}` computed; if one is the whole text, its value keeps its type.

    Raises ExpressionError with offsets into `text`.
    """
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    whole = PLACEHOLDER.fullmatch(text, start, end)
    if whole is not None and whole["end"]:
        return _inside(whole, names)
    pieces: list[str] = []
    done = length = 0
    for found in PLACEHOLDER.finditer(text):
        pieces.append(text[done : found.start()])
        pieces.append("$" if found["body"] is None else _spell(_inside(found, names), found))
        done = found.end()
        length += len(pieces[-2]) + len(pieces[-1])
        if length > MAX_TEXT:
            break
    result = "".join([*pieces, text[done:]])
    if len(result) > MAX_TEXT:
        message = f"a text of {len(result):,} characters, more than {MAX_TEXT:,}"
        raise ExpressionError("KS303", message, 0, len(text))
    return result


def _inside(found: re.Match[str], names: Mapping[str, Node]) -> Value:
    if not found["end"]:
        message = "`${` is not closed"
        help_ = "end it with `}`; write `$${` for the text `${`"
        raise ExpressionError("KS301", message, found.start(), found.start() + 2, help_)
    start = found.start("body")
    try:
        return evaluate(found["body"], names)
    except ExpressionError as error:
        raise ExpressionError(
            error.code, error.message, error.start + start, error.end + start, error.help
        ) from None


def _spell(value: Value, found: re.Match[str]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | str):
        return str(value)
    message = "only text, numbers and true/false can stand within text"
    raise ExpressionError("KS303", message, found.start(), found.end())
