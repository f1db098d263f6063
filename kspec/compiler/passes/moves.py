"""The channels-first equivalent of each operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kspec.compiler import ops
from kspec.compiler.ops.base import Elementwise
from kspec.compiler.ops.reduction import ArgReduction
from kspec.compiler.table import Table

Move = Callable[[Any, int], ops.Op]
"""``move(operation, rank of the inputs)``: the channels-first equivalent of a channels-last
operation."""

MOVES: Table[Move] = Table("channels_first")

_ALONG_AXIS = (ops.Softmax, ops.LogSoftmax, ops.CumSum)
AGNOSTIC = {op for op in ops.OPS.values() if issubclass(op, Elementwise)} - set(_ALONG_AXIS)


def moved(axis: int, rank: int) -> int:
    """Return the index in (batch, channels, …spatial) of an axis of (batch, …spatial, channels)."""
    axis %= rank
    return axis if axis == 0 else axis % (rank - 1) + 1


def to_first(rank: int) -> tuple[int, ...]:
    return (0, rank - 1, *range(1, rank - 1))


def to_last(rank: int) -> tuple[int, ...]:
    return (0, *range(2, rank), 1)


@MOVES(*AGNOSTIC, ops.Cast)
def keep(op: ops.Op, _rank: int) -> ops.Op:
    return op


@MOVES(ops.Conv, ops.ConvTranspose, ops.MaxPool, ops.AveragePool, ops.Resize)
def set_field(op: Any, _rank: int) -> ops.Op:
    first: ops.Op = replace(op, channels="first")
    return first


@MOVES(*_ALONG_AXIS, ops.Concat, ops.Repeat)
def move_axis(op: Any, rank: int) -> ops.Op:
    return _replaced(op, axis=moved(op.axis, rank))


@MOVES(*(op for op in ops.OPS.values() if issubclass(op, ops.Reduction)))
def move_axes(op: Any, rank: int) -> ops.Op:
    return _replaced(op, axes=tuple(sorted(moved(axis, rank) for axis in op.axes)))


@MOVES(*(op for op in ops.OPS.values() if issubclass(op, ArgReduction)))
def move_reduced_axis(op: Any, rank: int) -> ops.Op:
    return _replaced(op, axis=moved(op.axis, rank))


@MOVES(ops.Reverse)
def move_reversed(op: ops.Reverse, rank: int) -> ops.Op:
    return ops.Reverse(tuple(sorted(moved(axis, rank) for axis in op.axes)))


@MOVES(ops.Slice)
def move_slice(op: ops.Slice, rank: int) -> ops.Op:
    return replace(op, axes=tuple(moved(axis, rank) for axis in op.axes))


@MOVES(ops.Pad)
def move_pad(op: ops.Pad, rank: int) -> ops.Op:
    perm = to_first(rank)
    return replace(op, low=tuple(op.low[a] for a in perm), high=tuple(op.high[a] for a in perm))


@MOVES(ops.Tile)
def move_tile(op: ops.Tile, rank: int) -> ops.Op:
    return ops.Tile(tuple(op.repeats[axis] for axis in to_first(rank)))


@MOVES(ops.BroadcastTo)
def move_shape(op: ops.BroadcastTo, rank: int) -> ops.Op:
    return ops.BroadcastTo(tuple(op.shape[axis] for axis in to_first(rank)))


def _replaced(op: Any, **changes: Any) -> ops.Op:
    result: ops.Op = replace(op, **changes)
    return result
