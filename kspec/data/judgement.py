"""Checks of rows against the inputs and outputs of a spec, without NumPy: of the first rows in
`check`, of all rows in a build.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from kspec.data.columns import Columns
from kspec.data.faults import Readable, label_problems, number_problems
from kspec.data.table import spell
from kspec.features.kinds import Shape, input_kind, labels_of, output_kind
from kspec.schemas import Spec
from kspec.schemas.features import Input, Output
from kspec.spec.diagnostics import Diagnostic, Route


def judge_rows(spec: Spec, columns: Columns, rows: Readable) -> tuple[Diagnostic, ...]:
    """Return all problems of the inputs and outputs whose columns are all in the data."""
    found = list(rows.problems)
    for name, item in spec.inputs.items():
        if ("inputs", name) not in columns.incomplete and name not in rows.decoded:
            found += input_problems(name, item, columns.inputs[name], rows)
    for name, output in spec.outputs.items():
        if ("outputs", name) not in columns.incomplete:
            found += output_problems(name, output, columns.outputs[name], rows)
    return tuple(found)


def input_problems(
    name: str, item: Input, columns: Sequence[str], rows: Readable
) -> tuple[Diagnostic, ...]:
    """Return the problems of an input's columns (KS511, KS520, KS521)."""
    kind = input_kind(item.kind)
    return tensor_problems(name, kind.shape(item.kind), kind.dtype(item.kind), columns, rows)


def tensor_problems(
    name: str, shape: Shape, dtype: str, columns: Sequence[str], rows: Readable
) -> tuple[Diagnostic, ...]:
    """Return the problems of an input of this name, shape (without the batch) and dtype."""
    owner, route = f"input {name!r}", ("inputs", name, "columns")
    misfit = _misfit(owner, shape, columns, rows, route)
    return (*misfit, *number_problems(owner, columns, dtype, rows, route))


def output_problems(
    name: str, item: Output, columns: Sequence[str], rows: Readable
) -> tuple[Diagnostic, ...]:
    """Return the problems of an output's columns (KS511, KS520 to KS522)."""
    owner = f"output {name!r}"
    route = ("outputs", name, "column" if item.column is not None else "columns")
    labels = labels_of(item)
    if not labels:
        misfit = _misfit(owner, output_kind(item.kind).shape(item.kind), columns, rows, route)
        return (*misfit, *number_problems(owner, columns, "float32", rows, route))
    if len(columns) != 1:
        message = f"the labels of the {owner} come from one column, not from {len(columns)}"
        return (Diagnostic("KS511", message, route),)
    index = LabelIndex(labels)
    odd = {
        text: at for text, at in rows.occurrences(columns[0]).items() if index.find(text) is None
    }
    return tuple(label_problems(owner, columns[0], odd, labels, rows, route))


class LabelIndex:
    """The index of each label, by any spelling of it."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._exact = {label: i for i, label in enumerate(labels)}
        self._canonical = {canonical(label): i for i, label in reversed(list(enumerate(labels)))}

    def find(self, text: str) -> int | None:
        """Return the index of the label that `text` spells; None if it spells no label."""
        exact = self._exact.get(text.strip())
        return self._canonical.get(canonical(text)) if exact is None else exact


def canonical(label: str) -> str:
    """Return one spelling for each label: "3", "3.0" and "03" become equal, "True" is "true"."""
    try:
        return spell(float(label)) if math.isfinite(float(label)) else label
    except ValueError:
        return label.lower() if label.lower() in ("true", "false") else label


def row_shape(found: Sequence[int], shape: Shape) -> tuple[int, ...] | None:
    """Return the sizes to which rows of shape `found` are reshaped to fit `shape`: shapes may be
    equal, differ in sizes of 1, or `found` may be flat. None if they do not fit."""
    if len(found) == len(shape) and all(
        isinstance(size, str) or size == n for size, n in zip(shape, found, strict=True)
    ):
        return tuple(found)
    if any(isinstance(size, str) for size in shape):
        return None
    sizes = tuple(map(int, shape))
    is_flat = len(found) <= 1 and math.prod(found) == math.prod(sizes)
    if is_flat or [n for n in found if n != 1] == [n for n in sizes if n != 1]:
        return sizes
    return None


def _misfit(
    owner: str, shape: Shape, columns: Sequence[str], rows: Readable, route: Route
) -> Iterator[Diagnostic]:
    wanted = _spell(shape)
    if len(columns) == 1:
        found = rows.shape(columns[0])
        if row_shape(found, shape) is None:
            message = f"the {owner} takes {wanted} a row, the column {columns[0]!r} holds"
            yield Diagnostic("KS511", f"{message} {_spell(found)}", route, help=_way_out(found))
    elif several := [column for column in columns if rows.shape(column)]:
        message = f"the {owner} joins {len(columns)} columns, and {several[0]!r} holds"
        help_ = "only columns of single numbers can be joined"
        found = rows.shape(several[0])
        yield Diagnostic("KS511", f"{message} {_spell(found)} a row", route, help=help_)
    elif any(isinstance(size, str) for size in shape) or math.prod(map(int, shape)) != len(columns):
        message = f"the {owner} takes {wanted} a row, its {len(columns)} columns hold"
        shown = ", ".join(columns[:_SHOWN]) + (", …" if len(columns) > _SHOWN else "")
        help_ = f"the columns are {shown}"
        yield Diagnostic("KS511", f"{message} {len(columns)} numbers", route, help=help_)


_SHOWN = 8


def _way_out(found: Sequence[int]) -> str | None:
    if found:
        return None
    return "list as many columns, or store an array a row, in Parquet or an .npz file"


def _spell(shape: Sequence[int | str]) -> str:
    if not shape or tuple(shape) == (1,):
        return "a single number"
    return f"{shape[0]} numbers" if len(shape) == 1 else " × ".join(map(str, shape)) + " numbers"
