"""Operations that move elements without computing with them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array, DType, Shape, Value
from kspec.compiler.table import Table
from kspec.targets.formats.onnx.emission import Attribute, Emission, Operand, Rule

rules: Table[Rule] = Table("onnx")

COPIES: dict[str, Attribute] = {
    "mode": "nearest",
    "coordinate_transformation_mode": "asymmetric",
    "nearest_mode": "floor",
}
"""Place i shows ⌊i / scale⌋: each pixel ``scale`` times over. On the CPU ONNX Runtime 1.31 takes a
sixth of the time of the same Gathers."""
_RESAMPLED = (3, 4)
"""Ranks for which Resize is fast; of five axes ONNX Runtime computes each coordinate anew."""
LAST, FIRST = np.iinfo(np.int64).max, np.iinfo(np.int64).min
"""Where a Slice stops that runs to the end: forwards, backwards."""


@rules(ops.Reshape)
def reshape(op: ops.Reshape, emit: Emission, x: Value) -> None:
    emit.result("Reshape", x, reshaped(x.shape, op.shape, emit))


@rules(ops.Transpose)
def transpose(op: ops.Transpose, emit: Emission, x: Value) -> None:
    emit.result("Transpose", x, perm=op.perm)


@rules(ops.Concat)
def concat(op: ops.Concat, emit: Emission, *inputs: Value) -> None:
    emit.result("Concat", *inputs, axis=op.axis)


@rules(ops.Slice)
def slice_(op: ops.Slice, emit: Emission, x: Value) -> None:
    stops = (LAST if stop is None else stop for stop in op.stops)
    emit.result("Slice", x, *map(ints, (op.starts, stops, op.axes, op.steps)))


@rules(ops.Reverse)
def reverse(op: ops.Reverse, emit: Emission, x: Value) -> None:
    count = len(op.axes)
    emit.result("Slice", x, *map(ints, ([-1] * count, [FIRST] * count, op.axes, [-1] * count)))


@rules(ops.Pad)
def pad(op: ops.Pad, emit: Emission, x: Value) -> None:
    if op.mode == "symmetric":
        _pad_symmetric(op, emit, x)
        return
    value = np.array(op.value, x.dtype.numpy) if op.mode == "constant" else None
    # The axes are named although they need not be: ONNX Runtime 1.31 moves a Pad without them into
    # the MaxPool behind it, whose own padding is -∞ and not the zeros of the Pad. All of them are:
    # where it moves a Transpose past the Pad it takes the amounts for those of all axes.
    emit.result("Pad", x, ints([*op.low, *op.high]), value, ints(range(x.type.rank)), mode=op.mode)


@rules(ops.BroadcastTo)
def broadcast_to(op: ops.BroadcastTo, emit: Emission, x: Value) -> None:
    had = (1,) * (len(op.shape) - x.type.rank) + x.shape
    # Expand takes the larger of both, so 1 keeps what the input has.
    wanted = tuple(1 if dim == old else dim for dim, old in zip(op.shape, had, strict=True))
    emit.result("Expand", x, extents(wanted, emit))


@rules(ops.Tile)
def tile(op: ops.Tile, emit: Emission, x: Value) -> None:
    emit.result("Tile", x, ints(op.repeats))


@rules(ops.Repeat)
def repeat(op: ops.Repeat, emit: Emission, x: Value) -> None:
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
def gather(op: ops.Gather, emit: Emission, x: Value, indices: Value) -> None:
    emit.result("Gather", x, indices, axis=op.axis)


def ints(numbers: Iterable[int]) -> Array:
    return np.fromiter(numbers, np.int64)


def reshaped(shape: Shape, wanted: Shape, emit: Emission) -> Operand:
    """What Reshape takes for ``wanted``: 0 for a symbolic dimension that stays in its place, -1
    for the first of the others; what is left is measured at run time."""
    dims = [
        0 if isinstance(dim, str) and shape[axis : axis + 1] == (dim,) else dim
        for axis, dim in enumerate(wanted)
    ]
    moved = next((axis for axis, dim in enumerate(dims) if isinstance(dim, str)), None)
    if moved is not None:
        dims[moved] = -1
    return extents(tuple(dims), emit)


def extents(shape: Shape, emit: Emission) -> Operand:
    """A shape as int64, an initializer where all dimensions are numbers."""
    if all(isinstance(dim, int) for dim in shape):
        return np.array(shape, np.int64)
    return emit("Concat", *map(emit.extent, shape), axis=0)


def _pad_symmetric(op: ops.Pad, emit: Emission, x: Value) -> None:
    """ONNX has no such mode: the borders are slices that run backwards."""
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
