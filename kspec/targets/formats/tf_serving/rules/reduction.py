"""Reductions and cumulative operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kspec.compiler import ops
from kspec.compiler.ops.reduction import ArgReduction
from kspec.compiler.table import Table
from kspec.targets.formats.tf_serving import lazy as tf

rules: Table[Callable[..., Any]] = Table("tf_serving")

REDUCTIONS: dict[type[ops.Op], str] = {
    ops.Sum: "reduce_sum",
    ops.Mean: "reduce_mean",
    ops.Max: "reduce_max",
    ops.Min: "reduce_min",
    ops.Prod: "reduce_prod",
    ops.All: "reduce_all",
    ops.Any: "reduce_any",
}
EXTREMES: dict[type[ops.Op], str] = {ops.ArgMax: "argmax", ops.ArgMin: "argmin"}


@rules(*REDUCTIONS)
def reduce(op: ops.Reduction, x: Any) -> Any:
    return getattr(tf, REDUCTIONS[type(op)])(x, op.axes, keepdims=op.keepdims)


@rules(*EXTREMES)
def arg_reduce(op: ArgReduction, x: Any) -> Any:
    index = getattr(tf, EXTREMES[type(op)])(x, op.axis, output_type="int32")
    return tf.expand_dims(index, op.axis) if op.keepdims else index


@rules(ops.CumSum)
def cumsum(op: ops.CumSum, x: Any) -> Any:
    return tf.cumsum(x, op.axis)
