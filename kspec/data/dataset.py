"""The arrays with which the model of a document is trained, validated and tested."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from kspec.data.columns import Columns, find_columns
from kspec.data.decoding import decode_cells
from kspec.data.faults import SPLITS, bounded
from kspec.data.features import make_input, make_target
from kspec.data.files import digest_files
from kspec.data.judgement import judge_rows
from kspec.data.requests import request_of, served
from kspec.data.sources import open_source
from kspec.data.splits import Rows, split_rows
from kspec.data.table import Array
from kspec.features.kinds import labels_of
from kspec.schemas import Spec
from kspec.schemas.data import Data
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.document import Document

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Rows of the data, ready for the model."""

    inputs: Mapping[str, Array]
    """[rows, ...] by the spec's names: raw values, the inputs of every artifact."""
    targets: Mapping[str, Array]
    """[rows], [rows, 1] or [rows, size] by the spec's names: see `features.make_target`."""
    rows: Array
    """int64[rows]: the row numbers in the data, from 0."""

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, positions: Array) -> Split:
        """Return the rows at these positions, in this order."""
        return Split(
            {name: array[positions] for name, array in self.inputs.items()},
            {name: array[positions] for name, array in self.targets.items()},
            self.rows[positions],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """All rows of a spec's data, split."""

    train: Split
    validation: Split
    test: Split
    columns: Mapping[str, tuple[str, ...]]
    """The columns of each input, in their order, with globs expanded."""
    digest: str
    """The result of `source_digest`."""


def source_digest(document: Document) -> str:
    """Return SHA-256, in hex, of the bytes of the data: part of a build's key, without parsing.

    Raises KspecError KS501, KS502, KS504, or KS550 for a spec without data.
    """
    return _located(document, lambda: digest_files(document.roots, _data(document).source))


def load_dataset(document: Document) -> Dataset:
    """Read, check, convert and split the data of a spec.

    Raises KspecError (KS5xx) with the problems of all rows of all columns, counted.
    """
    return _located(document, lambda: _load(document))


def _load(document: Document) -> Dataset:
    spec, data = document.spec, _data(document)
    source = open_source(document.roots, data.source)
    columns = find_columns(spec, source.names)
    if not columns.is_readable:
        raise KspecError(*bounded(columns.problems))
    columns = served(spec, columns, source)
    table = decode_cells(spec, columns, source.read(request_of(spec, columns, source)))
    problems = [*columns.problems, *judge_rows(spec, columns, table)]
    rows = None
    if not columns.problems and not table.problems:
        try:
            rows = split_rows(data.split, table)
        except KspecError as error:
            problems += error.diagnostics
    if problems or rows is None:
        raise KspecError(*bounded(problems))
    inputs = {
        name: make_input(name, item, columns.inputs[name], table)
        for name, item in spec.inputs.items()
    }
    targets = {
        name: make_target(item, columns.outputs[name], table) for name, item in spec.outputs.items()
    }
    if untrainable := tuple(_untrainable(spec, rows, inputs, targets, columns)):
        raise KspecError(*bounded(untrainable))
    whole = Split(inputs, targets, np.arange(table.rows))
    parts = {name: whole.take(getattr(rows, name)) for name in SPLITS}
    digest = digest_files(document.roots, data.source)
    return Dataset(**parts, columns=columns.inputs, digest=digest)


def _untrainable(
    spec: Spec,
    rows: Rows,
    inputs: Mapping[str, Array],
    targets: Mapping[str, Array],
    columns: Columns,
) -> Iterator[Diagnostic]:
    """Yield problems of the training split: labels without rows, constant columns to normalise."""
    for name, output in spec.outputs.items():
        if not (labels := labels_of(output)):
            continue
        codes = targets[name][rows.train].astype(np.int64).reshape(-1)
        counts = np.bincount(codes, minlength=len(labels))
        if unseen := [labels[i] for i in np.flatnonzero(counts == 0)[:5]]:
            yield Diagnostic(
                "KS523",
                f"no training row has the label {', '.join(map(repr, unseen))}",
                ("outputs", name, output.kind.key),
                help="drop the label, add rows of it, or stratify the split by this column",
            )
    for name, item in spec.inputs.items():
        if not item.normalize:
            continue
        values = inputs[name][rows.train]
        flat = values.reshape(-1, values.shape[-1])
        constant = np.flatnonzero(flat.min(axis=0) == flat.max(axis=0))
        if len(constant):
            first = int(constant[0])
            named = columns.inputs[name]
            what = repr(named[first]) if first < len(named) else f"element {first} of {name!r}"
            yield Diagnostic(
                "KS524",
                f"{what} is constant in the training split, so normalising would divide by zero",
                ("inputs", name, "normalize"),
                help="drop the column, or leave out normalize",
            )


def _data(document: Document) -> Data:
    if document.spec.data is None:
        raise KspecError(Diagnostic("KS550", "the spec has no data", help="data: {source: …}"))
    return document.spec.data


def _located(document: Document, step: Callable[[], Result]) -> Result:
    try:
        return step()
    except KspecError as error:
        raise KspecError(*error.diagnostics, document=document) from error
