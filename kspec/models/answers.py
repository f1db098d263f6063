"""A Keras model without a spec: its graph, and its outputs for rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import tree

from kspec.compiler.failures import NOT_TRACED, OTHERWISE, TraceError, failing_layer, said
from kspec.compiler.ir import Array, Graph, Shape, Value
from kspec.compiler.precision import in_float32
from kspec.compiler.recorded import (
    call_subclassed,
    flat_names,
    input_names,
    output_names,
    public_names,
    result_names,
)
from kspec.compiler.recording import LOCK, unfiltered
from kspec.compiler.reference import EvaluationError, evaluate
from kspec.compiler.trace import trace
from kspec.spec.diagnostics import Diagnostic, KspecError

ALONE = "compute every row from that row alone: artifacts accept any number of rows"


def refusal(error: TraceError) -> Diagnostic:
    """Return the diagnostic for a model that cannot be traced."""
    what = f"layer {error.layer!r}" if error.layer else "the model"
    message = f"{what} cannot be compiled: {error.message}"
    return Diagnostic(error.code, message, error.route, help=error.help or OTHERWISE)


def traced(model: Any, name: str | None = None, rows: Mapping[str, Any] | None = None) -> Graph:
    """Return the graph of a model. ``rows`` provide the input shapes of a subclassed model with
    several inputs, which Keras does not record. Raises KspecError KS711, KS740, KS742 and KS743."""
    shapes: dict[str, Shape] = {}
    if rows and isinstance(model, keras.Model) and not getattr(model, "inputs", None):
        shapes = {name: ("batch", *np.shape(each)[1:]) for name, each in rows.items()}
    try:
        return trace(model, name=name, shapes=shapes)
    except TraceError as error:
        raise KspecError(refusal(error)) from error


def fixed_batch(model: Any) -> int | None:
    """Return the fixed batch size of the model; None if it takes any number of rows."""
    inputs = getattr(model, "inputs", None) or ()
    sizes = {tensor.shape[0] for tensor in inputs if tensor.shape}
    return next(iter(sizes)) if len(sizes) == 1 else None


def fitted(graph: Graph, rows: Mapping[str, Any]) -> dict[str, Array]:
    """Return rows as arrays of the inputs' element types, in the order of the graph's inputs.
    Raises KspecError KS739 with every input whose rows do not fit."""
    problems = [
        f"unknown input {name!r}"
        for name in rows
        if name not in {value.name for value in graph.inputs}
    ]
    found: dict[str, Array] = {}
    counts: dict[str, int] = {}
    for value in graph.inputs:
        given = None if rows.get(value.name) is None else np.asarray(rows[value.name])
        problem = _misfit(value, given, counts)
        if problem or given is None:
            problems.append(f"input {value.name!r} {problem}")
        else:
            found[value.name] = given.astype(value.dtype.numpy)
    if len({each.shape[0] for each in found.values() if each.ndim}) > 1:
        counted = ", ".join(f"{name!r} {each.shape[0]}" for name, each in found.items())
        problems.append(f"the inputs have different numbers of rows: {counted}")
    if problems:
        wanted = ", ".join(map(str, graph.inputs))
        raise KspecError(
            *(Diagnostic("KS739", each, help=f"the inputs are {wanted}") for each in problems)
        )
    return found


def _misfit(value: Value, given: Array | None, sizes: dict[str, int]) -> str:
    """Return why an array does not fit an input, or an empty text. ``sizes`` collects the sizes of
    symbolic dimensions."""
    if given is None:
        return "has no rows"
    if given.dtype.kind not in "fiub" and given.dtype.name != "bfloat16":
        return f"has rows of {given.dtype}, not of numbers"
    if given.ndim != value.type.rank:
        return f"has rows of shape {given.shape}"
    for axis, (dim, size) in enumerate(zip(value.shape, given.shape, strict=True)):
        if size == 0:
            return f"has empty rows, of shape {given.shape}"
        if axis and size != (sizes.setdefault(dim, size) if isinstance(dim, str) else dim):
            return f"has rows of shape {given.shape}"
    kind = value.dtype.numpy.kind
    if given.dtype.kind == "f" and kind != "f" and (given != np.trunc(given)).any():
        return f"is {value.dtype}, and its rows have fractions"
    return ""


def answers(model: Any, graph: Graph, rows: Mapping[str, Array]) -> dict[str, Array]:
    """Return the model's outputs for ``fitted`` rows, by the names of the graph's outputs. A model
    with a fixed batch size is called once per batch; the last batch is padded. Raises KspecError
    KS741 if the model itself fails."""
    count = len(next(iter(rows.values())))
    batch = fixed_batch(model) or count
    with LOCK, unfiltered(), in_float32(model):
        results = [
            _called(model, {name: _batch(array, at, batch) for name, array in rows.items()})
            for at in range(0, count, batch)
        ]
    names = public_names((value.name for value in graph.inputs), results[0].names)
    parts = zip(*(result.arrays for result in results), strict=True)
    found = {
        name: _joined(list(each), count, batch) for name, each in zip(names, parts, strict=True)
    }
    return {value.name: found[value.name] for value in graph.outputs}


@dataclass(frozen=True, slots=True)
class _Outputs:
    """Outputs of a model in the order in which Keras flattens them. Outputs of one layer have the
    same name."""

    names: list[str]
    arrays: list[Array]


def _batch(array: Array, start: int, size: int) -> Array:
    part = array[start : start + size]
    return np.concatenate([part, *[part[-1:]] * (size - len(part))])


def _joined(parts: list[Array], count: int, batch: int) -> Array:
    """Join the outputs of all batches, without the padding rows of the last batch."""
    if any(part.ndim == 0 or len(part) != batch for part in parts):
        return parts[0] if len(parts) == 1 else np.stack(parts)
    return np.concatenate(parts)[:count]


def check_outputs(graph: Graph) -> None:
    """Raise KspecError KS746 for each output without a row, or without elements, per input row."""
    batch = {value.shape[:1] for value in graph.inputs}
    problems = []
    for value in graph.outputs:
        shape = f"output {value.name!r} has the shape [{', '.join(map(str, value.shape))}]"
        if len(batch) == 1 and value.shape[:1] not in batch:
            message = f"{shape}, whose first axis is not the batch"
            help_ = "return one row per row of the inputs, with the batch as the first axis"
            problems.append(Diagnostic("KS746", message, help=help_))
        elif 0 in value.shape:
            message = f"{shape}, without elements"
            problems.append(Diagnostic("KS746", message, help="drop this output of the model"))
    if problems:
        raise KspecError(*problems)


def check_rows_apart(model: Any, graph: Graph, rows: Mapping[str, Array]) -> None:
    """Raise KspecError KS744 if a row's outputs depend on the other rows of a fixed batch. The
    graph takes any number of rows, so each row must be independent."""
    batch = fixed_batch(model)
    if batch is not None and not _apart(graph, rows, answers(model, graph, rows)):
        raise KspecError(
            Diagnostic(
                "KS744",
                f"the model is built for {batch} rows, whose outputs depend on each other",
                help=ALONE,
            )
        )


def _apart(graph: Graph, rows: Mapping[str, Array], found: Mapping[str, Array]) -> bool:
    """Return whether the graph's outputs for all rows equal the model's outputs batch by batch."""
    try:
        together = evaluate(graph, rows, precision=np.float64)
    except EvaluationError:
        return False
    return all(
        together[name].shape == each.shape
        and np.allclose(together[name], each, rtol=1e-2, atol=1e-3, equal_nan=True)
        for name, each in found.items()
    )


def _called(model: Any, rows: Mapping[str, Array]) -> _Outputs:
    """Return the model's outputs. Raises KspecError KS741 if the model fails."""
    try:
        if isinstance(model, keras.Function | keras.Sequential):
            result = model(_structured(model, rows), training=False)
            names = output_names(model)
        else:
            result = call_subclassed(model, rows)
            names = result_names(result)
        flat = [np.asarray(keras.ops.convert_to_numpy(each)) for each in tree.flatten(result)]
    except NOT_TRACED as error:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in rows.items())
        layer = failing_layer(error)
        where = f" in layer {layer!r}" if layer else ""
        raise KspecError(
            Diagnostic(
                "KS741",
                f"Keras fails when it calls the model with {shapes}{where}: {said(error)}",
                help="give rows that the model accepts: `rows={...}`, or `kspec emit --rows FILE`",
            )
        ) from error
    return _Outputs(names, flat)


def _structured(model: Any, rows: Mapping[str, Array]) -> Any:
    """Pack rows into the input structure of the model."""
    struct = getattr(model, "_inputs_struct", None)
    if struct is None:
        (only,) = rows.values()
        return only
    names = flat_names(struct) if isinstance(struct, dict) else input_names(model, model)
    return tree.pack_sequence_as(struct, [rows[name] for name in names])
