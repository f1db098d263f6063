"""CSV files, read by Arrow. A file that Arrow refuses is read again cell by cell, to count every
fault."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kspec.data.cells import MISSING, Cells, Numbers, Texts, first_rows, rows_of
from kspec.data.signatures import SIGNATURE_BYTES, refuse_other_content
from kspec.data.table import (
    SAMPLE_BYTES,
    SAMPLE_ROWS,
    TABULAR,
    Request,
    Table,
    Text,
    check_bytes,
    check_rows,
    refuse,
)
from kspec.features.kinds import Sort
from kspec.spec.untrusted import File

_BLOCK = 16 << 20


@dataclass(frozen=True, slots=True)
class CsvFiles:
    """CSV files with the same columns, concatenated."""

    paths: tuple[File, ...]
    headers: Mapping[File, tuple[str, ...]]
    """The columns of each file, in its order."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, in the order of the first file."""
        return self.headers[self.paths[0]]

    @classmethod
    def open(cls, paths: Sequence[File]) -> CsvFiles:
        """Read the headers; raises KspecError KS503, KS505 or KS506."""
        headers = [_header(path) for path in paths]
        for path, header in zip(paths, headers, strict=True):
            if odd := sorted(set(header) ^ set(headers[0])):
                raise refuse(
                    "KS506", f"{path.name} and {paths[0].name} differ in the column {odd[0]!r}"
                )
        return cls(tuple(paths), dict(zip(paths, headers, strict=True)))

    def sorts(self, column: str) -> frozenset[Sort]:  # noqa: ARG002
        """Return number and text: every cell is text, and may spell a number."""
        return TABULAR

    def read(self, request: Request) -> Table:
        """Read these columns as float64 and text; raises KspecError KS503 to KS506."""
        import pyarrow as pa

        try:
            tables = [_read(path, request) for path in self.paths]
        except pa.ArrowInvalid as error:
            return self._read_slowly(request, str(error))
        table: Any = pa.concat_tables(tables)
        counts = tuple(part.num_rows for part in tables)
        check_rows(table.num_rows, self.paths[0].name)
        check_bytes(table.num_rows * len(request.numbers) * 8, self.paths[0].name)
        return Table(
            rows=table.num_rows,
            numbers={name: table[_NUMBER + name].to_numpy() for name in request.numbers},
            texts={name: encode_text(table[_TEXT + name]) for name in sorted(request.texts)},
            where=lambda row: self._place(row, counts),
        )

    def sample(self, request: Request) -> Cells:
        """Read the first rows of these columns cell by cell; raises KspecError KS503 or KS505."""
        cells = _cells(request)
        for path in self.paths:
            with _readable(path):
                rows, is_whole = first_rows(path, SAMPLE_BYTES, SAMPLE_ROWS - cells.rows)
            cells.add(path, self.headers[path], rows)
            cells.is_whole &= is_whole
        if cells.is_whole and not cells.problems:
            check_rows(cells.rows, self.paths[0].name)
        return cells

    def _read_slowly(self, request: Request, reason: str) -> Table:
        """Read files that Arrow refuses, with every fault; report `reason` if none is found."""
        import numpy as np

        cells = _cells(request)
        for path in self.paths:
            with _readable(path):
                cells.add(path, self.headers[path], rows_of(path))
        if not cells.problems and not any(each.unread for each in cells.numbers.values()):
            raise refuse("KS503", f"{self.paths[0].name} cannot be read: {reason}")
        return Table(
            rows=cells.rows,
            numbers={k: np.frombuffer(v.values) for k, v in cells.numbers.items()},
            texts={
                k: Text(tuple(v.values), np.asarray(v.codes, np.intp))
                for k, v in cells.texts.items()
            },
            where=cells.where,
            unread={k: v.unread for k, v in cells.numbers.items() if v.unread},
            problems=cells.problems,
        )

    def _place(self, row: int, counts: tuple[int, ...]) -> str:
        for path, count in zip(self.paths, counts, strict=True):
            if row < count:
                line = next(line for i, (line, _) in enumerate(rows_of(path)) if i == row)
                return f"{path.name}:{line}"
            row -= count
        raise IndexError(row)


def _cells(request: Request) -> Cells:
    return Cells(
        {name: Numbers() for name in request.numbers},
        {name: Texts() for name in sorted(request.texts)},
    )


@contextmanager
def _readable(path: File) -> Iterator[None]:
    """Raise KspecError KS503 if the file is not CSV in UTF-8."""
    try:
        yield
    except UnicodeDecodeError as error:
        message = f"{path.name} is not in UTF-8: it has the byte 0x{error.object[error.start]:02x}"
        help_ = "save it in UTF-8: `iconv -f WINDOWS-1252 -t UTF-8`, if it comes from a spreadsheet"
        raise refuse("KS503", message, help=help_) from None
    except csv.Error as error:
        raise refuse("KS503", f"{path.name} is not CSV in UTF-8: {error}") from None


# A column may be requested as numbers and as text: prefixes of Arrow column names tell which.
_NUMBER, _TEXT = "number ", "text "


def encode_text(column: Any) -> Text:
    """Return the Text of an Arrow column of strings."""
    import pyarrow.compute as pc

    encoded = pc.fill_null(column, "").combine_chunks().dictionary_encode()
    return Text(tuple(encoded.dictionary.to_pylist()), encoded.indices.to_numpy().astype("intp"))


def _header(path: File) -> tuple[str, ...]:
    with path.open() as stream:
        refuse_other_content(path.name, stream.read(SIGNATURE_BYTES))
    with _readable(path), path.text() as stream:
        header = tuple(next(csv.reader(stream), ()))
        is_empty = not header and not stream.read(1)
    if not header:
        what = "is empty" if is_empty else "begins with an empty line"
        raise refuse("KS505", f"{path.name} {what}", help="the first line names the columns")
    if twice := sorted(name for name, count in Counter(header).items() if name and count > 1):
        raise refuse("KS506", f"{path.name} has the column {twice[0]!r} twice")
    return header


def _read(path: File, request: Request) -> Any:
    import pyarrow as pa
    import pyarrow.csv as arrow

    def columns(names: Sequence[str], kind: Any, prefix: str) -> Any:
        options = arrow.ConvertOptions(
            include_columns=names,
            column_types=dict.fromkeys(names, kind),
            null_values=sorted(MISSING),
            strings_can_be_null=False,
        )
        with path.open() as stream:
            table = arrow.read_csv(
                stream,
                read_options=arrow.ReadOptions(block_size=_BLOCK),
                parse_options=arrow.ParseOptions(newlines_in_values=True),
                convert_options=options,
            )
        return table.rename_columns([prefix + name for name in names])

    # At most two passes over the file; one if all columns are of one kind.
    parts = [
        columns(list(names), kind, prefix)
        for names, kind, prefix in (
            (request.numbers, pa.float64(), _NUMBER),
            (sorted(request.texts), pa.string(), _TEXT),
        )
        if names
    ]
    joined = parts[0]
    for part in parts[1:]:
        for name in part.column_names:
            joined = joined.append_column(name, part[name])
    return joined
