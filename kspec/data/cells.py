"""CSV read cell by cell, without NumPy: the first rows for `check`, all rows if one is faulty.

Every cell is judged. Only the numbers, the codes of texts and the line of a row are kept: 8 bytes
a cell.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from kspec.data.faults import ROUTE, Fault, Occurrence, not_a_number, not_finite, not_of
from kspec.spec.diagnostics import Diagnostic
from kspec.spec.untrusted import File

MISSING = frozenset(("", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "?"))
"""Spellings of a missing number."""
MAX_RAGGED = 5
"""Maximum number of listed rows that differ in length from the header."""
LIMITS: Mapping[str, tuple[float, float]] = {
    "float32": (-3.4028234663852886e38, 3.4028234663852886e38),
    "int32": (-(2.0**31), 2.0**31 - 1),
}
"""Smallest and largest number of each type."""
NAN = float("nan")
BATCH = 4_096
"""Rows held as text at a time."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Rows with text in a column of numbers."""

    first: str
    """The text of the first such row."""
    rows: array[int]
    """Row numbers, from 0, ascending."""


@dataclass(slots=True, eq=False)
class Numbers:
    """One column of numbers."""

    values: array[float] = field(default_factory=lambda: array("d"))
    """float64; NaN for a cell without a number."""
    unread: Unread | None = None

    def extend(self, cells: Sequence[str]) -> None:
        """Append the cells of the next rows."""
        before = len(self.values)
        try:
            numbers = list(map(float, cells))
        except ValueError:
            pass
        else:
            if (together := "".join(cells)).isascii() and "_" not in together:
                self.values.extend(numbers)
                return
        for row, cell in enumerate(cells, before):
            number = number_of(cell)
            if number is None:
                self.unread = self.unread or Unread(cell, array("q"))
                self.unread.rows.append(row)
                number = NAN
            self.values.append(number)

    def faults(self, dtype: str) -> Iterator[Fault]:
        """Yield the faults that prevent converting the column to `dtype`."""
        text: frozenset[int] = frozenset()
        if self.unread is not None:
            text = frozenset(self.unread.rows)
            yield not_a_number(self.unread.first, self.unread.rows[0], len(text))
        values, (low, high) = self.values, LIMITS[dtype]
        if len(values) == 0 or _is_sound(values, low, high, dtype):
            return
        odd = [i for i, v in enumerate(values) if not math.isfinite(v) and i not in text]
        if odd:
            yield not_finite(odd[0], len(odd))
        odd = [
            i for i, v in enumerate(values) if math.isfinite(v) and not _fits(v, low, high, dtype)
        ]
        if odd:
            yield not_of(values[odd[0]], dtype, odd[0], len(odd))


def number_of(cell: str) -> float | None:
    """Return the number in a cell: NaN if it is missing, None for text."""
    try:
        number = float(cell)
    except ValueError:
        return NAN if cell in MISSING else None
    return number if "_" not in cell and cell.isascii() else None


def _is_sound(values: Sequence[float], low: float, high: float, dtype: str) -> bool:
    """Whether all values are finite and fit `dtype`; any NaN makes the sum NaN."""
    return (
        math.isfinite(sum(values))
        and low <= min(values)
        and max(values) <= high
        and (dtype != "int32" or all(map(float.is_integer, values)))
    )


def _fits(value: float, low: float, high: float, dtype: str) -> bool:
    return low <= value <= high and (dtype != "int32" or value.is_integer())


@dataclass(slots=True, eq=False)
class Texts:
    """One column of text; each distinct value is stored once."""

    codes: array[int] = field(default_factory=lambda: array("q"))
    """The index of each row's value."""
    values: dict[str, Occurrence] = field(default_factory=dict)
    _code: dict[str, int] = field(default_factory=dict)

    def extend(self, cells: Iterable[str]) -> None:
        """Append the cells of the next rows."""
        for row, cell in enumerate(cells, len(self.codes)):
            self.codes.append(self._code.setdefault(cell, len(self._code)))
            before = self.values.get(cell)
            first, count = (before.row, before.count) if before else (row, 0)
            self.values[cell] = Occurrence(first, count + 1)


