"""Tables of named columns of equal length: numbers, text or bytes; and the interface of sources."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TypeAlias

from kspec.data.faults import ROUTE, Fault, Occurrence, Readable
from kspec.features.kinds import Sort
from kspec.spec.diagnostics import Diagnostic, KspecError

if TYPE_CHECKING:
    import numpy as np

    from kspec.data.cells import Unread

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

TABULAR: frozenset[Sort] = frozenset(("number", "text"))
"""The sorts of a cell of text, which may spell a number."""
MAX_BYTES = 16 << 30
"""Bound on a source's size on disk and decoded, since all of it is held in memory."""
SAMPLE_ROWS = 1_000
"""Maximum number of rows of a source that `check` reads."""
SAMPLE_BYTES = 256 << 10
"""Maximum number of bytes of a file that `check` reads, besides its header or footer."""


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """A column of text; each distinct value is stored once."""

    values: tuple[str, ...]
    """The distinct values; "" for a missing value."""
    codes: Array
    """intp[rows]: the index of each row's value."""

    @classmethod
    def of(cls, array: Array) -> Text:
        """Return the text of an array of rank 1; whole numbers are written without a fraction."""
        import numpy as np

        values, codes = np.unique(array, return_inverse=True)
        return cls(tuple(spell(value) for value in values.tolist()), codes.astype(np.intp))


def spell(value: object) -> str:
    """Return a label as text: 1.0 is "1", True is "true", a missing value is empty."""
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
    """The columns to read with the requested sorts; a column may be requested as numbers and as
    text."""

    columns: Mapping[str, frozenset[Sort]]

    @classmethod
    def of(cls, wanted: Iterable[tuple[str, Sort]]) -> Request:
        """Return the request for these columns and sorts; the order is kept."""
        found: dict[str, frozenset[Sort]] = {}
        for column, sort in wanted:
            found[column] = found.get(column, frozenset()) | {sort}
        return cls(found)

    def by(self, sort: Sort) -> tuple[str, ...]:
        """Return the columns requested as a sort, in order."""
        return tuple(name for name, sorts in self.columns.items() if sort in sorts)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The columns of numbers."""
        return self.by("number")

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns of text."""
        return self.by("text")

    @property
    def blobs(self) -> tuple[str, ...]:
        """The columns of bytes."""
        return self.by("bytes")

    def without(self, column: str) -> Request:
        """Return the request without this column."""
        return Request({name: sorts for name, sorts in self.columns.items() if name != column})


class Blobs(Protocol):
    """A column of bytes that are read on demand: files, or the cells of a file."""

    @property
    def name(self) -> str:
        """Name of the column in messages about its size."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def where(self, row: int) -> str:
        """Return the place of a row: a path, or `rows.parquet, row 3`."""

    def open(self, row: int) -> AbstractContextManager[BinaryIO]:
        """Return a stream over the cell of a row. Raises ValueError if the row has none."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns that were read; implements `Readable`."""

    rows: int
    numbers: Mapping[str, Array]
    """[rows, ...] of boolean, integer or float type; a missing value is NaN."""
    texts: Mapping[str, Text]
    where: Callable[[int], str]
    """Function from a row number to its place: `digits.csv:17`."""
    is_whole: bool = True
    """Whether these are all rows of the source."""
    unread: Mapping[str, Unread] = field(default_factory=dict)
    """Rows with text in columns of numbers; their numbers are NaN."""
    problems: tuple[Diagnostic, ...] = ()
    """Problems of rows that cannot be read, such as rows that differ in length from the header."""
    blobs: Mapping[str, Blobs] = field(default_factory=dict)
    """Columns of bytes."""
    decoded: Mapping[str, Any] = field(default_factory=dict)
    """[rows, ...] by name of each input whose values were decoded from cells of bytes."""

    def shape(self, column: str) -> tuple[int, ...]:
        """Return the shape of one row of a column of numbers."""
        return self.numbers[column].shape[1:]

    def faults(self, column: str, dtype: str) -> Sequence[Fault]:
        """Return the faults that prevent converting a column of numbers to `dtype`."""
        from kspec.data.arrays import faults_of

        return tuple(faults_of(self.numbers[column], dtype, self.unread.get(column)))

    def occurrences(self, column: str) -> Mapping[str, Occurrence]:
        """Return the values of a column of text."""
        from kspec.data.arrays import occurrences_of

        return occurrences_of(self.texts[column].values, self.texts[column].codes)


class Source(Protocol):
    """Data whose columns are known and whose rows are not read yet."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in their order."""

    def sorts(self, column: str) -> frozenset[Sort]:
        """Return the sorts as which a column of `names` can be read."""

    def read(self, request: Request) -> Table:
        """Read these columns, which are among `names`; raises KspecError (KS5xx)."""

    def sample(self, request: Request) -> Readable:
        """Read the first rows of these columns, within SAMPLE_ROWS and SAMPLE_BYTES of each file.

        Raises KspecError (KS5xx) for a source that cannot be read at all.
        """


def refuse(code: str, message: str, help: str | None = None) -> KspecError:  # noqa: A002
    """Return the error for a source that cannot be used."""
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
