"""Reductions and cumulative operations."""

from __future__ import annotations

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import DType, Node, Value
from kspec.compiler.ops.reduction import ArgReduction
from kspec.compiler.table import Table
from kspec.targets.formats.onnx.emission import Emission, Rule

rules: Table[Rule] = Table("onnx")

REDUCTIONS: dict[type[ops.Op], str] = {
    ops.Sum: "ReduceSum",
    ops.Mean: "ReduceMean",
    ops.Max: "ReduceMax",
    ops.Min: "ReduceMin",
    ops.Prod: "ReduceProd",
}
GLOBAL_POOLS: dict[type[ops.Op], str] = {
    ops.Mean: "GlobalAveragePool",
    ops.Max: "GlobalMaxPool",
}
LOGICAL: dict[type[ops.Op], str] = {ops.All: "ReduceMin", ops.Any: "ReduceMax"}
EXTREMES: dict[type[ops.Op], str] = {ops.ArgMax: "ArgMax", ops.ArgMin: "ArgMin"}


@rules(*REDUCTIONS)
def reduce(op: ops.Reduction, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    if type(op) in GLOBAL_POOLS and _is_global(op, x):
        _global_pool(op, emit, x)
    else:
        axes = np.array(op.axes, np.int64)
        emit.result(REDUCTIONS[type(op)], x, axes, keepdims=int(op.keepdims))


@rules(*LOGICAL)
def reduce_booleans(op: ops.Reduction, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    numbers = emit("Cast", x, to=DType.int32)
    axes = np.array(op.axes, np.int64)
    extreme = emit(LOGICAL[type(op)], numbers, axes, keepdims=int(op.keepdims))
    emit.result("Cast", extreme, to=DType.boolean)


@rules(*EXTREMES)
def arg_reduce(op: ArgReduction, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    index = emit(EXTREMES[type(op)], x, axis=op.axis, keepdims=int(op.keepdims))
    emit.result("Cast", index, to=DType.int32)


@rules(ops.CumSum)
def cumsum(op: ops.CumSum, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    emit.result("CumSum", x, np.array(op.axis, np.int64))


def _is_global(op: ops.Reduction, x: Value) -> bool:
    # ONNX Runtime pools along three axes at most.
    return x.dtype.is_float and x.type.rank in (3, 4, 5) and op.axes == tuple(range(2, x.type.rank))


def _global_pool(op: ops.Reduction, emit: Emission, x: Value) -> None:
    """Write a global pooling: unlike ReduceMean, it keeps ONNX Runtime's blocked layout of
    channels."""
    if op.keepdims:
        emit.result(GLOBAL_POOLS[type(op)], x)
    else:
        emit.result("Squeeze", emit(GLOBAL_POOLS[type(op)], x), np.array(op.axes, np.int64))
