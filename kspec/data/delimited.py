"""CSV: read by Arrow; what Arrow refuses is read again, slowly, to name each bad line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kspec.data.table import (
    MAX_REPORTED,
    ROUTE,
    Request,
    Table,
    Text,
    check_bytes,
    check_rows,
    refuse,
)
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.untrusted import File

MISSING = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "?")
"""Cells that hold no number."""

_BLOCK = 16 << 20


@dataclass(frozen=True, slots=True)
class CsvFiles:
    """CSV files with the same columns, one after the other."""

    paths: tuple[File, ...]
    names: tuple[str, ...]

    @classmethod
    def open(cls, paths: Sequence[File]) -> CsvFiles:
        """Read the headers; raises KspecError KS503, KS505 or KS506."""
        headers = [_header(path) for path in paths]
        for path, header in zip(paths, headers, strict=True):
            if odd := sorted(set(header) ^ set(headers[0])):
                raise refuse(
                    "KS506", f"{path.name} and {paths[0].name} differ in the column {odd[0]!r}"
                )
        return cls(tuple(paths), headers[0])

    def read(self, request: Request) -> Table:
        """Read these columns as float64 and text; raises KspecError KS503 to KS507, KS520."""
        import pyarrow as pa

        tables = [_read(path, request) for path in self.paths]
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

    def _place(self, row: int, counts: tuple[int, ...]) -> str:
        for path, count in zip(self.paths, counts, strict=True):
            if row < count:
                line = next(line for i, (line, _) in enumerate(_rows(path)) if i == row)
                return f"{path.name}:{line}"
            row -= count
        raise IndexError(row)


# A column may be asked for as a number and as text: the names in the Arrow table say which.
_NUMBER, _TEXT = "number ", "text "


def encode_text(column: Any) -> Text:
    """The Text of an Arrow column of strings."""
    import pyarrow.compute as pc

    encoded = pc.fill_null(column, "").combine_chunks().dictionary_encode()
    return Text(tuple(encoded.dictionary.to_pylist()), encoded.indices.to_numpy().astype("intp"))


def _header(path: File) -> tuple[str, ...]:
    try:
        with path.text() as stream:
            header = tuple(next(csv.reader(stream), ()))
    except (UnicodeDecodeError, csv.Error) as error:
        raise refuse("KS503", f"{path.name} is no CSV in UTF-8: {error}") from None
    if not header:
        raise refuse("KS505", f"{path.name} is empty", help="the first line names the columns")
    if twice := sorted({name for name in header if name and header.count(name) > 1}):
        raise refuse("KS506", f"{path.name} has the column {twice[0]!r} twice")
    return header


def _read(path: File, request: Request) -> Any:
    import pyarrow as pa
    import pyarrow.csv as arrow

    def columns(names: Sequence[str], kind: Any, prefix: str) -> Any:
        options = arrow.ConvertOptions(
            include_columns=names,
            column_types=dict.fromkeys(names, kind),
            null_values=MISSING,
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

    try:
        # Together at most two passes over the file, and one where all columns are of a kind.
        parts = [
            columns(list(names), kind, prefix)
            for names, kind, prefix in (
                (request.numbers, pa.float64(), _NUMBER),
                (sorted(request.texts), pa.string(), _TEXT),
            )
            if names
        ]
    except pa.ArrowInvalid as error:
        raise KspecError(*_explain(path, request, str(error))) from None
    joined = parts[0]
    for part in parts[1:]:
        for name in part.column_names:
            joined = joined.append_column(name, part[name])
    return joined


def _rows(path: File) -> Iterator[tuple[int, list[str]]]:
    """The rows after the header, each with the line it ends on; empty lines are skipped."""
    with path.text() as stream:
        reader = csv.reader(stream)
        next(reader)
        for cells in reader:
            if cells:
                yield reader.line_num, cells


def _explain(path: File, request: Request, reason: str) -> list[Diagnostic]:
    """Why Arrow refused the file, line by line; `reason` when no line is to blame."""
    found: list[Diagnostic] = []
    try:
        for diagnostic in _faults(path, request):
            found.append(diagnostic)
            if len(found) == MAX_REPORTED:
                break
    except (UnicodeDecodeError, csv.Error) as error:
        reason = str(error)
    return found or [Diagnostic("KS503", f"{path.name} cannot be read: {reason}", ROUTE)]


def _faults(path: File, request: Request) -> Iterator[Diagnostic]:
    header = _header(path)
    numeric = [(index, name) for index, name in enumerate(header) if name in request.numbers]
    for line, cells in _rows(path):
        if len(cells) != len(header):
            yield Diagnostic(
                "KS507",
                f"{path.name}:{line} has {len(cells)} cells, the header {len(header)}",
                ROUTE,
            )
            continue
        for index, name in numeric:
            if not _is_number(cells[index]):
                yield Diagnostic(
                    "KS520",
                    f"{path.name}:{line}: {cells[index][:40]!r} in the column {name!r} is no"
                    " number",
                    ROUTE,
                )


def _is_number(cell: str) -> bool:
    if cell in MISSING:
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell
