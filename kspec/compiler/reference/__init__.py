"""The reference semantics of the IR in NumPy, for tests and constant folding.

Each operation is a function of (op, *arrays), in a table per family. float32 values are computed in
float32, or in float64 for a reference more exact than the artifacts compared with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array, DType, Graph, Node, Op, Value
from kspec.compiler.reference import (
    elementwise,
    neural,
    recurrent,
    reduction,
    shape,
    sorting,
    window,
)
from kspec.compiler.reference.dimensions import Dimensions, EvaluationError
from kspec.compiler.table import Table

__all__ = ["RULES", "EvaluationError", "evaluate", "run_node"]

NONE: Mapping[type, Callable[..., Any]] = MappingProxyType({})
_loops: Table[Callable[..., Any]] = Table("reference")


@_loops(ops.Scan)
def scan(
    op: ops.Scan, *arrays: Array, more: Mapping[type, Callable[..., Any]] = NONE
) -> tuple[Array, ...]:
    states, rest = arrays[: op.states], arrays[op.states :]
    sequences, captured = rest[: op.scanned], rest[op.scanned :]
    names = [value.name for value in op.body.inputs]
    count = sequences[0].shape[1]
    kept: list[list[Array]] = [[]] * count
    for t in recurrent.steps(op.direction, count):
        given = (*states, *(each[:, t] for each in sequences), *captured)
        results = evaluate(op.body, dict(zip(names, given, strict=True)), more=more)
        found = [results[value.name] for value in op.body.outputs]
        states, kept[t] = tuple(found[: op.states]), found[op.states :]
    return (*states, *(np.stack(each, 1) for each in zip(*kept, strict=True)))


RULES: Table[Callable[..., Any]] = (
    elementwise.rules
    | neural.rules
    | window.rules
    | reduction.rules
    | shape.rules
    | sorting.rules
    | recurrent.rules
    | _loops
)
"""Op class → function(op, *arrays) → array, or a tuple of arrays for ops with several outputs."""


def evaluate(
    graph: Graph,
    inputs: Mapping[str, Array],
    *,
    keep: bool = False,
    precision: type[np.float32] | type[np.float64] = np.float32,
    more: Mapping[type, Callable[..., Any]] = NONE,
) -> dict[str, Array]:
    """Return the outputs by name; with ``keep`` also the inputs and the outputs of every node.

    ``more`` contains the functions of a format's own ops, which its passes create. With
    ``precision`` float64, all float32 values are widened at the start. Raises EvaluationError if an
    array does not have the declared type or a symbolic dimension has two sizes.
    """
    held = _widen(graph) if precision is np.float64 else graph
    if missing := {value.name for value in held.inputs} ^ inputs.keys():
        raise EvaluationError(f"inputs missing or not known: {', '.join(sorted(missing))}")
    dimensions = Dimensions()
    values: dict[str, Array] = dict(held.constants)
    for value, given in zip(held.inputs, graph.inputs, strict=True):
        array = np.asarray(inputs[value.name])
        dimensions.learn(given, array)
        values[value.name] = array.astype(value.dtype.numpy, copy=False)
    wanted = {value.name for value in (held.values() if keep else held.outputs)}
    last_reader = {name: readers[-1] for name, readers in held.consumers().items()}
    with np.errstate(all="ignore"):  # infinities and NaNs propagate, as in every runtime
        for node in held.nodes:
            run_node(node, values, dimensions, more)
            for name in {value.name for value in node.inputs} - wanted:
                if last_reader[name] is node:
                    del values[name]
    return {name: values[name] for name in values if name in wanted}


def run_node(
    node: Node,
    values: dict[str, Array],
    dimensions: Dimensions,
    more: Mapping[type, Callable[..., Any]] = NONE,
) -> None:
    """Evaluate a node and add its outputs to ``values``. Raises EvaluationError as `evaluate`."""
    rule = more.get(type(node.op)) or RULES.get(type(node.op))
    if rule is None:
        raise EvaluationError(f"the reference has no rule for {type(node.op).__name__}")
    if isinstance(node.op, ops.Scan):
        rule = partial(rule, more=more)
    op = _bind(node.op, dimensions)
    result = rule(op, *(values[value.name] for value in node.inputs))
    results = result if isinstance(result, tuple) else (result,)
    for value, each in zip(node.outputs, results, strict=True):
        array = np.asarray(each)
        dimensions.learn(value, array)
        values[value.name] = array


def _bind(op: Op, dimensions: Dimensions) -> Op:
    if isinstance(op, ops.Reshape | ops.BroadcastTo):
        return replace(op, shape=dimensions.sizes(op.shape))
    return op


def _widen(graph: Graph) -> Graph:
    """Return the graph with float64 in place of float32."""

    def value(each: Value) -> Value:
        return replace(each, type=each.type.with_dtype(_wider(each.dtype)))

    def node(each: Node) -> Node:
        op = each.op
        if isinstance(op, ops.Cast):
            op = replace(op, dtype=_wider(op.dtype))
        elif isinstance(op, ops.Scan):
            op = replace(op, body=_widen(op.body))
        return replace(
            each,
            op=op,
            inputs=tuple(map(value, each.inputs)),
            outputs=tuple(map(value, each.outputs)),
        )

    return Graph(
        graph.name,
        tuple(map(value, graph.inputs)),
        tuple(map(value, graph.outputs)),
        tuple(map(node, graph.nodes)),
        {
            name: array.astype(np.float64) if array.dtype == np.float32 else array
            for name, array in graph.constants.items()
        },
    )


def _wider(dtype: DType) -> DType:
    return DType.float64 if dtype is DType.float32 else dtype
