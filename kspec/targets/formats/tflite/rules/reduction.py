"""Reductions and cumulative operators."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import DType, Node
from kspec.compiler.table import Table
from kspec.targets.formats.tflite.builtins import (
    ArgMaxOptions,
    ArgMinOptions,
    CumsumOptions,
    ReducerOptions,
)
from kspec.targets.formats.tflite.program import TENSOR_TYPES, Emitter, Rule
from kspec.targets.formats.tflite.rules.shape import reshape

rules: Table[Rule] = Table("tflite")

REDUCTIONS: Mapping[type[ops.Op], str] = {
    ops.Sum: "SUM",
    ops.Mean: "MEAN",
    ops.Max: "REDUCE_MAX",
    ops.Min: "REDUCE_MIN",
    ops.Prod: "REDUCE_PROD",
    ops.All: "REDUCE_ALL",
    ops.Any: "REDUCE_ANY",
}


@rules(*REDUCTIONS)
def _reduce(op: ops.Reduction, node: Node, out: Emitter) -> None:
    (x,) = node.inputs
    if not op.axes:
        reshape(out, x, node.output.shape, node.output)
        return
    options = ReducerOptions(op.keepdims)
    axes = out.integers(*op.axes)
    out.emit(REDUCTIONS[type(op)], x, axes, options=options, into=node.output)


@rules(ops.ArgMax, ops.ArgMin)
def _arg_reduce(op: ops.ArgMax | ops.ArgMin, node: Node, out: Emitter) -> None:
    (x,) = node.inputs
    axis = out.constant(np.array(op.axis % x.type.rank, np.int32))
    code, options = (
        ("ARG_MAX", ArgMaxOptions(TENSOR_TYPES[DType.int32]))
        if isinstance(op, ops.ArgMax)
        else ("ARG_MIN", ArgMinOptions(TENSOR_TYPES[DType.int32]))
    )
    if not op.keepdims:
        out.emit(code, x, axis, options=options, into=node.output)
        return
    shape = (*x.shape[: op.axis % x.type.rank], *x.shape[op.axis % x.type.rank + 1 :])
    index = out.emit(code, x, axis, options=options, type_=node.output.type.with_shape(*shape))
    reshape(out, index, node.output.shape, node.output)


@rules(ops.CumSum)
def _cumsum(op: ops.CumSum, node: Node, out: Emitter) -> None:
    (x,) = node.inputs
    axis = out.constant(np.array(op.axis % x.type.rank, np.int32))
    out.emit("CUMSUM", x, axis, options=CumsumOptions(), into=node.output)
