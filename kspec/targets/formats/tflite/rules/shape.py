"""Operators that only move elements; other families use them to prepare their inputs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array, Node, Shape, Value
from kspec.compiler.table import Table
from kspec.targets.formats.tflite.builtins import (
    ConcatenationOptions,
    GatherOptions,
    Mirror,
    MirrorPadOptions,
    ReshapeOptions,
    StridedSliceOptions,
)
from kspec.targets.formats.tflite.program import Emitter, Rule

rules: Table[Rule] = Table("tflite")

_PAD_RANK = 5
"""The greatest rank that the kernel supports."""


def sizes(shape: Shape) -> tuple[int, ...]:
    """Return a shape as integers; all dimensions are known in this format."""
    return tuple(int(dim) for dim in shape)


def reshape(out: Emitter, x: Value, shape: Shape, into: Value | None = None) -> Value:
    if x.shape == shape and into is None:
        return x
    # The file cannot contain an empty constant, so the shape of a scalar is an option.
    inputs = (x, out.integers(*sizes(shape))) if shape else (x,)
    options = ReshapeOptions(sizes(shape))
    return out.emit("RESHAPE", *inputs, options=options, type_=x.type.with_shape(*shape), into=into)


def transpose(out: Emitter, x: Value, perm: Sequence[int], into: Value | None = None) -> Value:
    """Write a transpose. The runtime supports up to six axes: axes that remain adjacent are
    merged."""
    shape = sizes(x.shape)
    runs = _runs(perm)
    if len(perm) <= 4 or len(runs) == len(perm):
        type_ = x.type.with_shape(*(shape[axis] for axis in perm))
        return out.emit("TRANSPOSE", x, out.integers(*perm), type_=type_, into=into)
    order = sorted(range(len(runs)), key=lambda each: runs[each])
    merged = tuple(math.prod(shape[axis] for axis in runs[each]) for each in order)
    result = tuple(shape[axis] for axis in perm)
    moved = transpose(
        out, reshape(out, x, merged), [order.index(each) for each in range(len(runs))]
    )
    return reshape(out, moved, result, into)


def arranged(
    out: Emitter, weights: Value, perm: Sequence[int], shape: Shape | None = None
) -> Value:
    """Return weights with transposed axes in a new shape: constants are converted in the file,
    computed weights by operators."""
    array = out.array(weights)
    if array is None:
        moved = transpose(out, weights, perm)
        return moved if shape is None else reshape(out, moved, shape)
    moved_array = array.transpose(perm)
    return out.weights(weights, moved_array if shape is None else moved_array.reshape(sizes(shape)))


def gather(out: Emitter, x: Value, indices: Value, axis: int, into: Value | None = None) -> Value:
    type_ = x.type.with_shape(*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    return out.emit("GATHER", x, indices, options=GatherOptions(axis), type_=type_, into=into)


def concatenate(out: Emitter, parts: Sequence[Value], axis: int, into: Value | None) -> Value:
    shape = list(parts[0].shape)
    shape[axis] = sum(int(part.shape[axis]) for part in parts)
    return out.emit(
        "CONCATENATION",
        *parts,
        options=ConcatenationOptions(axis),
        type_=parts[0].type.with_shape(*shape),
        into=into,
    )


def pad(
    out: Emitter,
    x: Value,
    low: Sequence[int],
    high: Sequence[int],
    value: float = 0.0,
    into: Value | None = None,
) -> Value:
    if len(low) > _PAD_RANK:
        return _pad_by_axis(out, x, low, high, value, into)
    pairs = out.constant(np.array([low, high], np.int32).T)
    shape = (dim + a + b for dim, a, b in zip(sizes(x.shape), low, high, strict=True))
    type_ = x.type.with_shape(*shape)
    if value == 0:
        return out.emit("PAD", x, pairs, type_=type_, into=into)
    return out.emit("PADV2", x, pairs, out.number(value, x), type_=type_, into=into)


def _pad_by_axis(
    out: Emitter,
    x: Value,
    low: Sequence[int],
    high: Sequence[int],
    value: float,
    into: Value | None,
) -> Value:
    """Repeat along one axis at a time, with the axes before and after it merged."""
    for axis, (before, after) in enumerate(zip(low, high, strict=True)):
        if before or after:
            shape = sizes(x.shape)
            lead, tail = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
            block = reshape(out, x, (lead, shape[axis], tail))
            padded = pad(out, block, (0, before, 0), (0, after, 0), value)
            x = reshape(
                out, padded, (*shape[:axis], shape[axis] + before + after, *shape[axis + 1 :])
            )
    return x if into is None else reshape(out, x, x.shape, into)


def cut(
    out: Emitter, x: Value, begin: Sequence[int], size: Sequence[int], into: Value | None = None
) -> Value:
    """Return a block of a tensor."""
    starts, lengths = out.integers(*begin), out.integers(*size)
    return out.emit("SLICE", x, starts, lengths, type_=x.type.with_shape(*size), into=into)


@rules(ops.Identity)
def _identity(_op: ops.Op, node: Node, out: Emitter) -> None:
    reshape(out, node.inputs[0], node.output.shape, node.output)


@rules(ops.Reshape)
def _reshape(_op: ops.Op, node: Node, out: Emitter) -> None:
    reshape(out, node.inputs[0], node.output.shape, node.output)


@rules(ops.Transpose)
def _transpose(op: ops.Transpose, node: Node, out: Emitter) -> None:
    transpose(out, node.inputs[0], op.perm, node.output)


@rules(ops.Concat)
def _concat(op: ops.Concat, node: Node, out: Emitter) -> None:
    concatenate(out, node.inputs, op.axis % node.output.type.rank, node.output)


@rules(ops.Slice)
def _slice(op: ops.Slice, node: Node, out: Emitter) -> None:
    (x,) = node.inputs
    shape = sizes(x.shape)
    begin, step = [0] * len(shape), [1] * len(shape)
    for axis, start, stop, stride in zip(op.axes, op.starts, op.stops, op.steps, strict=True):
        begin[axis], _, step[axis] = slice(start, stop, stride).indices(shape[axis])
    size = sizes(node.output.shape)
    if set(step) <= {1}:
        cut(out, x, begin, size, node.output)
        return
    end = [b + (n - 1) * s + 1 for b, n, s in zip(begin, size, step, strict=True)]
    inputs = (x, out.integers(*begin), out.integers(*end), out.integers(*step))
    out.emit("STRIDED_SLICE", *inputs, options=StridedSliceOptions(), into=node.output)


@rules(ops.Pad)
def _pad(op: ops.Pad, node: Node, out: Emitter) -> None:
    (x,) = node.inputs
    match op.mode:
        case "constant":
            pad(out, x, op.low, op.high, op.value, node.output)
        case "edge":
            _pad_edge(op, x, node, out)
        case _:
            pairs = out.constant(np.array([op.low, op.high], np.int32).T)
            options = MirrorPadOptions(Mirror[op.mode])
            out.emit("MIRROR_PAD", x, pairs, options=options, into=node.output)


def _pad_edge(op: ops.Pad, x: Value, node: Node, out: Emitter) -> None:
    """Gather along each axis in turn; indices outside the tensor are clipped to its ends."""
    axes = [axis for axis, ends in enumerate(zip(op.low, op.high, strict=True)) if any(ends)]
    for axis in axes:
        size = int(x.shape[axis])
        indices = np.arange(-op.low[axis], size + op.high[axis]).clip(0, size - 1)
        into = node.output if axis == axes[-1] else None
        x = gather(out, x, out.constant(indices.astype(np.int32)), axis, into)


@rules(ops.BroadcastTo)
def _broadcast_to(_op: ops.Op, node: Node, out: Emitter) -> None:
    shape = out.integers(*sizes(node.output.shape))
    out.emit("BROADCAST_TO", node.inputs[0], shape, into=node.output)


@rules(ops.Tile)
def _tile(op: ops.Tile, node: Node, out: Emitter) -> None:
    out.emit("TILE", node.inputs[0], out.integers(*op.repeats), into=node.output)


@rules(ops.Repeat)
def _repeat(op: ops.Repeat, node: Node, out: Emitter) -> None:
    (x,) = node.inputs
    axis = op.axis % x.type.rank
    indices: Array = np.repeat(np.arange(int(x.shape[axis]), dtype=np.int32), op.times)
    gather(out, x, out.constant(indices), axis, node.output)


@rules(ops.Gather)
def _gather(op: ops.Gather, node: Node, out: Emitter) -> None:
    x, indices = node.inputs
    gather(out, x, indices, op.axis % x.type.rank, node.output)


@rules(ops.Reverse)
def _reverse(op: ops.Reverse, node: Node, out: Emitter) -> None:
    """Reverse one axis, or several adjacent axes, at a time."""
    (x,) = node.inputs
    axes = sorted(axis % x.type.rank for axis in op.axes)
    for axis in axes:
        into = node.output if axis == axes[-1] else None
        x = out.emit("REVERSE_V2", x, out.integers(axis), into=into)


def _runs(perm: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the runs of axes that remain adjacent: (2, 3, 0, 1) → (2, 3), (0, 1)."""
    runs: list[tuple[int, ...]] = []
    for axis in perm:
        if runs and runs[-1][-1] + 1 == axis:
            runs[-1] = (*runs[-1], axis)
        else:
            runs.append((axis,))
    return runs
