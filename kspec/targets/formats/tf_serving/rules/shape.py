"""Operations that only move elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kspec.compiler import ops
from kspec.compiler.table import Table
from kspec.targets.formats.tf_serving import lazy as tf

rules: Table[Callable[..., Any]] = Table("tf_serving")

MODES = {"constant": "CONSTANT", "reflect": "REFLECT", "symmetric": "SYMMETRIC"}


@rules(ops.Reshape)
def reshape(op: ops.Reshape, x: Any) -> Any:
    return tf.reshape(x, op.shape)


@rules(ops.Transpose)
def transpose(op: ops.Transpose, x: Any) -> Any:
    return tf.transpose(x, op.perm)


@rules(ops.Concat)
def concat(op: ops.Concat, *inputs: Any) -> Any:
    return tf.concat(inputs, op.axis)


@rules(ops.Slice)
def slice_(op: ops.Slice, x: Any) -> Any:
    index = [slice(None)] * x.shape.rank
    for axis, *bounds in zip(op.axes, op.starts, op.stops, op.steps, strict=True):
        index[axis] = slice(*bounds)
    return x[tuple(index)]


@rules(ops.Reverse)
def reverse(op: ops.Reverse, x: Any) -> Any:
    return tf.reverse(x, op.axes)


@rules(ops.Pad)
def pad(op: ops.Pad, x: Any) -> Any:
    rows = list(zip(op.low, op.high, strict=True))
    if op.mode != "edge":
        return tf.pad(x, rows, MODES[op.mode], tf.constant(op.value, x.dtype))
    for axis, (low, high) in enumerate(rows):
        if low or high:
            first, last = (tf.gather(x, [at], axis=axis) for at in (0, tf.shape(x)[axis] - 1))
            x = tf.concat([*[first] * low, x, *[last] * high], axis)
    return x


@rules(ops.BroadcastTo)
def broadcast_to(op: ops.BroadcastTo, x: Any) -> Any:
    return tf.broadcast_to(x, op.shape)


@rules(ops.Tile)
def tile(op: ops.Tile, x: Any) -> Any:
    return tf.tile(x, op.repeats)


@rules(ops.Repeat)
def repeat(op: ops.Repeat, x: Any) -> Any:
    return tf.repeat(x, op.times, op.axis)


@rules(ops.Gather)
def gather(op: ops.Gather, x: Any, indices: Any) -> Any:
    return tf.gather(x, indices, axis=op.axis)
