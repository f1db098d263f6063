"""Decoding of cells of bytes to values of inputs, by the host steps of their kinds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from kspec.data.columns import Columns
from kspec.data.faults import ROUTE, Readable, bounded
from kspec.data.table import Array, Blobs, Table, check_bytes
from kspec.features.cells import look_at_cell, read_cell
from kspec.features.kinds import input_kind
from kspec.schemas import Spec
from kspec.schemas.features import Input
from kspec.spec.diagnostics import Diagnostic

SAMPLE_CELLS = 100
"""Maximum number of cells whose heads `check` reads."""


def decode_cells(spec: Spec, columns: Columns, table: Table) -> Table:
    """Return the table with the values of each input that reads a column of bytes, and with the
    problems of all cells (KS540). Raises KspecError KS504 if the values take too much memory."""
    problems: list[Diagnostic] = []
    decoded = {
        name: _decode(item, blobs, problems) for name, item, blobs in _readers(spec, columns, table)
    }
    return replace(table, decoded=decoded, problems=(*table.problems, *bounded(problems)))


def look_at_cells(spec: Spec, columns: Columns, rows: Readable) -> Readable:
    """Return sampled rows with the problems in the heads of their cells; nothing is decoded."""
    if not isinstance(rows, Table) or not rows.blobs:
        return rows
    problems: list[Diagnostic] = []
    readers = list(_readers(spec, columns, rows))
    for _, item, blobs in readers:
        for row in range(min(len(blobs), SAMPLE_CELLS)):
            try:
                with blobs.open(row) as cell:
                    look_at_cell(cell, item.kind)
            except ValueError as error:
                problems.append(_unusable(blobs, row, error))
    named: dict[str, None] = {name: None for name, _, _ in readers}
    told = (*rows.problems, *bounded(problems))
    return replace(rows, decoded=named, problems=told, is_whole=False)


def _readers(spec: Spec, columns: Columns, table: Table) -> Iterator[tuple[str, Input, Blobs]]:
    """Yield each input that reads a column of bytes, with the column."""
    for name, item in spec.inputs.items():
        read = columns.inputs[name]
        if len(read) == 1 and "bytes" in input_kind(item.kind).cell and read[0] in table.blobs:
            yield name, item, table.blobs[read[0]]


def _decode(item: Input, blobs: Blobs, problems: list[Diagnostic]) -> Array:
    """Return [rows, ...] in the shape and dtype of the input; an unusable cell becomes zeros."""
    import numpy as np

    kind = input_kind(item.kind)
    shape = (len(blobs), *map(int, kind.shape(item.kind)))
    dtype = np.dtype(kind.dtype(item.kind))
    check_bytes(math.prod(shape) * dtype.itemsize, blobs.name)
    values = np.zeros(shape, dtype)
    for row in range(len(blobs)):
        try:
            with blobs.open(row) as cell:
                values[row] = read_cell(cell, item.kind)
        except ValueError as error:
            problems.append(_unusable(blobs, row, error))
    return values


def _unusable(blobs: Blobs, row: int, error: ValueError) -> Diagnostic:
    return Diagnostic("KS540", f"{blobs.where(row)}: {error}", ROUTE)
