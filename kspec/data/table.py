"""What every source gives: named columns of equal length, as numbers or as text."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from kspec.data.faults import ROUTE, Fault, Occurrence, Readable
from kspec.schemas.features import Image
from kspec.spec.diagnostics import Diagnostic, KspecError

if TYPE_CHECKING:
    import numpy as np

    from kspec.data.cells import Unread

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

MAX_BYTES = 16 << 30
"""Bound on a source's size, on the disk and decoded: all of it is held in memory."""
SAMPLE_ROWS = 1_000
"""Rows of a source that `check` reads at most."""
SAMPLE_BYTES = 256 << 10
"""Bytes of a file that `check` reads at most, beside its header or footer."""


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """A column of text, each value once."""

    values: tuple[str, ...]
    """The values that occur; "" for a missing one."""
    codes: Array
    """intp[rows]: the index of each row's value."""

    @classmethod
    def of(cls, array: Array) -> Text:
        """The text of an array of rank 1; whole numbers are written without a fraction."""
        import numpy as np

        values, codes = np.unique(array, return_inverse=True)
        return cls(tuple(spell(value) for value in values.tolist()), codes.astype(np.intp))


def spell(value: object) -> str:
    """A label as text: 1.0 is "1", True is "true", a missing value is empty."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float() if math.isnan(value):
            return ""
        case float() if value.is_integer():
            return str(int(value))
        case bytes():
            return value.decode("utf-8", errors="replace")
    return str(value)


@dataclass(frozen=True, slots=True)
class Request:
    """The columns to read."""

    numbers: Mapping[str, Image | None]
    """Columns of numbers, with what a picture in one of them is brought to."""
    texts: frozenset[str]
    """Columns of labels."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns that were read; what `Readable` asks for."""

    rows: int
    numbers: Mapping[str, Array]
    """[rows, ...] of a boolean, integer or float type; a missing value is NaN."""
    texts: Mapping[str, Text]
    where: Callable[[int], str]
    """The place of a row for a person: `digits.csv:17`."""
    is_whole: bool = True
    """Whether these are all rows of the source."""
    unread: Mapping[str, Unread] = field(default_factory=dict)
    """Rows of columns of numbers that hold text; their numbers are NaN."""
    problems: tuple[Diagnostic, ...] = ()
    """Rows that cannot be read at all, such as those of another length than the header."""

    def shape(self, column: str) -> tuple[int, ...]:
        """The shape of one row of a column of numbers."""
        return self.numbers[column].shape[1:]

    def faults(self, column: str, dtype: str) -> Sequence[Fault]:
        """What keeps a column of numbers from being an array of `dtype`."""
        from kspec.data.arrays import faults_of

        return tuple(faults_of(self.numbers[column], dtype, self.unread.get(column)))

    def occurrences(self, column: str) -> Mapping[str, Occurrence]:
        """The values of a column of text."""
        from kspec.data.arrays import occurrences_of

        return occurrences_of(self.texts[column].values, self.texts[column].codes)


class Source(Protocol):
    """Data whose columns are known and whose rows are still to be read."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, in their order."""

    def read(self, request: Request) -> Table:
        """Read these columns, which are among `names`; raises KspecError (KS5xx)."""

    def sample(self, request: Request) -> Readable:
        """The first rows of these columns, within SAMPLE_ROWS and SAMPLE_BYTES of each file.

        Raises KspecError (KS5xx) for a source that cannot be read at all.
        """


def refuse(code: str, message: str, help: str | None = None) -> KspecError:  # noqa: A002
    """The error for a source that cannot be used."""
    return KspecError(Diagnostic(code, message, ROUTE, help=help))


def check_bytes(found: int, name: str) -> None:
    """Raise KspecError KS504 when a source would take more than `MAX_BYTES`."""
    if found > MAX_BYTES:
        raise refuse(
            "KS504",
            f"{name} takes {found:,} bytes in memory, more than {MAX_BYTES:,}",
            help="split it, or keep fewer rows or columns",
        )


def check_rows(rows: int, name: str) -> None:
    """Raise KspecError KS505 when a source has no row."""
    if rows == 0:
        raise refuse("KS505", f"{name} has no rows")
