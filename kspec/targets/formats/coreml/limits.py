"""What Core ML cannot express although its operation has a rule: reasons, node by node."""

from __future__ import annotations

from collections.abc import Callable

from kspec.compiler import ops
from kspec.compiler.ir import DType, Graph, Node
from kspec.compiler.table import Table

Limit = Callable[[Node, Graph], str | None]

LIMITS: Table[Limit] = Table("coreml limits")

_TYPES = (DType.float32, DType.float16, DType.int32, DType.boolean)
_GREATEST_RANK = 5

_FLOATS_ONLY = (
    *(ops.Floor, ops.Ceil, ops.Round, ops.Exp, ops.Expm1, ops.Log, ops.Log1p, ops.Sqrt, ops.Rsqrt),
    *(ops.Reciprocal, ops.Sin, ops.Cos, ops.Tan, ops.Asin, ops.Acos, ops.Atan, ops.Sinh, ops.Cosh),
    *(ops.Tanh, ops.Erf, ops.Sigmoid, ops.Silu, ops.Softplus, ops.Softsign, ops.HardSwish),
    *(ops.Mish, ops.Selu, ops.Elu, ops.LeakyRelu, ops.HardSigmoid, ops.Gelu, ops.Divide),
    *(ops.Softmax, ops.LogSoftmax, ops.LayerNorm, ops.BatchNorm, ops.Mean, ops.Resize),
    *(ops.MaxPool, ops.AveragePool),
)


def limit_of(node: Node, graph: Graph) -> str | None:
    """Why Core ML cannot express the node, None when it can."""
    for value in (*node.inputs, *node.outputs):
        if value.dtype not in _TYPES:
            return f"Core ML computes with float32, float16, int32 and bool, not with {value.dtype}"
        if value.type.rank > _GREATEST_RANK:
            return f"Core ML's tensors have {_GREATEST_RANK} axes at most, {value.name} has more"
    check = LIMITS.get(type(node.op))
    return check(node, graph) if check else None


@LIMITS(*_FLOATS_ONLY)
def floats_only(node: Node, graph: Graph) -> str | None:
    if node.inputs[0].dtype.is_float:
        return None
    return f"Core ML computes it of floats only, not of {node.inputs[0].dtype}"


@LIMITS(ops.Conv, ops.ConvTranspose)
def convolution(node: Node, graph: Graph) -> str | None:
    assert isinstance(node.op, ops.Windowed)
    if node.op.channels == "last":
        return "Core ML's convolutions have their channels first"
    constants = node.inputs[2:] if isinstance(node.op, ops.Conv) else node.inputs[1:]
    if any(graph.constant(value) is None for value in constants):
        return "Core ML takes a constant only as its kernel and bias"
    return None


@LIMITS(ops.Pad)
def padding(node: Node, graph: Graph) -> str | None:
    (x,), op = node.inputs, node.op
    assert isinstance(op, ops.Pad)
    if op.mode == "constant":
        return None if x.dtype.is_float else f"Core ML pads floats only, not {x.dtype}"
    if x.dtype is DType.boolean:
        return "Core ML pads numbers only, not bool"
    rows = zip(x.shape, op.low, op.high, strict=True)
    if any(isinstance(dim, str) for dim, low, high in rows if low or high):
        return f"Core ML pads by {op.mode} along axes of known size only"
    return None


@LIMITS(ops.BroadcastTo)
def broadcasting(node: Node, graph: Graph) -> str | None:
    (x,), shape = node.inputs, node.output.shape
    aligned = (1,) * (len(shape) - x.type.rank) + x.shape
    for had, dim in zip(aligned, shape, strict=True):
        if isinstance(dim, str) and had != dim:
            return f"Core ML cannot tell the size of {dim} from the input"
    return None


@LIMITS(ops.Repeat)
def repeating(node: Node, graph: Graph) -> str | None:
    assert isinstance(node.op, ops.Repeat)
    if isinstance(node.inputs[0].shape[node.op.axis], str):
        return "Core ML repeats elements along axes of known size only"
    return None


@LIMITS(ops.Reshape)
def reshaping(node: Node, graph: Graph) -> str | None:
    unknown = [dim for dim in node.output.shape if isinstance(dim, str)]
    known = sum(dim in node.inputs[0].shape for dim in unknown)
    if len(unknown) > 1 and len(unknown) - known > 1:
        return "Core ML infers one dimension of a reshape at most"
    return None
