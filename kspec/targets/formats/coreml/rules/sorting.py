"""Sorting operations, and the gather that uses their indices. Core ML does not specify the order of
equal elements."""

from __future__ import annotations

from kspec.compiler import ops
from kspec.compiler.ir import DType, Node
from kspec.compiler.table import Table
from kspec.targets.formats.coreml.emission import Emission, Rule, Var

RULES: Table[Rule] = Table("coreml")


@RULES(ops.TopK)
def top_k(op: ops.TopK, node: Node, emit: Emission) -> Var:
    return emit(
        "topk",
        node.name,
        x=emit[node.inputs[0]],
        k=op.k,
        axis=-1,
        ascending=False,
        sort=True,
        return_indices=False,
    )


@RULES(ops.ArgTopK)
def arg_top_k(op: ops.ArgTopK, node: Node, emit: Emission) -> Var:
    """Sort all indices and take the first k: MIL's `topk` returns values as well."""
    (x,), shape = node.inputs, node.output.shape
    if x.shape == shape:
        return emit("argsort", node.name, x=emit[x], axis=-1, ascending=False)
    order = emit("argsort", f"{node.name}/order", x=emit[x], axis=-1, ascending=False)
    rank = len(shape)
    return emit(
        "slice_by_index",
        node.name,
        x=order,
        begin=[0] * rank,
        end=[0] * (rank - 1) + [op.k],
        stride=[1] * rank,
        begin_mask=[False] * rank,
        end_mask=[True] * (rank - 1) + [False],
    )


@RULES(ops.TakeAlongAxis)
def take_along_axis(op: ops.TakeAlongAxis, node: Node, emit: Emission) -> Var:
    """Write a gather along an axis; booleans are cast, since MIL gathers numbers only."""
    value, indices = node.inputs
    x, places, axis = emit[value], emit[indices], op.axis
    if value.dtype is not DType.boolean:
        return emit("gather_along_axis", node.name, x=x, indices=places, axis=axis)
    numbers = emit.cast(x, DType.int32, f"{node.name}/numbers")
    name = f"{node.name}/picked"
    picked = emit("gather_along_axis", name, x=numbers, indices=places, axis=axis)
    return emit.cast(picked, DType.boolean, node.name)
