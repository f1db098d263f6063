"""Forms of operations that the runtime's kernels lack although the operation has a rule."""

from __future__ import annotations

from kspec.compiler import ops
from kspec.compiler.ir import DType, Graph, Node, Op
from kspec.compiler.table import Table
from kspec.targets.formats.format import Limit

LIMITS: Table[Limit] = Table("tflite limits")

_RANK = 6
_ANY_RANK = (ops.Identity, ops.Reshape, ops.Transpose)


@LIMITS(Op)
def ranks(node: Node, _graph: Graph) -> str | None:
    rank = max((value.type.rank for value in (*node.inputs, *node.outputs)), default=0)
    if rank > _RANK and not isinstance(node.op, _ANY_RANK):
        return f"TFLite's kernels take up to {_RANK} dimensions, not {rank}"
    return None


@LIMITS(
    ops.Linear,
    ops.MatMul,
    ops.Resize,
    ops.Softmax,
    ops.LogSoftmax,
    ops.BatchNorm,
)
def floats_only(node: Node, _graph: Graph) -> str | None:
    dtype = node.inputs[0].dtype
    if dtype is DType.float32:
        return None
    return f"TFLite computes it in float32 only, not in {dtype}"


@LIMITS(ops.Windowed)
def windows(node: Node, graph: Graph) -> str | None:
    assert isinstance(node.op, ops.Windowed)
    if node.op.channels == "first":
        return "TFLite has channels last only"
    return floats_only(node, graph)


@LIMITS(ops.ConvTranspose)
def transposed(node: Node, graph: Graph) -> str | None:
    assert isinstance(node.op, ops.ConvTranspose)
    if max(node.op.dilations) > 1 and graph.constant(node.inputs[1]) is None:
        return "TFLite cannot dilate a computed kernel"
    return None
