"""Columns → the arrays that inputs take and outputs are compared with.

Nothing is scaled here: rescaling and normalisation are layers of the network, so that every
artifact takes the raw values of these arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from kspec.data.table import Array, Table, Text, spell
from kspec.features.kinds import Shape, input_kind, output_kind
from kspec.schemas.features import Binary, Category, Input, Numbers, Output
from kspec.spec.diagnostics import Diagnostic, KspecError, Route

_SHOWN = 5


def input_array(name: str, item: Input, columns: Sequence[str], table: Table) -> Array:
    """float32 (int32 for a tensor that says so) [rows, *shape], as the artifacts take it.

    Raises KspecError KS511 when the columns do not make the shape, KS520 for a number that the
    dtype cannot hold, KS521 for missing values.
    """
    kind = input_kind(item.kind)
    return tensor_array(name, kind.shape(item.kind), kind.dtype(item.kind), columns, table)


def tensor_array(
    name: str, shape: Shape, dtype: str, columns: Sequence[str], table: Table
) -> Array:
    """`input_array` of an input of this name, shape (without the batch) and dtype."""
    return _gather(columns, table, shape, dtype, ("inputs", name, "columns"))


def target_array(name: str, item: Output, columns: Sequence[str], table: Table) -> Array:
    """What the output is compared with, in the rank of the output but for a category's.

    int32[rows] (index of the label) for a category, float32[rows, 1] of 0 and 1 for a binary
    output, float32[rows, *shape] for numbers. Raises KspecError KS511, KS521 or KS522.
    """
    route = ("outputs", name, "column" if item.column is not None else "columns")
    if isinstance(item.kind, Numbers):
        return _gather(columns, table, output_kind(item.kind).shape(item.kind), "float32", route)
    if len(columns) != 1:
        raise KspecError(
            Diagnostic("KS511", f"labels stand in one column, not in {len(columns)}", route)
        )
    return _TARGETS[type(item.kind)](
        _label_codes(table.texts[columns[0]], item.kind.labels, columns[0], table, route)
    )


_TARGETS: Mapping[type, Callable[[Array], Array]] = MappingProxyType(
    {
        Category: lambda codes: codes.astype(np.int32),
        Binary: lambda codes: codes.astype(np.float32)[:, None],
    }
)


def _label_codes(
    text: Text, labels: Sequence[str], column: str, table: Table, route: Route
) -> Array:
    index = {canonical(label): i for i, label in reversed(list(enumerate(labels)))}
    index |= {label: i for i, label in enumerate(labels)}
    found = [index.get(value.strip(), index.get(canonical(value), -1)) for value in text.values]
    problems = [
        _unlabelled(text, i, labels, column, table, route)
        for i, label in enumerate(found)
        if label < 0
    ]
    if problems:
        raise KspecError(*problems[:_SHOWN])
    return np.array(found)[text.codes]


def canonical(label: str) -> str:
    """One spelling for a number: "3", "3.0" and "03" are the same label, "True" is "true"."""
    try:
        return spell(float(label)) if math.isfinite(float(label)) else label
    except ValueError:
        return label.lower() if label.lower() in ("true", "false") else label


def _unlabelled(
    text: Text, index: int, labels: Sequence[str], column: str, table: Table, route: Route
) -> Diagnostic:
    rows = np.flatnonzero(text.codes == index)
    value, place = text.values[index], table.where(int(rows[0]))
    if not value:
        return Diagnostic(
            "KS521", f"{place}: no value in {column!r}{_more(len(rows))}", route, help=_COMPLETE
        )
    shown = ", ".join(labels[:10]) + (", ..." if len(labels) > 10 else "")
    return Diagnostic(
        "KS522",
        f"{place}: {value[:40]!r} in {column!r} is none of the labels{_more(len(rows))}",
        route,
        help=f"the labels are {shown}",
    )


_COMPLETE = "fill or drop these rows: a model learns nothing from what is not there"


def _more(count: int) -> str:
    return f", and in {count - 1} rows more" if count > 1 else ""


def _gather(columns: Sequence[str], table: Table, shape: Shape, dtype: str, route: Route) -> Array:
    problems = [
        problem
        for column in columns
        if (problem := _check(column, table, dtype, route)) is not None
    ]
    if problems:
        raise KspecError(*problems[:_SHOWN])
    if len(columns) == 1:
        return _fit(table.numbers[columns[0]], columns[0], shape, route).astype(dtype)
    if any(table.numbers[column].ndim > 1 for column in columns):
        raise _misfit("several columns can be joined only where each holds single numbers", route)
    if any(isinstance(size, str) for size in shape) or math.prod(map(int, shape)) != len(columns):
        raise _misfit(f"{len(columns)} columns cannot fill {_spell(shape)}", route)
    array = np.empty((table.rows, len(columns)), dtype)
    for index, column in enumerate(columns):
        array[:, index] = table.numbers[column]
    return array.reshape(table.rows, *map(int, shape))


def _fit(array: Array, column: str, shape: Shape, route: Route) -> Array:
    """`array` with rows of `shape`: as it is, flat, or differing in sizes of 1."""
    found = array.shape[1:]
    if len(found) == len(shape) and all(
        isinstance(size, str) or size == n for size, n in zip(shape, found, strict=True)
    ):
        return array
    if not any(isinstance(size, str) for size in shape):
        sizes = tuple(map(int, shape))
        flat = len(found) <= 1 and math.prod(found) == math.prod(sizes)
        if flat or [n for n in found if n != 1] == [n for n in sizes if n != 1]:
            return array.reshape(len(array), *sizes)
    raise _misfit(f"{column!r} has rows of {_spell(found)}, the spec says {_spell(shape)}", route)


def _check(column: str, table: Table, dtype: str, route: Route) -> Diagnostic | None:
    array = table.numbers[column].reshape(table.rows, -1)
    if array.dtype.kind == "f":
        missing = ~np.isfinite(array).all(axis=1)
        if missing.any():
            place, count = table.where(int(missing.argmax())), int(missing.sum())
            return Diagnostic(
                "KS521",
                f"{place}: no finite number in {column!r}{_more(count)}",
                route,
                help=_COMPLETE,
            )
    # Below NumPy's minimum of a float64 the comparison is exact for every integer type.
    limit = np.finfo(np.float32).max if dtype == "float32" else np.iinfo(np.int32).max
    odd = (np.abs(array.astype(np.float64)) > limit).any(axis=1)
    if dtype == "int32" and array.dtype.kind == "f":
        odd |= (array != np.rint(array)).any(axis=1)
    if odd.any():
        place = table.where(int(odd.argmax()))
        return Diagnostic("KS520", f"{place}: {column!r} holds no {dtype}", route)
    return None


def _misfit(message: str, route: Route) -> KspecError:
    return KspecError(Diagnostic("KS511", message, route))


def _spell(shape: Sequence[int | str]) -> str:
    return " × ".join(map(str, shape)) or "single numbers"
