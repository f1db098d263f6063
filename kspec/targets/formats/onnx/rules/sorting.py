"""Sorting operations, and the gather that uses their indices."""

from __future__ import annotations

from kspec.compiler import ops
from kspec.compiler.ir import DType, Value
from kspec.compiler.table import Table
from kspec.targets.formats.onnx.emission import Emission, Rule
from kspec.targets.formats.onnx.rules.shape import ints

rules: Table[Rule] = Table("onnx")


@rules(ops.TopK)
def top_k(op: ops.TopK, emit: Emission, x: Value) -> None:
    values, _ = emit.pair("TopK", x, ints([op.k]), axis=-1)
    emit.result("Identity", values)


@rules(ops.ArgTopK)
def arg_top_k(op: ops.ArgTopK, emit: Emission, x: Value) -> None:
    _, places = emit.pair("TopK", x, ints([op.k]), axis=-1)
    emit.result("Cast", places, to=DType.int32)


@rules(ops.TakeAlongAxis)
def take_along_axis(op: ops.TakeAlongAxis, emit: Emission, x: Value, indices: Value) -> None:
    emit.result("GatherElements", x, indices, axis=op.axis)
