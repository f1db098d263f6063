"""Rules that read or write a block of a tensor, at a known or a computed place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from keras.src.ops import core

from kspec.compiler import ops
from kspec.compiler.ir import Array, DType, Value
from kspec.compiler.rules.arithmetic import cast, clipped
from kspec.compiler.rules.indexing import picked
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: slicing")


@rules(core.Slice)
def slice_(tracer: Tracer, op: Any, inputs: Any, start_indices: Any) -> Value:
    """Slice a block of known size; its start may be computed."""
    value = tracer.value(inputs)
    starts = _starts(tracer, start_indices)
    shape = [
        dim if size in (None, -1) else int(size)
        for dim, size in zip(value.shape, op.shape, strict=True)
    ]
    known = tracer.constants.get(starts.name)
    if known is not None:
        rows = [
            (axis, int(start), int(start) + size if isinstance(size, int) else None, 1)
            for axis, (start, size) in enumerate(zip(known, shape, strict=True))
            if size != value.shape[axis] or start
        ]
        columns = [tuple(column) for column in zip(*rows, strict=True)]
        return tracer.emit(ops.Slice(*columns), value) if rows else value
    for axis, size in enumerate(shape):
        if size == value.shape[axis]:
            continue
        if not isinstance(size, int):
            raise tracer.error("a slice at a computed place must have a known size")
        steps = tracer.value(np.arange(size, dtype=np.int32))
        places = tracer.emit(ops.Add(), _start(tracer, starts, axis), steps)
        value = tracer.emit(ops.Gather(axis), value, places)
    return value


def _starts(tracer: Tracer, given: Any) -> Value:
    """Return the start indices of a block, int32[rank]; each may be computed."""
    if isinstance(given, Sequence) and not any(isinstance(each, Value) for each in given):
        given = np.asarray(given, np.int32)
    return cast(tracer, tracer.value(given, "starts"), DType.int32)


def _start(tracer: Tracer, starts: Value, axis: int) -> Value:
    """Return the start index of a block along an axis, int32[1]."""
    return tracer.emit(ops.Slice((0,), (axis,), (axis + 1,), (1,)), starts)


@rules(core.SliceUpdate)
def slice_update(tracer: Tracer, _op: Any, inputs: Any, start_indices: Any, updates: Any) -> Value:
    """Write updates into the inputs; a block that exceeds an edge is shifted inside."""
    value, new = tracer.value(inputs), tracer.value(updates)
    for axis, (dim, size) in enumerate(zip(value.shape, new.shape, strict=True)):
        if dim != size and not (isinstance(dim, int) and isinstance(size, int)):
            raise tracer.error(f"cannot place {new.shape} in {value.shape}: symbolic axis {axis}")
    starts = _starts(tracer, start_indices)
    known = tracer.constants.get(starts.name)
    if known is None:
        return _computed_update(tracer, value, starts, new)
    low, high, inside = [int(start) for start in known], [], np.ones((), bool)
    for axis, (dim, size) in enumerate(zip(value.shape, new.shape, strict=True)):
        if dim == size:
            low[axis] = 0
            high.append(0)
            continue
        whole, part = int(dim), int(size)
        low[axis] = min(max(low[axis], 0), whole - part)
        high.append(whole - part - low[axis])
        row = np.zeros(whole, bool)
        row[low[axis] : low[axis] + part] = True
        inside = inside & row.reshape([-1] + [1] * (value.type.rank - 1 - axis))
    if not any((*low, *high)):
        return new
    return _placed(tracer, value, new, low, high, inside)


def _computed_update(tracer: Tracer, value: Value, starts: Value, new: Value) -> Value:
    """Gather the update for each position and select it where the block covers the position."""
    inside: Value | None = None
    for axis, (dim, size) in enumerate(zip(value.shape, new.shape, strict=True)):
        if dim == size:
            continue
        whole, part = int(dim), int(size)
        start = clipped(tracer, _start(tracer, starts, axis), 0, whole - part)
        places = tracer.value(np.arange(whole, dtype=np.int32), "places")
        ahead = tracer.emit(ops.Subtract(), places, start)
        new = tracer.emit(ops.Gather(axis), new, clipped(tracer, ahead, 0, part - 1))
        zero, end = (tracer.value(np.int32(each)) for each in (0, part))
        here = tracer.emit(
            ops.LogicalAnd(),
            tracer.emit(ops.GreaterEqual(), ahead, zero),
            tracer.emit(ops.Less(), ahead, end),
        )
        shape = (whole, *[1] * (value.type.rank - 1 - axis))
        here = tracer.emit(ops.Reshape(shape), here)
        inside = here if inside is None else tracer.emit(ops.LogicalAnd(), inside, here)
    return new if inside is None else tracer.emit(ops.Where(), inside, new, value)


def _placed(
    tracer: Tracer, value: Value, new: Value, low: list[int], high: list[int], inside: Array
) -> Value:
    """Select the block where it covers a position. Floats are padded; integers are gathered by row,
    because some formats cannot pad integers."""
    if new.dtype.is_float:
        padded = tracer.emit(ops.Pad(tuple(low), tuple(high)), new)
    else:
        padded = new
        for axis, (before, after) in enumerate(zip(low, high, strict=True)):
            if before or after:
                size = int(new.shape[axis])
                places = np.clip(np.arange(-before, size + after), 0, size - 1)
                padded = picked(tracer, padded, places, axis)
    return tracer.emit(ops.Where(), tracer.value(inside, "inside"), padded, value)
