"""What is refused, and what a runtime does wrong: the cells of the matrix that do not simply pass.

Everything else passes. A refusal that begins to work fails its test, so that this table, and the
page built from it, stay true.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.conformance.artifacts import FORMATS


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells by the glob of their cases, and why they do not pass."""

    cases: str
    reason: str
    """A part of what the trace or the format says."""
    formats: tuple[str, ...] = FORMATS

    def covers(self, case: str, format_: str) -> bool:
        return format_ in self.formats and fnmatchcase(case, self.cases)


AXES = "5 axes at most"
COREML = ("coreml",)

REFUSED: tuple[Cells, ...] = (
    Cells("conv_lstm3d-*", AXES, COREML),
)  # fmt: skip
"""Refused by the trace, for all formats, or by a format."""

WRONG: tuple[Cells, ...] = ()
"""A runtime does not compute what its own documentation says."""

IN_FLOAT64: dict[str, str] = {}
"""Cases in which Keras' own float32 is at the edge: judged by the reference in float64, and why."""


def refusal(case: str, format_: str) -> str | None:
    """The reason that is expected, None for a cell that works."""
    found = [each.reason for each in REFUSED if each.covers(case, format_)]
    if len(found) > 1:
        raise ValueError(f"{case} in {format_} is refused twice: {found}")
    return found[0] if found else None


def fault(case: str, format_: str) -> str | None:
    """What a runtime does wrong in this cell."""
    return next((each.reason for each in WRONG if each.covers(case, format_)), None)
