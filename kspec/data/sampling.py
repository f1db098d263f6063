"""What the first rows of the data show to be wrong. NumPy and Arrow are imported for archives and
Parquet alone.
"""

from __future__ import annotations

from kspec.data.columns import find_columns
from kspec.data.decoding import look_at_cells
from kspec.data.faults import bounded
from kspec.data.judgement import judge_rows
from kspec.data.requests import request_of, served
from kspec.data.sources import open_source
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.document import Document


def check_data(document: Document) -> tuple[Diagnostic, ...]:
    """The problems of the columns, the types and the first rows of a spec's data.

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
    return bounded([*columns.problems, *judge_rows(spec, columns, rows)])
