"""What the runtime's kernels cannot do although there is a rule for the operation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kspec.compiler import ops
from kspec.compiler.ir import DType, Graph, Node
from kspec.compiler.passes.bodies import opened
from kspec.targets.formats.format import Refusal

_RANK = 6
_ANY_RANK = (ops.Identity, ops.Reshape, ops.Transpose)
_FLOATS = (
    ops.Windowed,
    ops.Linear,
    ops.MatMul,
    ops.Einsum,
    ops.Resize,
    ops.Softmax,
    ops.LogSoftmax,
    ops.BatchNorm,
)


def beyond_limits(graph: Graph) -> Iterator[Refusal]:
    """The nodes that the runtime would refuse, those in loops under the names of their loops."""
    for node in graph.nodes:
        if isinstance(node.op, ops.Scan):
            inner = beyond_limits(opened(node, graph))
            yield from (replace(each, node=node.name) for each in inner)
        reason = _reason(node, graph)
        if reason is not None:
            yield Refusal(node.name, type(node.op).__name__, reason)


def _reason(node: Node, graph: Graph) -> str | None:
    first = node.inputs[0]
    if isinstance(node.op, _FLOATS) and first.dtype is not DType.float32:
        return f"TFLite computes it in float32 only, not in {first.dtype}"
    if isinstance(node.op, ops.Windowed) and node.op.channels == "first":
        return "TFLite has channels last only"
    if (
        isinstance(node.op, ops.ConvTranspose)
        and max(node.op.dilations) > 1
        and graph.constant(node.inputs[1]) is None
    ):
        return "TFLite cannot dilate a kernel that is computed"
    rank = max(value.type.rank for value in (*node.inputs, *node.outputs))
    if rank > _RANK and not isinstance(node.op, _ANY_RANK):
        return f"TFLite's kernels take up to {_RANK} dimensions, not {rank}"
    return None
