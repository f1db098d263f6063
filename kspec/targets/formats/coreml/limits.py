"""Forms of operations that Core ML cannot express although the operation has a rule."""

from __future__ import annotations

from kspec.compiler import ops
from kspec.compiler.ir import DType, Graph, Node, Op, Value
from kspec.compiler.table import Table
from kspec.targets.formats.format import Limit

LIMITS: Table[Limit] = Table("coreml limits")

_TYPES = (DType.float32, DType.float16, DType.int32, DType.boolean)
GREATEST_RANK = 5
KNOWN = "give the inputs known sizes"
_LAST = "Core ML has convolutions and pooling with channels first only"

_FLOATS_ONLY = (
    *(ops.Floor, ops.Ceil, ops.Round, ops.Exp, ops.Expm1, ops.Log, ops.Log1p, ops.Sqrt, ops.Rsqrt),
    *(ops.Reciprocal, ops.Sin, ops.Cos, ops.Tan, ops.Asin, ops.Acos, ops.Atan, ops.Sinh, ops.Cosh),
    *(ops.Tanh, ops.Erf, ops.Sigmoid, ops.Silu, ops.Softplus, ops.Softsign, ops.HardSwish),
    *(ops.Mish, ops.Selu, ops.Elu, ops.LeakyRelu, ops.HardSigmoid, ops.Gelu, ops.Divide),
    *(ops.Softmax, ops.LogSoftmax, ops.LayerNorm, ops.BatchNorm, ops.Mean),
)


@LIMITS(Op)
def types_and_ranks(node: Node, _graph: Graph) -> str | None:
    for value in (*node.inputs, *node.outputs):
        if value.dtype not in _TYPES:
            return f"Core ML computes with float32, float16, int32 and bool, not with {value.dtype}"
        if value.type.rank > GREATEST_RANK:
            return f"Core ML's tensors have {GREATEST_RANK} axes at most, {value.name} has more"
    return None


@LIMITS(*_FLOATS_ONLY)
def floats_only(node: Node, _graph: Graph) -> str | None:
    if node.inputs[0].dtype.is_float:
        return None
    return f"Core ML computes it in float only, not in {node.inputs[0].dtype}"


@LIMITS(ops.MaxPool, ops.AveragePool)
def pooling(node: Node, graph: Graph) -> str | None:
    assert isinstance(node.op, ops.Pooling)
    return _LAST if node.op.channels == "last" else floats_only(node, graph)


@LIMITS(ops.Resize)
def resizing(node: Node, graph: Graph) -> str | None:
    (x,), op = node.inputs, node.op
    assert isinstance(op, ops.Resize)
    if op.channels == "last":
        return _LAST
    if op.interpolation == "nearest" and any(isinstance(dim, str) for dim in x.shape[2:]):
        return f"Core ML selects nearest pixels along axes of known size only; {KNOWN}"
    if op.interpolation == "bilinear" and x.type.rank > 4:
        return "Core ML interpolates along two axes at most"
    return floats_only(node, graph)


@LIMITS(ops.Conv, ops.ConvTranspose)
def convolution(node: Node, graph: Graph) -> str | None:
    assert isinstance(node.op, ops.Windowed)
    if node.op.channels == "last":
        return _LAST
    constants = node.inputs[2:] if isinstance(node.op, ops.Conv) else node.inputs[1:]
    if any(graph.constant(value) is None for value in constants):
        return "Core ML requires a constant kernel and bias"
    return None


@LIMITS(ops.Pad)
def padding(node: Node, _graph: Graph) -> str | None:
    (x,), op = node.inputs, node.op
    assert isinstance(op, ops.Pad)
    if op.mode == "constant":
        return None if x.dtype.is_float else f"Core ML pads floats only, not {x.dtype}"
    if x.dtype is DType.boolean:
        return "Core ML pads numbers only, not bool"
    rows = zip(x.shape, op.low, op.high, strict=True)
    if any(isinstance(dim, str) for dim, low, high in rows if low or high):
        return f"Core ML pads by {op.mode} along axes of known size only; {KNOWN}"
    return None


@LIMITS(ops.BroadcastTo)
def broadcasting(node: Node, graph: Graph) -> str | None:
    (x,), shape = node.inputs, node.output.shape
    aligned = (1,) * (len(shape) - x.type.rank) + x.shape
    for had, dim in zip(aligned, shape, strict=True):
        if had != dim and dim in _unmeasurable(node.output, graph):
            return f"Core ML cannot derive the size of {dim} from the inputs; {KNOWN}"
    return None


@LIMITS(ops.Repeat)
def repeating(node: Node, graph: Graph) -> str | None:
    (x,), op = node.inputs, node.op
    assert isinstance(op, ops.Repeat)
    if isinstance(x.shape[op.axis], int) or (x.dtype.is_float and x.type.rank > 2):
        return None
    if x.type.rank == GREATEST_RANK:
        most = GREATEST_RANK - 1
        return f"Core ML repeats {most} axes at most along an axis of unknown size; {KNOWN}"
    return reshaping(node, graph)


@LIMITS(ops.Reshape)
def reshaping(node: Node, graph: Graph) -> str | None:
    if len(_unmeasurable(node.output, graph)) > 1:
        return f"Core ML infers one dimension of a reshape at most; {KNOWN}"
    return None


def _unmeasurable(value: Value, graph: Graph) -> list[str]:
    """Return the symbolic dimensions of a value that no input of the graph has."""
    known = {dim for each in graph.inputs for dim in each.shape}
    return [dim for dim in value.shape if isinstance(dim, str) and dim not in known]
