"""Diagnostics for people and for machines: one function, five formats."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, get_args

from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.render import ci, machine, text

Format = Literal["text", "json", "github", "junit", "sarif"]

FORMATS: tuple[str, ...] = get_args(Format)

RENDERERS: Mapping[Format, Callable[[Sequence[Diagnostic]], str]] = MappingProxyType(
    {
        "json": machine.render_json,
        "sarif": machine.render_sarif,
        "github": ci.render_github,
        "junit": ci.render_junit,
    }
)


def render(error: KspecError, output_format: Format = "text", *, color: bool = False) -> str:
    """Return the diagnostics of `error` in one of the formats, without a final newline.

    `color` adds ANSI colours to text. Control and bidirectional characters of the data are
    escaped in every format.
    """
    if output_format == "text":
        return text.render_text(error.diagnostics, error.sources, color=color)
    return RENDERERS[output_format](error.diagnostics)
