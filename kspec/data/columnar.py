"""Parquet files; only the requested columns are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np

from kspec.data.arrays import all_unread, empty, is_numeric
from kspec.data.delimited import encode_text
from kspec.data.faults import ROUTE
from kspec.data.table import (
    SAMPLE_ROWS,
    TABULAR,
    Array,
    Request,
    Table,
    Text,
    check_bytes,
    check_rows,
    refuse,
    spell,
)
from kspec.features.kinds import Sort
from kspec.spec.diagnostics import Diagnostic
from kspec.spec.untrusted import File

_GROUP_BYTES = 64 << 20
"""Maximum decoded bytes of a row group from which a sample is taken."""


@dataclass(frozen=True, slots=True)
class ParquetFiles:
    """Parquet files with the same columns, concatenated."""

    paths: tuple[File, ...]
    names: tuple[str, ...]
    counts: tuple[int, ...]
    """Rows of each file."""
    sorted: Mapping[str, frozenset[Sort]]
    """The sorts of columns of bytes and columns of times."""

    @classmethod
    def open(cls, paths: Sequence[File]) -> ParquetFiles:
        """Read the footers; raises KspecError KS503, KS505 or KS506."""
        names, counts, sorts = zip(*map(_footer, paths), strict=True)
        for path, found in zip(paths, names, strict=True):
            if odd := sorted(set(found) ^ set(names[0])):
                raise refuse(
                    "KS506", f"{path.name} and {paths[0].name} differ in the column {odd[0]!r}"
                )
        check_rows(sum(counts), paths[0].name)
        return cls(tuple(paths), names[0], counts, sorts[0])

    def sorts(self, column: str) -> frozenset[Sort]:
        """Return the sorts of the column's type in the first file."""
        return self.sorted.get(column, TABULAR)

    def read(self, request: Request) -> Table:
        """Read these columns; raises KspecError KS503 or KS504."""
        wanted = sorted(request.columns)
        check_bytes(sum(self.counts) * len(wanted) * 8, self.paths[0].name)
        return self._table(request, [lambda path: _columns(path, wanted)] * len(self.paths))

    def sample(self, request: Request) -> Table:
        """Read the first rows of the first file, and the column types of all files; raises
        KspecError KS503 or KS504."""
        wanted = sorted(request.columns)
        return self._table(request, [lambda path: _first(path, wanted)])

    def _table(self, request: Request, readers: Sequence[Callable[[File], Any]]) -> Table:
        """Return the rows from the readers; reader i reads file i."""
        import pyarrow as pa

        try:
            tables = [read(path) for read, path in zip(readers, self.paths, strict=False)]
            table: Any = pa.concat_tables(tables)
        except (pa.ArrowException, OSError) as error:
            raise refuse("KS503", f"{self.paths[0].name} cannot be read: {error}") from None
        problems: list[Diagnostic] = []
        found = {name: _numbers(name, table[name], problems) for name in request.numbers}
        return Table(
            rows=table.num_rows,
            numbers={k: v if is_numeric(v) else empty(v) for k, v in found.items()},
            texts={name: _text(table[name]) for name in sorted(request.texts)},
            where=self._place,
            is_whole=table.num_rows == sum(self.counts),
            unread={k: all_unread(v) for k, v in found.items() if len(v) and not is_numeric(v)},
            problems=tuple(problems),
            blobs={name: _Cells(name, table[name], self._place) for name in request.blobs},
        )

    def _place(self, row: int) -> str:
        for path, count in zip(self.paths, self.counts, strict=True):
            if row < count:
                return f"{path.name}, row {row + 1}"
            row -= count
        raise IndexError(row)


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """A binary column."""

    name: str
    column: Any
    place: Callable[[int], str]

    def __len__(self) -> int:
        return len(self.column)

    def where(self, row: int) -> str:
        """`rows.parquet, row 3`."""
        return self.place(row)

    @contextmanager
    def open(self, row: int) -> Iterator[BinaryIO]:
        """Yield a stream of the bytes of a row; raises ValueError for a missing value."""
        content = self.column[row].as_py()
        if content is None:
            raise ValueError("no value")
        yield BytesIO(content)


def _columns(path: File, wanted: Sequence[str]) -> Any:
    import pyarrow.parquet as pq

    with path.open() as stream:
        return pq.ParquetFile(stream, page_checksum_verification=True).read(columns=wanted)


def _first(path: File, wanted: Sequence[str]) -> Any:
    """Return the first rows of a file; no rows if the row group exceeds _GROUP_BYTES."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with path.open() as stream:
        file = pq.ParquetFile(stream, page_checksum_verification=True)
        group = file.metadata.row_group(0) if file.metadata.num_row_groups else None
        names = {name: i for i, name in enumerate(file.schema_arrow.names)}
        fields = pa.schema([file.schema_arrow.field(names[name]) for name in wanted])
        if group is None or group.total_byte_size > _GROUP_BYTES:
            return fields.empty_table()
        return file.read_row_group(0, columns=wanted).slice(0, SAMPLE_ROWS)


def _footer(path: File) -> tuple[tuple[str, ...], int, Mapping[str, frozenset[Sort]]]:
    """Return the columns of a file, its number of rows, and the sorts of bytes and times."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open() as stream:
            file = pq.ParquetFile(stream)
            schema = file.schema_arrow
            sorts = {each.name: found for each in schema if (found := _sorts(each.type))}
            return tuple(schema.names), file.metadata.num_rows, sorts
    except (pa.ArrowException, OSError) as error:
        raise refuse("KS503", f"{path.name} is not a Parquet file: {error}") from None


def _sorts(kind: Any) -> frozenset[Sort]:
    import pyarrow.types as types

    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return frozenset(("bytes", "text"))
    return frozenset(("time", "text")) if types.is_temporal(kind) else frozenset()


def _numbers(name: str, column: Any, problems: list[Diagnostic]) -> Array:
    """Return the column as an array [rows, ...], of numbers if the type is numeric."""
    import pyarrow.types as types

    kind = column.type
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _stacked(name, column, problems)
    if types.is_decimal(kind):
        column = column.cast("float64")
    elif not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)):
        return np.array([spell(value) for value in column.to_pylist()], "O").astype("U")
    if column.null_count:
        column = column.cast("float64")
    array: Array = column.to_numpy()
    return array


def _stacked(name: str, column: Any, problems: list[Diagnostic]) -> Array:
    import pyarrow as pa

    flat = column.combine_chunks()
    lengths = np.asarray(flat.value_lengths().fill_null(0))
    if lengths.size and (lengths != lengths[0]).any():
        message = (
            f"the lists in the column {name!r} have {lengths.min()} to {lengths.max()} elements"
        )
        problems.append(Diagnostic("KS511", message, ROUTE))
        return np.zeros(len(flat))
    inner = _numbers(name, pa.chunked_array([flat.flatten()]), problems)
    return inner.reshape(len(flat), -1)


def _text(column: Any) -> Text:
    import pyarrow.types as types

    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if types.is_string(column.type) or types.is_large_string(column.type):
        return encode_text(column)
    return Text.of(np.array([spell(value) for value in column.to_pylist()]))
