"""Rules for indexing: ``keras.ops`` that gather, update and rearrange elements."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops as kops
from keras.src.ops import core, einops
from keras.src.ops import numpy as knp

from kspec.compiler import ops
from kspec.compiler.ir import Array, Dim, DType, Shape, Value
from kspec.compiler.rules.arithmetic import cast, promoted
from kspec.compiler.rules.einsum import merged
from kspec.compiler.rules.shape import reshaped
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: indexing")

_COMPOSED: Mapping[type, Callable[[Any, Any], Any]] = {
    knp.Fliplr: lambda _, x: kops.flip(x, axis=1),
    knp.Flipud: lambda _, x: kops.flip(x, axis=0),
    knp.Hsplit: lambda op, x: kops.split(
        x, op.indices_or_sections, axis=0 if len(x.shape) == 1 else 1
    ),
    knp.Vsplit: lambda op, x: kops.split(x, op.indices_or_sections, axis=0),
    knp.Dsplit: lambda op, x: kops.split(x, op.indices_or_sections, axis=2),
    knp.Trace: lambda op, x: kops.sum(kops.diagonal(x, op.offset, op.axis1, op.axis2), axis=-1),
}
_JOINED: Mapping[type, Callable[[list[Any]], Any]] = {
    knp.Hstack: lambda xs: kops.concatenate(xs, axis=0 if len(xs[0].shape) == 1 else 1),
    knp.Vstack: lambda xs: kops.concatenate(xs, axis=0),
    knp.Dstack: lambda xs: kops.concatenate(
        [
            x
            if len(x.shape) > 2
            else kops.expand_dims(x, 2)
            if len(x.shape) == 2
            else x[None, :, None]
            for x in xs
        ],
        axis=2,
    ),
}


@rules(*_COMPOSED)
def composed(tracer: Tracer, op: Any, x: Any) -> Any:
    return tracer.record(_COMPOSED[type(op)], op, tracer.value(x))


@rules(*_JOINED)
def joined(tracer: Tracer, op: Any, xs: Any) -> Any:
    return tracer.record(_JOINED[type(op)], promoted(tracer, *xs))


def picked(tracer: Tracer, value: Value, places: Array, axis: int) -> Value:
    """Gather elements of an axis at constant indices, which may be negative."""
    size = value.shape[axis]
    if isinstance(size, int):
        places = np.where(places < 0, places + size, places)
    return tracer.emit(ops.Gather(axis), value, tracer.value(places.astype(np.int32), "places"))


@rules(knp.TakeAlongAxis)
def take_along_axis(tracer: Tracer, op: Any, x: Any, indices: Any) -> Value:
    """Gather along an axis; axes of size 1 are broadcast, negative indices count from the end."""
    value, places = tracer.value(x), cast(tracer, tracer.value(indices, "indices"), DType.int32)
    if op.axis is None:
        value = reshaped(tracer, value, (-1,))
    axis = (op.axis or 0) % value.type.rank
    known = tracer.constants.get(places.name)
    size = value.shape[axis]
    if known is not None and isinstance(size, int):
        places = tracer.value(np.where(known < 0, known + size, known), "indices")
    elif isinstance(size, int) and not _counted_from_start(tracer, places):
        below = tracer.emit(ops.Less(), places, tracer.value(np.int32(0)))
        wrapped = tracer.emit(ops.Add(), places, tracer.value(np.int32(size)))
        places = tracer.emit(ops.Where(), below, wrapped, places)
    lead = ops.base.broadcast(
        *(each.shape[:axis] + each.shape[axis + 1 :] for each in (value, places))
    )
    value, places = (
        _broadcast(tracer, each, (*lead[:axis], each.shape[axis], *lead[axis:]))
        for each in (value, places)
    )
    return tracer.emit(ops.TakeAlongAxis(axis), value, places)


def _counted_from_start(tracer: Tracer, value: Value) -> bool:
    """Return whether an operation with a non-negative result computes the value."""
    kinds = (ops.ArgTopK, ops.ArgMax, ops.ArgMin)
    moves = (ops.Reshape, ops.Transpose, ops.Slice, ops.Cast)
    for node in reversed(tracer.nodes):
        if value in node.outputs:
            if isinstance(node.op, moves):
                value = node.inputs[0]
                continue
            return isinstance(node.op, kinds)
    return False


def _broadcast(tracer: Tracer, value: Value, shape: Shape) -> Value:
    return value if value.shape == shape else tracer.emit(ops.BroadcastTo(shape), value)


@rules(core.Unstack)
def unstack(tracer: Tracer, op: Any, x: Any) -> list[Value]:
    value = tracer.value(x)
    axis = op.axis % value.type.rank
    size = value.shape[axis] if op.num is None else op.num
    if not isinstance(size, int):
        raise tracer.error(f"cannot unstack the symbolic dimension {size}")
    kept = ops.Reshape(value.shape[:axis] + value.shape[axis + 1 :])
    rows = [tracer.emit(ops.Slice((axis,), (at,), (at + 1,), (1,)), value) for at in range(size)]
    return [tracer.emit(kept, row) for row in rows]


@rules(knp.ArraySplit)
def array_split(tracer: Tracer, op: Any, x: Any) -> list[Value]:
    """Split into parts whose lengths differ by at most 1, longer parts first."""
    value = tracer.value(x)
    axis = op.axis % value.type.rank
    size = value.shape[axis]
    if not isinstance(size, int):
        raise tracer.error(f"cannot split the symbolic dimension {size}")
    given = op.indices_or_sections
    if isinstance(given, int):
        parts = [size // given + (place < size % given) for place in range(given)]
        cuts = np.cumsum(parts)[:-1].tolist()
    else:
        cuts = [int(cut) for cut in given]
    pairs = zip([0, *cuts], [*cuts, size], strict=True)
    return [tracer.emit(ops.Slice((axis,), (a,), (b,), (1,)), value) for a, b in pairs]


@rules(knp.Roll)
def roll(tracer: Tracer, op: Any, x: Any) -> Value:
    """Shift cyclically: elements beyond one end reappear at the other."""
    value = tracer.value(x)
    flat = reshaped(tracer, value, (-1,)) if op.axis is None else value
    axes = [0] if op.axis is None else np.atleast_1d(op.axis).tolist()
    shifts = np.broadcast_to(np.atleast_1d(op.shift), (len(axes),)).tolist()
    for axis, shift in zip(axes, shifts, strict=True):
        place = axis % flat.type.rank
        size = flat.shape[place]
        cut = -int(shift) % size if isinstance(size, int) and size else -int(shift)
        if not cut:
            continue
        first = tracer.emit(ops.Slice((place,), (cut,), (None,), (1,)), flat)
        second = tracer.emit(ops.Slice((place,), (0,), (cut,), (1,)), flat)
        flat = tracer.emit(ops.Concat(place), first, second)
    return flat if flat.shape == value.shape else tracer.emit(ops.Reshape(value.shape), flat)


@rules(knp.Rot90)
def rotate(tracer: Tracer, op: Any, array: Any) -> Any:
    """Rotate by quarter turns: reverse each row, then swap both axes. Cases in which Keras returns
    another result are refused."""
    value = tracer.value(array)
    rank = value.type.rank
    axes = [axis % rank for axis in op.axes]
    if sorted(axes) != [rank - 2, rank - 1]:
        raise tracer.error("Keras rotates in the last two axes only")
    if op.k % 4 == 2 and value.shape[-1] != value.shape[-2]:
        raise tracer.error("Keras cannot rotate an image that is not square by half a turn")

    def formula(x: Any) -> Any:
        for _ in range(op.k % 4):
            x = kops.swapaxes(kops.flip(x, axis=axes[1]), *axes)
        return x

    return tracer.record(formula, value)


@rules(knp.Diagonal)
def diagonal(tracer: Tracer, op: Any, x: Any) -> Value:
    """The elements with equal indices in both axes, as the last axis"""
    value = tracer.value(x)
    rank = value.type.rank
    pair = (op.axis1 % rank, op.axis2 % rank)
    sizes = [value.shape[axis] for axis in pair]
    if not all(isinstance(size, int) for size in sizes):
        raise tracer.error(f"a diagonal of {value.shape}: its sizes must be known")
    rows, columns = (int(size) for size in sizes)
    kept = [axis for axis in range(rank) if axis not in pair]
    lead = tuple(value.shape[axis] for axis in kept)
    moved = tracer.emit(ops.Transpose((*kept, *pair)), value)
    flat = tracer.emit(ops.Reshape((*lead, rows * columns)), moved)
    places = np.diagonal(np.arange(rows * columns).reshape(rows, columns), op.offset)
    return picked(tracer, flat, places, len(kept))


@rules(knp.Diag, knp.Diagflat)
def diag(tracer: Tracer, op: Any, x: Any) -> Any:
    """A matrix with the vector on a diagonal; for a matrix, its diagonal"""
    value = tracer.value(x)
    if isinstance(op, knp.Diag) and value.type.rank == 2:
        return tracer.record(lambda x: kops.diagonal(x, op.k), value)
    vector = reshaped(tracer, value, (-1,))
    size = vector.shape[0]
    if not isinstance(size, int):
        raise tracer.error(f"a diagonal of {size} elements: the number must be known")
    total = size + abs(op.k)
    places = np.diag(np.arange(size), op.k).ravel()
    filled = picked(tracer, vector, places, 0)
    kept = np.eye(total, k=op.k, dtype=bool)
    zero = tracer.value(np.zeros((), value.dtype.numpy), "zero")
    matrix = tracer.emit(ops.Reshape((total, total)), filled)
    return tracer.emit(ops.Where(), tracer.value(kept, "kept"), matrix, zero)


@rules(knp.Append)
def append(tracer: Tracer, op: Any, x1: Any, x2: Any) -> Any:
    def formula(x: Any, y: Any) -> Any:
        if op.axis is None:
            x, y = kops.reshape(x, (-1,)), kops.reshape(y, (-1,))
        return kops.concatenate([x, y], axis=op.axis or 0)

    return tracer.record(formula, *promoted(tracer, x1, x2))


@rules(knp.UnravelIndex)
def unravel_index(tracer: Tracer, op: Any, indices: Any) -> tuple[Value, ...]:
    """The index along each axis of a shape"""
    value = tracer.value(indices)
    if value.type.rank > 1:
        raise tracer.error("Keras mixes up the axes unless the indices have one")
    places = []
    for size in reversed(op.shape):
        length = tracer.value(value.dtype.numpy.type(size))
        places.append(tracer.emit(ops.Remainder(), value, length))
        value = tracer.emit(ops.FloorDivide(), value, length)
    return tuple(reversed(places))


@rules(einops.Rearrange)
def rearrange(tracer: Tracer, _op: Any, tensor: Any, pattern: str, **lengths: int) -> Value:
    """Split, move and merge axes by a pattern: ``b h (w c) -> b (h c) w``."""
    value = tracer.value(tensor)
    before, after = (
        [group.strip("()").split() for group in re.findall(r"\w+|\(.*?\)", side)]
        for side in pattern.split("->")
    )
    sizes: dict[str, Dim] = dict(lengths)
    for group, dim in zip(before, value.shape, strict=True):
        unknown = [name for name in group if name not in lengths]
        known = math.prod(lengths[name] for name in group if name in lengths)
        if unknown and known == 1:
            sizes[unknown[0]] = dim
        elif unknown and isinstance(dim, int):
            sizes[unknown[0]] = dim // known
        elif unknown:
            raise tracer.error(f"cannot divide the symbolic dimension {dim}")
    names, wanted = (
        [each for group in before for each in group],
        [each for group in after for each in group],
    )
    split = tracer.emit(ops.Reshape(tuple(sizes[name] for name in names)), value)
    moved = tracer.emit(ops.Transpose(tuple(names.index(name) for name in wanted)), split)
    return tracer.emit(ops.Reshape(tuple(merged(group, sizes) for group in after)), moved)


@rules(knp.Vander)
def vander(tracer: Tracer, op: Any, x: Any) -> Any:
    """Powers of the elements as columns"""

    def formula(x: Any) -> Any:
        count = x.shape[0] if op.N is None else op.N
        columns = [kops.ones_like(x)]
        for _ in range(1, count):
            columns.append(columns[-1] * x)
        return kops.stack(columns if op.increasing else columns[::-1], axis=-1)

    return tracer.record(formula, tracer.value(x))
