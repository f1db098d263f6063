"""Checks of the first rows of the data. Only archives and Parquet import NumPy and Arrow."""

from __future__ import annotations

from collections.abc import Iterator

from kspec.data.columns import Columns, find_columns
from kspec.data.decoding import look_at_cells
from kspec.data.faults import SPLITS, Readable, bounded, unknown_split
from kspec.data.judgement import judge_rows
from kspec.data.requests import request_of, served
from kspec.data.sources import open_source
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.document import Document


def check_data(document: Document) -> tuple[Diagnostic, ...]:
    """Return the problems of the columns, the types and the first rows of a spec's data.

    At most `SAMPLE_ROWS` rows and `SAMPLE_BYTES` bytes are read. `load_dataset` reads all rows.
    """
    spec, data = document.spec, document.spec.data
    if data is None:
        return ()
    try:
        source = open_source(document.roots, data.source)
        columns = find_columns(spec, source.names)
    except KspecError as error:
        return error.diagnostics
    if not columns.is_readable:
        return bounded(columns.problems)
    columns = served(spec, columns, source)
    try:
        rows = look_at_cells(spec, columns, source.sample(request_of(spec, columns, source)))
    except KspecError as error:
        return bounded([*columns.problems, *error.diagnostics])
    splits = _unknown_splits(data.split.column, columns, rows)
    return bounded([*columns.problems, *judge_rows(spec, columns, rows), *splits])


def _unknown_splits(column: str | None, columns: Columns, rows: Readable) -> Iterator[Diagnostic]:
    """Yield KS532 for each value of the split column that does not name a split."""
    if column is None or column not in columns.split:
        return
    for value, found in rows.occurrences(column).items():
        if value not in SPLITS:
            yield unknown_split(value, column, rows.where(found.row))
