"""From a document to the arrays that train, validate and test its model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from kspec.data.columns import Columns, bind_columns
from kspec.data.features import input_array, target_array
from kspec.data.files import digest_files
from kspec.data.sources import open_source
from kspec.data.splits import NAMES, Rows, split_rows
from kspec.data.table import Array, Request
from kspec.schemas import Spec
from kspec.schemas.data import Data
from kspec.schemas.features import Category, Image, Input, Numbers
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.document import Document

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Rows of the data, ready for the model."""

    inputs: Mapping[str, Array]
    """[rows, ...] by the spec's names: raw values, as every artifact takes them."""
    targets: Mapping[str, Array]
    """[rows], [rows, 1] or [rows, size] by the spec's names: see `features.target_array`."""
    rows: Array
    """int64[rows]: where each stands in the data, from 0."""

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, positions: Array) -> Split:
        """The rows at these positions, in this order."""
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
    """Of each input, in their order, globs worked out."""
    digest: str
    """What `source_digest` gives."""


def source_digest(document: Document) -> str:
    """SHA-256, in hex, of the bytes of the data: a key for a build, made without parsing.

    Raises KspecError KS501, KS502, KS504, or KS550 for a spec without data.
    """
    return _located(document, lambda: digest_files(document.path.parent, _data(document).source))


def load_dataset(document: Document) -> Dataset:
    """Read, check, convert and split the data of a spec.

    Raises KspecError (KS5xx) with the problems of the step that found any.
    """
    return _located(document, lambda: _load(document))


def _load(document: Document) -> Dataset:
    spec, data = document.spec, _data(document)
    source = open_source(document.path.parent, data.source)
    columns = bind_columns(spec, source.names)
    table = source.read(_request(spec, data, columns))
    rows = split_rows(data.split, table)
    inputs, targets, problems = {}, {}, list[Diagnostic]()
    for name, item in spec.inputs.items():
        with _collected(problems):
            inputs[name] = input_array(name, item, columns.inputs[name], table)
    for name, output in spec.outputs.items():
        with _collected(problems):
            targets[name] = target_array(name, output, columns.outputs[name], table)
    if not problems:
        problems += _untrainable(spec, rows, inputs, targets, columns)
    if problems:
        raise KspecError(*problems)
    whole = Split(inputs, targets, np.arange(table.rows))
    parts = {name: whole.take(getattr(rows, name)) for name in NAMES}
    digest = digest_files(document.path.parent, data.source)
    return Dataset(**parts, columns=columns.inputs, digest=digest)


def _request(spec: Spec, data: Data, columns: Columns) -> Request:
    numbers = requested(spec.inputs, columns.inputs)
    texts = {name for name in (data.split.column, data.split.stratify) if name is not None}
    for name, output in spec.outputs.items():
        if isinstance(output.kind, Numbers):
            numbers |= {column: numbers.get(column) for column in columns.outputs[name]}
        else:
            texts.update(columns.outputs[name])
    return Request(numbers, frozenset(texts))


def requested(
    inputs: Mapping[str, Input], columns: Mapping[str, tuple[str, ...]]
) -> dict[str, Image | None]:
    """The columns of numbers that inputs ask for, as a Request has them."""
    found: dict[str, Image | None] = {}
    for name, item in inputs.items():
        # Only a picture that stands in a single column has to be decoded.
        alone = len(columns[name]) == 1
        picture = item.kind if alone and isinstance(item.kind, Image) else None
        found |= dict.fromkeys(columns[name], picture)
    return found


def _untrainable(
    spec: Spec,
    rows: Rows,
    inputs: Mapping[str, Array],
    targets: Mapping[str, Array],
    columns: Columns,
) -> Iterator[Diagnostic]:
    """What no training can make up for: a label never seen, a division by no deviation."""
    for name, output in spec.outputs.items():
        if isinstance(output.kind, Numbers):
            continue
        labels = output.kind.labels
        codes = targets[name][rows.train].astype(np.int64).reshape(-1)
        counts = np.bincount(codes, minlength=len(labels))
        if unseen := [labels[i] for i in np.flatnonzero(counts == 0)[:5]]:
            key = "category" if isinstance(output.kind, Category) else "binary"
            yield Diagnostic(
                "KS523",
                f"no training row has the label {', '.join(map(repr, unseen))}",
                ("outputs", name, key),
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
                f"{what} is constant in the training split: normalising divides by no deviation",
                ("inputs", name, "normalize"),
                help="drop the column, or leave out normalize",
            )


def _data(document: Document) -> Data:
    if document.spec.data is None:
        raise KspecError(Diagnostic("KS550", "the spec has no data", help="data: {source: ...}"))
    return document.spec.data


@contextmanager
def _collected(problems: list[Diagnostic]) -> Iterator[None]:
    """Keeps the problems of one step, so that the others are looked at too."""
    try:
        yield
    except KspecError as error:
        problems.extend(error.diagnostics)


def _located(document: Document, step: Callable[[], Result]) -> Result:
    try:
        return step()
    except KspecError as error:
        raise KspecError(*error.diagnostics, document=document) from error
