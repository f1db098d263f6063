"""Parquet: the columns asked for and no others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kspec.data.delimited import encode_text
from kspec.data.table import Array, Request, Table, Text, check_bytes, check_rows, refuse, spell
from kspec.spec.untrusted import File


@dataclass(frozen=True, slots=True)
class ParquetFiles:
    """Parquet files with the same columns, one after the other."""

    paths: tuple[File, ...]
    names: tuple[str, ...]
    counts: tuple[int, ...]
    """Rows of each file."""

    @classmethod
    def open(cls, paths: Sequence[File]) -> ParquetFiles:
        """Read the footers; raises KspecError KS503, KS505 or KS506."""
        names, counts = zip(*map(_footer, paths), strict=True)
        for path, found in zip(paths, names, strict=True):
            if odd := sorted(set(found) ^ set(names[0])):
                raise refuse(
                    "KS506", f"{path.name} and {paths[0].name} differ in the column {odd[0]!r}"
                )
        check_rows(sum(counts), paths[0].name)
        return cls(tuple(paths), names[0], counts)

    def read(self, request: Request) -> Table:
        """Read these columns; raises KspecError KS503, KS504, KS511 or KS520."""
        import pyarrow as pa

        wanted = sorted(request.numbers.keys() | request.texts)
        check_bytes(sum(self.counts) * len(wanted) * 8, self.paths[0].name)
        try:
            table: Any = pa.concat_tables([_columns(path, wanted) for path in self.paths])
        except (pa.ArrowException, OSError) as error:
            raise refuse("KS503", f"{self.paths[0].name} cannot be read: {error}") from None
        return Table(
            rows=table.num_rows,
            numbers={name: _numbers(name, table[name]) for name in request.numbers},
            texts={name: _text(table[name]) for name in sorted(request.texts)},
            where=self._place,
        )

    def _place(self, row: int) -> str:
        for path, count in zip(self.paths, self.counts, strict=True):
            if row < count:
                return f"{path.name}, row {row + 1}"
            row -= count
        raise IndexError(row)


def _columns(path: File, wanted: Sequence[str]) -> Any:
    import pyarrow.parquet as pq

    with path.open() as stream:
        return pq.ParquetFile(stream, page_checksum_verification=True).read(columns=wanted)


def _footer(path: File) -> tuple[tuple[str, ...], int]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open() as stream:
            file = pq.ParquetFile(stream)
            return tuple(file.schema_arrow.names), file.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise refuse("KS503", f"{path.name} is not a Parquet file: {error}") from None


def _numbers(name: str, column: Any) -> Array:
    import pyarrow.types as types

    kind = column.type
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _stacked(name, column)
    if types.is_decimal(kind):
        column = column.cast("float64")
    elif not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)):
        raise refuse("KS520", f"the column {name!r} holds {kind}, no numbers")
    if column.null_count:
        column = column.cast("float64")
    array: Array = column.to_numpy()
    return array


def _stacked(name: str, column: Any) -> Array:
    import pyarrow as pa

    flat = column.combine_chunks()
    lengths = np.asarray(flat.value_lengths().fill_null(0))
    if lengths.size and (lengths != lengths[0]).any():
        raise refuse(
            "KS511",
            f"the lists in the column {name!r} have from {lengths.min()} to {lengths.max()}"
            " elements",
        )
    return _numbers(name, pa.chunked_array([flat.flatten()])).reshape(len(flat), -1)


def _text(column: Any) -> Text:
    import pyarrow.types as types

    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if types.is_string(column.type) or types.is_large_string(column.type):
        return encode_text(column)
    return Text.of(np.array([spell(value) for value in column.to_pylist()]))
