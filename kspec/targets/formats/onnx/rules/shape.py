"""Operations that only move elements."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array, DType, Node, Shape, Value
from kspec.compiler.table import Table
from kspec.targets.formats.onnx.emission import Attribute, Emission, Operand, Rule

rules: Table[Rule] = Table("onnx")

COPIES: dict[str, Attribute] = {
    "mode": "nearest",
    "coordinate_transformation_mode": "asymmetric",
    "nearest_mode": "floor",
}
"""Pixel i is input pixel ⌊i / scale⌋. On the CPU, ONNX Runtime 1.31 takes a sixth of the time of
equivalent Gathers."""
_RESAMPLED = (3, 4)
"""Ranks for which Resize is fast; with five axes ONNX Runtime recomputes each coordinate."""
LAST, FIRST = np.iinfo(np.int64).max, np.iinfo(np.int64).min
"""The end of a Slice to the last element, forwards, and to the first element, backwards."""


@rules(ops.Reshape)
def reshape(op: ops.Reshape, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    emit.result("Reshape", x, reshaped(x.shape, op.shape, emit))


@rules(ops.Transpose)
def transpose(op: ops.Transpose, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    emit.result("Transpose", x, perm=op.perm)


@rules(ops.Concat)
def concat(op: ops.Concat, node: Node, emit: Emission) -> None:
    inputs = node.inputs
    emit.result("Concat", *inputs, axis=op.axis)


@rules(ops.Slice)
def slice_(op: ops.Slice, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    stops = (LAST if stop is None else stop for stop in op.stops)
    emit.result("Slice", x, *map(ints, (op.starts, stops, op.axes, op.steps)))


@rules(ops.Reverse)
def reverse(op: ops.Reverse, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    count = len(op.axes)
    emit.result("Slice", x, *map(ints, ([-1] * count, [FIRST] * count, op.axes, [-1] * count)))


@rules(ops.Pad)
def pad(op: ops.Pad, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    if op.mode == "symmetric":
        _pad_symmetric(op, emit, x)
        return
    value = np.array(op.value, x.dtype.numpy) if op.mode == "constant" else None
    # The axes are explicit although they are optional: ONNX Runtime 1.31 fuses a Pad without axes
    # into a following MaxPool, which pads with -∞ instead of zeros. All axes are given, since ONNX
    # Runtime assumes amounts for all axes when it moves a Transpose past the Pad.
    emit.result("Pad", x, ints([*op.low, *op.high]), value, ints(range(x.type.rank)), mode=op.mode)


@rules(ops.BroadcastTo)
def broadcast_to(op: ops.BroadcastTo, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    had = (1,) * (len(op.shape) - x.type.rank) + x.shape
    # Expand uses the larger of both sizes, so 1 keeps the size of the input.
    wanted = tuple(1 if dim == old else dim for dim, old in zip(op.shape, had, strict=True))
    emit.result("Expand", x, extents(wanted, emit))


@rules(ops.Tile)
def tile(op: ops.Tile, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    emit.result("Tile", x, ints(op.repeats))


@rules(ops.Repeat)
def repeat(op: ops.Repeat, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    axis = op.axis % x.type.rank
    if x.dtype is DType.float32 and axis > 1 and x.type.rank in _RESAMPLED:
        scales = np.ones(x.type.rank, np.float32)
        scales[axis] = op.times
        emit.result("Resize", x, None, scales, **COPIES)
        return
    lead, size, trail = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
    if isinstance(size, int):
        emit.result("Gather", x, np.repeat(np.arange(size), op.times), axis=axis)
        return
    beside = emit("Unsqueeze", x, ints([axis + 1]))
    times = ints([1] * (axis + 1) + [op.times] + [1] * len(trail))
    shape = extents((*(0 for _ in lead), -1, *trail), emit)
    emit.result("Reshape", emit("Tile", beside, times), shape)


@rules(ops.Gather)
def gather(op: ops.Gather, node: Node, emit: Emission) -> None:
    x, indices = node.inputs
    emit.result("Gather", x, indices, axis=op.axis)


def ints(numbers: Iterable[int]) -> Array:
    return np.fromiter(numbers, np.int64)


def reshaped(shape: Shape, wanted: Shape, emit: Emission) -> Operand:
    """Return the shape argument of Reshape: 0 for a symbolic dimension that keeps its axis, -1 for
    the first of the others; further ones are measured at run time."""
    dims = [
        0 if isinstance(dim, str) and shape[axis : axis + 1] == (dim,) else dim
        for axis, dim in enumerate(wanted)
    ]
    moved = next((axis for axis, dim in enumerate(dims) if isinstance(dim, str)), None)
    if moved is not None:
        dims[moved] = -1
    return extents(tuple(dims), emit)


def extents(shape: Shape, emit: Emission) -> Operand:
    """Return a shape as int64, an initializer if all dimensions are numbers."""
    if all(isinstance(dim, int) for dim in shape):
        return np.array(shape, np.int64)
    return emit("Concat", *map(emit.extent, shape), axis=0)


def _pad_symmetric(op: ops.Pad, emit: Emission, x: Value) -> None:
    """Concatenate the input with reversed slices as borders: ONNX lacks this mode."""
    rows = zip(op.low, op.high, strict=True)
    padded = [(axis, low, high) for axis, (low, high) in enumerate(rows) if low or high]
    if not padded:
        emit.result("Identity", x)
        return
    result: Operand = x
    for axis, low, high in padded[:-1]:
        result = emit("Concat", *_mirrored(emit, result, axis, low, high), axis=axis)
    axis, low, high = padded[-1]
    emit.result("Concat", *_mirrored(emit, result, axis, low, high), axis=axis)


def _mirrored(emit: Emission, x: Operand, axis: int, low: int, high: int) -> list[Operand]:
    def backwards(start: int, stop: int) -> str:
        return emit("Slice", x, *map(ints, ([start], [stop], [axis], [-1])))

    before = [backwards(low - 1, FIRST)] if low else []
    after = [backwards(-1, -high - 1)] if high else []
    return [*before, x, *after]
