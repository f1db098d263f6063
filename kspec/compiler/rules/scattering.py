"""Rules for scatter, updates and segments at constant indices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops as kops
from keras.src.ops import core
from keras.src.ops import math as kmath

from kspec.compiler import ops
from kspec.compiler.ir import Array, Shape, Value
from kspec.compiler.rules.creation import known_array
from kspec.compiler.rules.indexing import picked
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: scattering")


def scattered(tracer: Tracer, value: Value, targets: Array, size: int) -> Value:
    """Add row ``i`` of the value to row ``targets[i]`` of ``size`` zero rows: a scatter-add without
    a scatter op. Sum one gather per repetition of a target; missing rows read a zero row."""
    zeros = tracer.value(np.zeros((1, *(int(dim) for dim in value.shape[1:])), value.dtype.numpy))
    padded = tracer.emit(ops.Concat(0), value, zeros)
    rows: list[list[int]] = [[] for _ in range(size)]
    for place, target in enumerate(targets.tolist()):
        if 0 <= target < size:
            rows[target].append(place)
    result: Value | None = None
    for turn in range(max(1, *map(len, rows)) if rows else 1):
        places = np.array([each[turn] if turn < len(each) else len(targets) for each in rows])
        found = picked(tracer, padded, places, 0)
        result = found if result is None else tracer.emit(ops.Add(), result, found)
    assert result is not None
    return result


def _flat_targets(tracer: Tracer, indices: Any, shape: Shape) -> tuple[Array, int, Shape]:
    """Return flat indices into the leading axes of a shape, the number of such positions, and the
    shape of the block at each position."""
    places = known_array(tracer, indices, "indices").astype(np.int64)
    depth = places.shape[-1]
    lead, rest = shape[:depth], shape[depth:]
    if not all(isinstance(dim, int) for dim in shape):
        raise tracer.error(f"the sizes of the shape {shape} to scatter into must be known")
    sizes = [int(dim) for dim in lead]
    places = np.where(places < 0, places + np.array(sizes), places)
    flat = np.ravel_multi_index(tuple(places.reshape(-1, depth).T), sizes)
    return np.asarray(flat), int(np.prod(sizes, dtype=int)), rest


@rules(core.Scatter)
def scatter(tracer: Tracer, op: Any, indices: Any, values: Any) -> Value:
    """Zeros with values added at constant indices; repeated indices accumulate"""
    value = tracer.value(values)
    targets, size, rest = _flat_targets(tracer, indices, tuple(op.shape))
    rows = tracer.emit(ops.Reshape((len(targets), *rest)), value)
    return tracer.emit(ops.Reshape(tuple(op.shape)), scattered(tracer, rows, targets, size))


@rules(core.ScatterUpdate)
def scatter_update(tracer: Tracer, op: Any, inputs: Any, indices: Any, updates: Any) -> Any:
    """New values at constant indices; a repeated index takes the last value, or the reduction"""
    value, new = tracer.value(inputs), tracer.value(updates)
    targets, size, rest = _flat_targets(tracer, indices, value.shape)
    rows = tracer.emit(ops.Reshape((len(targets), *rest)), new)
    flat = tracer.emit(ops.Reshape((size, *rest)), value)
    combine: Mapping[str, ops.Op] = {
        "add": ops.Add(),
        "max": ops.Maximum(),
        "min": ops.Minimum(),
        "mul": ops.Multiply(),
    }
    for turn in _turns(targets):
        places = np.full(size, -1)
        places[targets[turn]] = turn
        hit = (places >= 0).reshape(-1, *[1] * len(rest))
        found = picked(tracer, rows, places.clip(0), 0)
        if op.reduction is not None:
            found = tracer.emit(combine[op.reduction], flat, found)
        flat = tracer.emit(ops.Where(), tracer.value(hit, "hit"), found, flat)
    return tracer.emit(ops.Reshape(value.shape), flat)


def _turns(targets: Array) -> list[Array]:
    """Group the rows, in order, so that no group contains a target twice."""
    groups: list[list[int]] = []
    seen: dict[int, int] = {}
    for place, target in enumerate(targets.tolist()):
        turn = seen.get(target, 0)
        seen[target] = turn + 1
        if turn == len(groups):
            groups.append([])
        groups[turn].append(place)
    return [np.array(group) for group in groups]


_SEGMENTS = (kmath.SegmentSum, kmath.SegmentMax, kmath.SegmentMin, kmath.SegmentProd)


@rules(*_SEGMENTS)
def segment(tracer: Tracer, op: Any, data: Any, segment_ids: Any) -> Any:
    """Reduce rows with the same constant id to one row; ids out of range are ignored."""
    value = tracer.value(data)
    targets = known_array(tracer, segment_ids, "segment_ids").astype(np.int64)
    size = int(targets.max()) + 1 if op.num_segments is None else op.num_segments
    if isinstance(op, kmath.SegmentSum):
        return scattered(tracer, value, targets, size)

    reductions: Mapping[type, tuple[Callable[..., Any], float]] = {
        kmath.SegmentMax: (kops.max, -np.inf),
        kmath.SegmentMin: (kops.min, np.inf),
        kmath.SegmentProd: (kops.prod, 1.0),
    }
    reduce, empty = reductions[type(op)]
    if np.isinf(empty):
        limits = (
            np.finfo(value.dtype.numpy) if value.dtype.is_float else np.iinfo(value.dtype.numpy)
        )
        empty = limits.min if empty < 0 else limits.max

    def formula(x: Any) -> Any:
        rows = []
        for each in range(size):
            places = np.flatnonzero(targets == each).astype(np.int32)
            chosen = kops.take(x, places, axis=0) if places.size else None
            rows.append(kops.full_like(x[0], empty) if chosen is None else reduce(chosen, axis=0))
        return kops.stack(rows, axis=0)

    return tracer.record(formula, value)
