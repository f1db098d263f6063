"""Reductions and cumulative operations."""

from __future__ import annotations

from kspec.compiler import ops
from kspec.compiler.ir import DType, Node
from kspec.compiler.table import Table
from kspec.targets.formats.coreml.emission import Emission, Rule, Var

RULES: Table[Rule] = Table("coreml")

_REDUCTIONS: dict[type[ops.Op], str] = {
    ops.Sum: "reduce_sum",
    ops.Mean: "reduce_mean",
    ops.Max: "reduce_max",
    ops.Min: "reduce_min",
    ops.Prod: "reduce_prod",
    ops.All: "reduce_min",
    ops.Any: "reduce_max",
}


@RULES(*_REDUCTIONS)
def reduction(op: ops.Reduction, node: Node, emit: Emission) -> Var:
    """Write a reduction; booleans are reduced as 0 and 1."""
    (x,), kind = node.inputs, _REDUCTIONS[type(op)]
    if not op.axes:
        return emit("identity", node.name, x=emit[x])
    axes, keep = list(op.axes), op.keepdims
    if x.dtype is not DType.boolean:
        return emit(kind, node.name, x=emit[x], axes=axes, keep_dims=keep)
    numbers = emit.cast(emit[x], DType.int32, f"{node.name}/numbers")
    reduced = emit(kind, f"{node.name}/reduced", x=numbers, axes=axes, keep_dims=keep)
    return emit.cast(reduced, DType.boolean, node.name)


@RULES(ops.ArgMax, ops.ArgMin)
def arg_reduction(op: ops.ArgMax | ops.ArgMin, node: Node, emit: Emission) -> Var:
    kind = "reduce_argmax" if isinstance(op, ops.ArgMax) else "reduce_argmin"
    x = emit[node.inputs[0]]
    return emit(kind, node.name, x=x, axis=op.axis, keep_dims=op.keepdims)


@RULES(ops.CumSum)
def cumulative_sum(op: ops.CumSum, node: Node, emit: Emission) -> Var:
    axis = op.axis % node.output.type.rank
    x = emit[node.inputs[0]]
    return emit("cumsum", node.name, x=x, axis=axis, exclusive=False, reverse=False)
