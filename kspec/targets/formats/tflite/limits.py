"""Forms of operations that the runtime's kernels lack although the operation has a rule."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kspec.compiler import ops
from kspec.compiler.ir import DType, Graph, Node, Op
from kspec.compiler.ops.base import Elementwise
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


_FLOATS = (ops.Linear, ops.MatMul, ops.Resize, ops.Softmax, ops.LogSoftmax, ops.BatchNorm)


@LIMITS(*_FLOATS)
def floats_only(node: Node, _graph: Graph) -> str | None:
    dtype = node.inputs[0].dtype
    if dtype is DType.float32:
        return None
    return f"TFLite computes it in float32 only, not in {dtype}"


Kinds = tuple[type[ops.Op], ...]
_BYTES = frozenset({DType.int8, DType.uint8})
_MOVED: Kinds = (ops.Cast, ops.Identity, ops.Where, ops.Maximum, ops.Minimum, ops.Clip)
"""Elementwise operations whose kernels do not read bytes as quantised numbers."""
_COMPUTING: Kinds = tuple(
    each
    for each in ops.OPS.values()
    if issubclass(each, Elementwise) and each not in (*_FLOATS, *_MOVED)
)
_SUMS: Kinds = (ops.Sum, ops.Mean, ops.Prod, ops.CumSum)
_NARROW: Kinds = (ops.Abs, ops.Sign, ops.FloorDivide)
_PLACES: Kinds = (ops.ArgMax, ops.ArgMin)
LACKING: Mapping[type[ops.Op], frozenset[DType]] = MappingProxyType(
    {
        **dict.fromkeys((*_COMPUTING, *_SUMS), _BYTES),
        **dict.fromkeys(_NARROW, _BYTES | {DType.int64}),
        **dict.fromkeys(_PLACES, frozenset({DType.int64})),
    }
)
"""The element types that a kernel of LiteRT 2.3 lacks; it reads bytes as quantised numbers."""


@LIMITS(*LACKING)
def element_types(node: Node, _graph: Graph) -> str | None:
    dtypes = {value.dtype for value in node.inputs} & LACKING[type(node.op)]
    if not dtypes:
        return None
    return f"TFLite's kernel lacks {min(dtypes)}; cast to int32 before it"


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
