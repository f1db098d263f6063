"""Diagnostics as text: the place, the headline, the line with its smallest part underlined.

model.yaml:12:10: KS201 unknown key `batchsize`
   |
12 |   epochs: 20, batchsize: 64
   |               ^^^^^^^^^
   = help: did you mean `batch_size`?
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kspec.spec.diagnostics import Diagnostic, Span, errors
from kspec.spec.reader import UNSEEN

MAX_SHOWN = 200
"""Maximum number of problems in the text."""
WIDTH = 100
"""Maximum columns of a source line; a longer line is cut around its span."""
MAX_USES = 5
"""Maximum number of listed uses of a param or argument."""
MAX_CALLS = 5
"""Maximum number of listed block calls."""


def visible(text: str) -> str:
    """Return `text` on one line, with invisible characters as escapes: `\\u202e`."""
    text = text.replace("\t", " ").replace("\n", " ")
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


@dataclass(frozen=True, slots=True)
class Palette:
    """ANSI codes that switch each colour on, and the code that switches colours off."""

    code: str = ""
    place: str = ""
    mark: str = ""
    frame: str = ""
    off: str = ""
    warning: str = ""


COLORS = Palette("\x1b[1;31m", "\x1b[1m", "\x1b[1;31m", "\x1b[34m", "\x1b[0m", "\x1b[1;33m")


def render_text(
    diagnostics: Sequence[Diagnostic], sources: Mapping[str, str], *, color: bool = False
) -> str:
    """Return all diagnostics, separated by blank lines, and their number. Warnings are marked."""
    palette = COLORS if color else Palette()
    lines = {file: source.split("\n") for file, source in sources.items()}
    parts = [_render(each, lines, palette) for each in diagnostics[:MAX_SHOWN]]
    if len(diagnostics) > MAX_SHOWN:
        parts.append(f"… and {len(diagnostics) - MAX_SHOWN:,} more")
    return "\n\n".join([*parts, f"{count_found(diagnostics)} found"])


def count_found(diagnostics: Sequence[Diagnostic]) -> str:
    """Return ``2 problems and 1 warning``."""
    failed = len(errors(diagnostics))
    counts = ((failed, "problem"), (len(diagnostics) - failed, "warning"))
    said = [f"{count} {noun}{'s' if count != 1 else ''}" for count, noun in counts if count]
    return " and ".join(said) or "no problem"


def _render(diagnostic: Diagnostic, sources: Mapping[str, list[str]], palette: Palette) -> str:
    span = diagnostic.span
    is_warning = diagnostic.severity == "warning"
    code = f"{palette.warning if is_warning else palette.code}{diagnostic.code}{palette.off}"
    head = f"{code} {'warning: ' if is_warning else ''}{visible(diagnostic.message)}"
    if span is None:
        notes = _notes(diagnostic, "  ", palette)
        return "\n".join([head, *notes])
    out = [f"{palette.place}{visible(place(span))}:{palette.off} {head}"]
    gutter = " " * len(str(span.line))
    lines = sources.get(span.file, [])
    if span.line <= len(lines) and lines[span.line - 1].strip():
        out += _excerpt(lines[span.line - 1], span, gutter, palette)
    return "\n".join([*out, *_notes(diagnostic, f"{gutter} ", palette)])


def place(span: Span) -> str:
    """Return `file:line:column`."""
    return f"{span.file}:{span.line}:{span.column}"


def _notes(diagnostic: Diagnostic, indent: str, palette: Palette) -> list[str]:
    bar = f"{indent}{palette.frame}={palette.off}"
    notes = [f"{bar} help: {visible(diagnostic.help)}"] if diagnostic.help else []
    notes += [f"{bar} used at {visible(place(use))}" for use in diagnostic.uses[:MAX_USES]]
    return [*notes, *(f"{bar} {visible(line)}" for line in called_from(diagnostic))]


def called_from(diagnostic: Diagnostic) -> list[str]:
    """Return the enclosing block calls of a problem, innermost first."""
    calls = diagnostic.call_spans[::-1]
    lines = [f"in the call at {place(call)}" for call in calls[:MAX_CALLS]]
    left = len(calls) - len(lines)
    return [*lines, f"in {left} more call{'s' if left > 1 else ''} above"] if left else lines


def _excerpt(line: str, span: Span, gutter: str, palette: Palette) -> list[str]:
    start = span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    end = min(max(end, start + 1), start + WIDTH // 2)
    first = max(0, min(start - WIDTH // 4, len(line) - WIDTH)) if len(line) > WIDTH else 0
    last = first + WIDTH
    shown = visible(line[first:last])
    shown = ("…" if first else "") + shown + ("…" if last < len(line) else "")
    before = _columns(line[first:start]) + (1 if first else 0)
    marks = "^" * max(1, _columns(line[start:end]))
    bar = f"{palette.frame}|{palette.off}"
    number = f"{palette.frame}{span.line}{palette.off}"
    return [
        f"{gutter} {bar}",
        f"{number} {bar} {shown}".rstrip(),
        f"{gutter} {bar} {' ' * before}{palette.mark}{marks}{palette.off}",
    ]


def _columns(text: str) -> int:
    """Return the number of terminal columns of the text."""
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in visible(text)
    )