@dataclass(slots=True, eq=False)
class Cells:
    """Rows of CSV files, read cell by cell; implements `Readable`."""

    numbers: Mapping[str, Numbers]
    texts: Mapping[str, Texts]
    is_whole: bool = True
    """Whether these are all rows of the files."""
    lines: array[int] = field(default_factory=lambda: array("q"))
    """The line on which each row ends, within its file."""
    starts: list[tuple[int, str]] = field(default_factory=list)
    """The first row of each file, with its name."""
    ragged: int = 0
    """Number of rows left out because their length differs from the header's."""
    shown: list[str] = field(default_factory=list)
    """Messages for the first of these rows: `rows.csv:4 has 2 cells, the header 3`."""

    @property
    def decoded(self) -> Mapping[str, object]:
        """Empty, since CSV has no cells of bytes."""
        return {}

    @property
    def rows(self) -> int:
        """Number of rows read."""
        return len(self.lines)

    @property
    def where(self) -> Callable[[int], str]:
        """Function from a row number to its place: `digits.csv:17`."""
        return self._place

    def _place(self, row: int) -> str:
        name = next(name for start, name in reversed(self.starts) if start <= row)
        return f"{name}:{self.lines[row]}"

    def shape(self, column: str) -> tuple[int, ...]:
        """Return `()`: each cell contains a single number."""
        del column
        return ()

    def faults(self, column: str, dtype: str) -> Sequence[Fault]:
        """Return the faults that prevent converting a column of numbers to `dtype`."""
        return tuple(self.numbers[column].faults(dtype))

    def occurrences(self, column: str) -> Mapping[str, Occurrence]:
        """Return the values of a column of text."""
        return self.texts[column].values

    def add(self, path: File, header: Sequence[str], rows: Iterable[tuple[int, list[str]]]) -> None:
        """Add the rows of one file, as `rows_of` yields them."""
        self.starts.append((self.rows, path.name))
        for batch in _batches(rows):
            sound = [cells for _, cells in batch if len(cells) == len(header)]
            if len(sound) == len(batch):
                self.lines.extend([line for line, _ in batch])
            else:
                self._leave_out(path.name, batch, len(header))
            columns = dict(zip(header, zip(*sound, strict=True), strict=True)) if sound else {}
            for name, numbers in self.numbers.items():
                numbers.extend(columns.get(name, ()))
            for name, texts in self.texts.items():
                texts.extend(columns.get(name, ()))

    @property
    def problems(self) -> tuple[Diagnostic, ...]:
        """KS507 for rows whose length differs from the header's."""
        told = [Diagnostic("KS507", each, ROUTE) for each in self.shown]
        if left := self.ragged - len(self.shown):
            told.append(Diagnostic("KS507", f"the same in {left:,} more rows", ROUTE))
        return tuple(told)

    def _leave_out(self, name: str, batch: Iterable[tuple[int, list[str]]], wanted: int) -> None:
        for line, cells in batch:
            if len(cells) == wanted:
                self.lines.append(line)
                continue
            self.ragged += 1
            if len(self.shown) < MAX_RAGGED:
                self.shown.append(f"{name}:{line} has {len(cells)} cells, the header {wanted}")


def _batches(rows: Iterable[tuple[int, list[str]]]) -> Iterator[list[tuple[int, list[str]]]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, BATCH)):
        yield batch


def rows_of(path: File) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows after the header with the line on which each ends; empty lines are skipped."""
    with path.text() as stream:
        yield from _parsed(stream)


def first_rows(path: File, size: int, most: int) -> tuple[list[tuple[int, list[str]]], bool]:
    """Return the rows in the first `size` bytes, at most `most` rows, and whether these are all
    rows of the file."""
    with path.open() as stream:
        chunk = stream.read(size)
        is_whole = not stream.read(1)
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    parsed = _parsed(io.StringIO(decoder.decode(chunk, final=is_whole), newline=""))
    rows = list(islice(parsed, most + 1))
    if len(rows) > most:
        return rows[:most], False
    # The last row may continue after the first `size` bytes.
    return rows if is_whole else rows[:-1], is_whole


def _parsed(stream: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(stream)
    next(reader, None)
    for cells in reader:
        if cells:
            yield reader.line_num, cells
