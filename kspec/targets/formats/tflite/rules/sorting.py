"""Sorting operators, and the gather that uses their indices."""

from __future__ import annotations

import math

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import DType, Node, Value
from kspec.compiler.table import Table
from kspec.targets.formats.tflite.builtins import GatherOptions
from kspec.targets.formats.tflite.program import Emitter, Operator, Rule
from kspec.targets.formats.tflite.rules.shape import reshape, sizes, transpose

rules: Table[Rule] = Table("tflite")


@rules(ops.TopK)
def _top_k(op: ops.TopK, node: Node, out: Emitter) -> None:
    places = out.value(node.output.type.with_dtype(DType.int32), "places")
    _ranked(op.k, node, out, (node.output, places))


@rules(ops.ArgTopK)
def _arg_top_k(op: ops.ArgTopK, node: Node, out: Emitter) -> None:
    values = out.value(node.output.type.with_dtype(node.inputs[0].dtype), "values")
    _ranked(op.k, node, out, (values, node.output))


def _ranked(k: int, node: Node, out: Emitter, outputs: tuple[Value, Value]) -> None:
    count = out.constant(np.array(k, np.int32))
    out.operators.append(Operator("TOPK_V2", (node.inputs[0], count), outputs))


@rules(ops.TakeAlongAxis)
def _take_along_axis(op: ops.TakeAlongAxis, node: Node, out: Emitter) -> None:
    """Gather in each row of the last axis; the axis is moved there."""
    x, indices = node.inputs
    rank = x.type.rank
    axis = op.axis % rank
    perm = [*(each for each in range(rank) if each != axis), axis]
    if perm != list(range(rank)):
        x, indices = (transpose(out, each, perm) for each in (x, indices))
    moved = sizes(indices.shape)
    rows = math.prod(moved[:-1])
    pair = [reshape(out, each, (rows, each.shape[-1])) for each in (x, indices)]
    options = GatherOptions(1, batch_dims=1)
    picked = out.emit("GATHER", *pair, options=options, type_=x.type.with_shape(rows, moved[-1]))
    if axis == rank - 1:
        reshape(out, picked, node.output.shape, node.output)
        return
    back = [perm.index(each) for each in range(rank)]
    transpose(out, reshape(out, picked, moved), back, node.output)
