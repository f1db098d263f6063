"""Operations that move elements without computing with them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array, Shape
from kspec.compiler.table import Table

rules: Table[Callable[..., Array]] = Table("reference")


@rules(ops.Reshape)
def reshape(op: ops.Reshape, x: Array) -> Array:
    return np.reshape(x, _numbers(op.shape))


@rules(ops.Transpose)
def transpose(op: ops.Transpose, x: Array) -> Array:
    return np.transpose(x, op.perm)


@rules(ops.Concat)
def concat(op: ops.Concat, *arrays: Array) -> Array:
    return np.concatenate(arrays, axis=op.axis)


@rules(ops.Slice)
def slice_axes(op: ops.Slice, x: Array) -> Array:
    index = [slice(None)] * x.ndim
    for axis, *bounds in zip(op.axes, op.starts, op.stops, op.steps, strict=True):
        index[axis] = slice(*bounds)
    return x[tuple(index)]


@rules(ops.Pad)
def pad(op: ops.Pad, x: Array) -> Array:
    widths = tuple(zip(op.low, op.high, strict=True))
    if op.mode == "constant":
        return np.pad(x, widths, constant_values=x.dtype.type(op.value))
    return np.pad(x, widths, mode=op.mode)


@rules(ops.BroadcastTo)
def broadcast_to(op: ops.BroadcastTo, x: Array) -> Array:
    return np.broadcast_to(x, _numbers(op.shape))


@rules(ops.Tile)
def tile(op: ops.Tile, x: Array) -> Array:
    return np.tile(x, op.repeats)


@rules(ops.Repeat)
def repeat(op: ops.Repeat, x: Array) -> Array:
    return np.repeat(x, op.times, axis=op.axis)


@rules(ops.Gather)
def gather(op: ops.Gather, x: Array, indices: Array) -> Array:
    return np.take(x, indices, axis=op.axis)


@rules(ops.Reverse)
def reverse(op: ops.Reverse, x: Array) -> Array:
    return np.flip(x, op.axes)


def _numbers(shape: Shape) -> tuple[int, ...]:
    """Return the shape as numbers; the evaluator has already replaced the names."""
    return tuple(int(dim) for dim in shape)
