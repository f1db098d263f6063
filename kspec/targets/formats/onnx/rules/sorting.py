"""Sorting operations, and the gather that uses their indices."""

from __future__ import annotations

from kspec.compiler import ops
from kspec.compiler.ir import DType, Node
from kspec.compiler.table import Table
from kspec.targets.formats.onnx.emission import Emission, Rule
from kspec.targets.formats.onnx.rules.shape import ints

rules: Table[Rule] = Table("onnx")


@rules(ops.TopK)
def top_k(op: ops.TopK, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    values, _ = emit.pair("TopK", x, ints([op.k]), axis=-1)
    emit.result("Identity", values)


@rules(ops.ArgTopK)
def arg_top_k(op: ops.ArgTopK, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    _, places = emit.pair("TopK", x, ints([op.k]), axis=-1)
    emit.result("Cast", places, to=DType.int32)


@rules(ops.TakeAlongAxis)
def take_along_axis(op: ops.TakeAlongAxis, node: Node, emit: Emission) -> None:
    x, indices = node.inputs
    emit.result("GatherElements", x, indices, axis=op.axis)
