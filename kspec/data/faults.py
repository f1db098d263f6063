"""Faults in the rows of a column: kinds, counts and messages.

`check` finds faults in the first rows, without NumPy; a build finds them in all rows. Both count
per column and report the first row of each kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kspec.spec.diagnostics import Diagnostic, Route

ROUTE: Route = ("data", "source")
"""The route of the data's source in a spec."""
SPLITS = ("train", "validation", "test")
MAX_REPORTED = 20
"""Maximum number of data problems in one report."""
MAX_COLUMNS = 5
"""Maximum number of columns of one item that are named for one kind of fault."""
MAX_VALUES = 5
"""Maximum number of unknown labels that are listed."""
COMPLETE = "fill or drop these rows: a model learns nothing from missing values"
_SPACE = "'\\u00a0\\u202f "
SPELLINGS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(rf"[-+]?[\d.{_SPACE}]*,[\d.,]+|[-+]?\d+([_{_SPACE}]\d{{3}})+(\.\d*)?"),
        "write a decimal point, and no separators of thousands: 1234.5",
    ),
    (
        re.compile(r"\d{4}[-/.]\d\d?[-/.]\d\d?([T ].*)?|\d\d?[-/.]\d\d?[-/.]\d{2,4}.*"),
        "write dates as numbers, such as days since a fixed day",
    ),
    (
        re.compile(r"\W*\d[\d.,]*\s*[^\d\s]{1,4}|[^\d\s.,+-]{1,3}\s*[\d.,]+"),
        "write the number without a unit",
    ),
    (re.compile(r"true|false|yes|no", re.IGNORECASE), "write 1 and 0"),
)
"""Common spellings that are not numbers to kspec, with what to write instead."""
NUMBERS = "correct the cells, or write words as numbers: a column of 0 and 1 for each word"


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault in one column."""

    code: str
    what: str
    """The fault of the first row: `'abc' is not a number`."""
    row: int
    """The first row with the fault, from 0."""
    count: int
    """Number of rows with the fault."""
    help: str | None = None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """The rows of one text in a column."""

    row: int
    """The first row, from 0."""
    count: int


class Readable(Protocol):
    """Rows that were read: all of a source, or the first ones."""

    @property
    def rows(self) -> int:
        """Number of rows."""

    @property
    def is_whole(self) -> bool:
        """Whether these are all rows of the source."""

    @property
    def problems(self) -> tuple[Diagnostic, ...]:
        """Problems of rows that cannot be read at all."""

    @property
    def decoded(self) -> Mapping[str, object]:
        """Inputs, by name, whose values were decoded from cells of bytes."""

    @property
    def where(self) -> Callable[[int], str]:
        """Function from a row number to its place: `digits.csv:17`."""

    def shape(self, column: str) -> tuple[int, ...]:
        """Return the shape of one row of a column of numbers; `()` for single numbers."""

    def faults(self, column: str, dtype: str) -> Sequence[Fault]:
        """Return the faults that prevent converting a column to `dtype`, float32 or int32."""

    def occurrences(self, column: str) -> Mapping[str, Occurrence]:
        """Return the values of a column of text; a missing value is the empty text."""


def not_a_number(cell: str, row: int, count: int) -> Fault:
    """Return the fault of rows whose cell is text; `cell` is the first."""
    spelled = (help_ for pattern, help_ in SPELLINGS if pattern.fullmatch(cell.strip()[:40]))
    help_ = next(spelled, NUMBERS)
    return Fault("KS520", f"{cell[:40]!r} is not a number", row, count, help_)


def not_finite(row: int, count: int) -> Fault:
    """Return the fault of rows whose value is missing, NaN or infinite."""
    return Fault("KS521", "no finite number", row, count, COMPLETE)


def not_of(value: float, dtype: str, row: int, count: int) -> Fault:
    """Return the fault of rows whose number `dtype` cannot represent."""
    return Fault("KS520", f"{value:.10g} does not fit {dtype}", row, count)


def number_problems(
    owner: str, columns: Iterable[str], dtype: str, rows: Readable, route: Route
) -> tuple[Diagnostic, ...]:
    """Return the faults in the columns of `owner` (`input 'x'`); for each kind, at most
    `MAX_COLUMNS` columns are named."""
    found: dict[str, list[Diagnostic]] = {}
    for column in columns:
        for fault in rows.faults(column, dtype):
            found.setdefault(fault.code, []).append(_told(fault, column, owner, rows, route))
    return tuple(each for told in found.values() for each in _shortened(told, route))


def _told(fault: Fault, column: str, owner: str, rows: Readable, route: Route) -> Diagnostic:
    message = f"{rows.where(fault.row)}: {fault.what} in the column {column!r} of the {owner}"
    return Diagnostic(fault.code, message + _share(fault.count, rows), route, help=fault.help)


def _share(count: int, rows: Readable) -> str:
    if count == 1:
        return ""
    of = "" if rows.is_whole else "the first "
    return f"; {count:,} of {of}{rows.rows:,} rows have this fault"


def _shortened(told: list[Diagnostic], route: Route) -> Iterator[Diagnostic]:
    yield from told[:MAX_COLUMNS]
    if left := len(told) - MAX_COLUMNS:
        columns = "column" if left == 1 else "columns"
        if left > 0:
            yield Diagnostic(told[0].code, f"the same in {left:,} more {columns}", route)


def label_problems(
    owner: str,
    column: str,
    odd: Mapping[str, Occurrence],
    labels: Sequence[str],
    rows: Readable,
    route: Route,
) -> Iterator[Diagnostic]:
    """Yield the problems of a column of labels: missing values and unknown labels. `odd` has the
    occurrences of both."""
    odd = dict(odd)
    if missing := odd.pop("", None):
        yield _told(
            Fault("KS521", "no value", missing.row, missing.count, COMPLETE),
            column,
            owner,
            rows,
            route,
        )
    if not odd:
        return
    first = min(odd, key=lambda text: odd[text].row)
    count = sum(each.count for each in odd.values())
    message = (
        f"{rows.where(odd[first].row)}: {first[:40]!r} is not a label in the column {column!r}"
        f" of the {owner}"
    )
    if len(odd) > 1:
        shown = [repr(text[:40]) for text in list(odd)[:MAX_VALUES]]
        more = f" and {len(odd) - MAX_VALUES:,} more" if len(odd) > MAX_VALUES else ""
        of = "" if rows.is_whole else "the first "
        message += f"; {count:,} of {of}{rows.rows:,} rows have {', '.join(shown)}{more}"
    else:
        message += _share(count, rows)
    listed = ", ".join(labels[:10]) + (", …" if len(labels) > 10 else "")
    yield Diagnostic("KS522", message, route, help=f"the labels are {listed}")


def unknown_split(value: str, column: str, where: str) -> Diagnostic:
    """Return KS532: the row at `where` names no split in the column that splits the data."""
    return Diagnostic(
        "KS532",
        f"{where}: {value[:40]!r} in {column!r} is not a split",
        ("data", "split", "column"),
        help=f"the splits are {', '.join(SPLITS)}",
    )


def bounded(problems: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return at most `MAX_REPORTED` problems; the last one counts the omitted problems."""
    if len(problems) <= MAX_REPORTED:
        return tuple(problems)
    left = problems[MAX_REPORTED - 1 :]
    more = Diagnostic(left[0].code, f"{len(left):,} more problems of the data", left[0].route)
    return (*problems[: MAX_REPORTED - 1], more)
