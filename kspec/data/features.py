"""Conversion of columns to arrays of inputs and of targets.

Values are not scaled here: rescaling and normalisation are layers of the network, so that every
artifact takes the raw values of these arrays.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kspec.data.judgement import LabelIndex, row_shape, tensor_problems
from kspec.data.table import Array, Table, Text
from kspec.features.kinds import Shape, input_kind, labels_of, output_kind
from kspec.schemas.features import Input, Output
from kspec.spec.diagnostics import KspecError


def tensor_array(
    name: str, shape: Shape, dtype: str, columns: Sequence[str], table: Table
) -> Array:
    """Return float32 or int32 [rows, *shape], an input of artifacts; the shape omits the batch.

    Raises KspecError KS511 if the columns do not fit the shape, KS520 for text or a number that
    the dtype cannot represent, KS521 for missing values.
    """
    if problems := tensor_problems(name, shape, dtype, columns, table):
        raise KspecError(*problems)
    return _gather(columns, table, shape, dtype)


def make_input(name: str, item: Input, columns: Sequence[str], table: Table) -> Array:
    """Return `tensor_array` of an input's columns, which were judged before."""
    if name in table.decoded:
        return table.decoded[name]
    kind = input_kind(item.kind)
    return _gather(columns, table, kind.shape(item.kind), kind.dtype(item.kind))


def make_target(item: Output, columns: Sequence[str], table: Table) -> Array:
    """Return the target of an output. The columns were judged before.

    int32[rows] (index of the label) for a category, float32[rows, 1] of 0 and 1 for a binary
    output, float32[rows, *shape] for numbers.
    """
    kind = output_kind(item.kind)
    if kind.target is None:
        return _gather(columns, table, kind.shape(item.kind), "float32")
    return kind.target(_label_codes(table.texts[columns[0]], labels_of(item)))


def _label_codes(text: Text, labels: Sequence[str]) -> Array:
    index = LabelIndex(labels)
    found = (index.find(value) for value in text.values)
    return np.array([-1 if each is None else each for each in found])[text.codes]


def _gather(columns: Sequence[str], table: Table, shape: Shape, dtype: str) -> Array:
    if len(columns) == 1:
        array = table.numbers[columns[0]]
        sizes = row_shape(array.shape[1:], shape)
        assert sizes is not None
        return array.reshape(len(array), *sizes).astype(dtype)
    array = np.empty((table.rows, len(columns)), dtype)
    for index, column in enumerate(columns):
        array[:, index] = table.numbers[column]
    return array.reshape(table.rows, *map(int, shape))
