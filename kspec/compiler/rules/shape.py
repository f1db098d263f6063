"""Rules for ``keras.ops`` that move elements."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from keras.src.ops import numpy as knp

from kspec.compiler import ops
from kspec.compiler.ir import Dim, DType, Shape, Value
from kspec.compiler.rules.arithmetic import cast, promoted
from kspec.compiler.rules.reduction import axes_of
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: shapes")


def reshaped(tracer: Tracer, value: Value, newshape: Sequence[int | None]) -> Value:
    """Reshape and infer unknown sizes (-1, None). A single one is the remaining factor. Of several,
    each takes the symbolic dimension at its position, and the last is the remaining factor."""
    shape: list[Dim | None] = [None if dim in (None, -1) else dim for dim in newshape]
    for axis, known in enumerate(value.shape[: len(shape)]):
        if shape.count(None) > 1 and shape[axis] is None and isinstance(known, str):
            shape[axis] = known
    if shape.count(None) == 1:
        shape[shape.index(None)] = _left(value.shape, shape)
    if None in shape:
        raise tracer.error(f"cannot infer the shape {tuple(newshape)} from {value.shape}")
    full: Shape = tuple(dim for dim in shape if dim is not None)
    return value if full == value.shape else tracer.emit(ops.Reshape(full), value)


def _left(before: Shape, after: Sequence[Dim | None]) -> Dim | None:
    """Return the dimension that gives both shapes the same number of elements, or None."""
    names = [dim for dim in before if isinstance(dim, str)]
    for dim in after:
        if isinstance(dim, str):
            if dim not in names:
                return None
            names.remove(dim)
    total = math.prod(dim for dim in before if isinstance(dim, int))
    used = math.prod(dim for dim in after if isinstance(dim, int))
    factor, rest = divmod(total, used) if used else (0, 1)
    if rest:
        return None
    if not names:
        return factor
    return "*".join([*names, *([str(factor)] if factor != 1 else [])])


@rules(knp.Reshape)
def reshape(tracer: Tracer, op: Any, x: Any) -> Value:
    newshape = (op.newshape,) if isinstance(op.newshape, int) else op.newshape
    return reshaped(tracer, tracer.value(x), newshape)


@rules(knp.Ravel)
def ravel(tracer: Tracer, _op: Any, x: Any) -> Value:
    return reshaped(tracer, tracer.value(x), (-1,))


@rules(knp.ExpandDims)
def expand_dims(tracer: Tracer, op: Any, x: Any) -> Value:
    value = tracer.value(x)
    axes = (op.axis,) if isinstance(op.axis, int) else tuple(op.axis)
    rank = value.type.rank + len(axes)
    places = {axis % rank for axis in axes}
    rest = iter(value.shape)
    return tracer.emit(
        ops.Reshape(tuple(1 if axis in places else next(rest) for axis in range(rank))), value
    )


@rules(knp.Squeeze)
def squeeze(tracer: Tracer, op: Any, x: Any) -> Value:
    value = tracer.value(x)
    ones = [axis for axis, dim in enumerate(value.shape) if dim == 1]
    gone = ones if op.axis is None else axes_of(op.axis, value.type.rank)
    kept = tuple(dim for axis, dim in enumerate(value.shape) if axis not in gone)
    return tracer.emit(ops.Reshape(kept), value)


@rules(knp.Transpose)
def transpose(tracer: Tracer, op: Any, x: Any) -> Value:
    value = tracer.value(x)
    rank = value.type.rank
    axes = range(rank)[::-1] if op.axes is None else [axis % rank for axis in op.axes]
    return tracer.emit(ops.Transpose(tuple(axes)), value)


@rules(knp.Swapaxes)
def swapaxes(tracer: Tracer, op: Any, x: Any) -> Value:
    value = tracer.value(x)
    axes = list(range(value.type.rank))
    axes[op.axis1], axes[op.axis2] = axes[op.axis2], axes[op.axis1]
    return tracer.emit(ops.Transpose(tuple(axes)), value)


@rules(knp.Moveaxis)
def moveaxis(tracer: Tracer, op: Any, x: Any) -> Value:
    value = tracer.value(x)
    rank = value.type.rank
    source, target = np.atleast_1d(op.source) % rank, np.atleast_1d(op.destination) % rank
    perm = [axis for axis in range(rank) if axis not in source]
    for place, axis in sorted(zip(target.tolist(), source.tolist(), strict=True)):
        perm.insert(place, axis)
    return tracer.emit(ops.Transpose(tuple(perm)), value)


@rules(knp.Concatenate)
def concatenate(tracer: Tracer, op: Any, xs: Sequence[Any]) -> Value:
    values = promoted(tracer, *xs)
    return tracer.emit(ops.Concat(op.axis % values[0].type.rank), *values)


@rules(knp.Stack)
def stack(tracer: Tracer, op: Any, xs: Sequence[Any]) -> Value:
    values = promoted(tracer, *xs)
    axis = op.axis % (values[0].type.rank + 1)
    wide = [
        tracer.emit(ops.Reshape((*each.shape[:axis], 1, *each.shape[axis:])), each)
        for each in values
    ]
    return tracer.emit(ops.Concat(axis), *wide)


@rules(knp.Split)
def split(tracer: Tracer, op: Any, x: Any) -> list[Value]:
    value = tracer.value(x)
    axis = op.axis % value.type.rank
    size = value.shape[axis]
    if not isinstance(size, int):
        raise tracer.error(f"cannot split the symbolic dimension {size}")
    given = op.indices_or_sections
    cuts = [size // given * i for i in range(1, given)] if isinstance(given, int) else [*given]
    starts, stops = [0, *cuts], [*cuts, size]
    pairs = zip(starts, stops, strict=True)
    return [tracer.emit(ops.Slice((axis,), (a,), (b,), (1,)), value) for a, b in pairs]


@rules(knp.Pad)
def pad(tracer: Tracer, op: Any, x: Any, constant_values: Any = None) -> Value:
    value = tracer.value(x)
    widths = np.broadcast_to(np.asarray(op.pad_width, int), (value.type.rank, 2))
    low, high = (tuple(int(each) for each in column) for column in widths.T)
    fill = 0.0 if constant_values is None else float(constant_values)
    return tracer.emit(ops.Pad(low, high, op.mode, fill), value)


@rules(knp.BroadcastTo)
def broadcast_to(tracer: Tracer, op: Any, x: Any) -> Value:
    value = tracer.value(x)
    if any(dim is None for dim in op.shape):
        raise tracer.error(f"cannot infer the shape {op.shape} to broadcast to")
    return tracer.emit(ops.BroadcastTo(tuple(op.shape)), value)


@rules(knp.Tile)
def tile(tracer: Tracer, op: Any, x: Any) -> Value:
    value = tracer.value(x)
    repeats = (op.repeats,) if isinstance(op.repeats, int) else tuple(op.repeats)
    repeats = (1,) * (value.type.rank - len(repeats)) + repeats
    missing = len(repeats) - value.type.rank
    if missing:
        value = tracer.emit(ops.Reshape((1,) * missing + value.shape), value)
    return tracer.emit(ops.Tile(tuple(int(each) for each in repeats)), value)


@rules(knp.Repeat)
def repeat(tracer: Tracer, op: Any, x: Any) -> Value:
    value = tracer.value(x)
    times = np.asarray(op.repeats)
    if op.axis is None or times.size != 1:
        raise tracer.error("only a repeat of every element along one axis is lowered")
    return tracer.emit(ops.Repeat(int(times.ravel()[0]), op.axis % value.type.rank), value)


@rules(knp.Flip)
def flip(tracer: Tracer, op: Any, x: Any) -> Value:
    value = tracer.value(x)
    return tracer.emit(ops.Reverse(axes_of(op.axis, value.type.rank)), value)


@rules(knp.Take)
def take(tracer: Tracer, op: Any, x: Any, indices: Any) -> Value:
    value, places = tracer.value(x, "table"), tracer.value(indices, "indices")
    if not np.issubdtype(places.dtype.numpy, np.integer):
        places = cast(tracer, places, DType.int32)
    if op.axis is None:
        value = reshaped(tracer, value, (-1,))
    return tracer.emit(ops.Gather((op.axis or 0) % value.type.rank), value, places)


@rules(knp.GetItem)
def get_item(tracer: Tracer, _op: Any, x: Any, key: Any) -> Value:
    value = tracer.value(x)
    keys = list(key) if isinstance(key, tuple | list) else [key]
    axes: list[tuple[int, int, int | None, int]] = []
    reverse: list[int] = []
    shape: list[int | slice | None] = []
    for each in _without_ellipsis(keys, value.type.rank):
        shape.append(each)
        axis = len([one for one in shape if one is not None]) - 1
        if isinstance(each, slice):
            start, stop, step = each.start or 0, each.stop, each.step or 1
            if (each.start, each.stop, step) == (None, None, -1):
                reverse.append(axis)
            elif step < 0:
                raise tracer.error("only a whole axis can be reversed")
            elif (start, stop, step) != (0, None, 1):
                axes.append((axis, start, stop, step))
        elif each is not None:
            axes.append((axis, int(each), int(each) + 1 or None, 1))
    if axes:
        value = tracer.emit(
            ops.Slice(*(tuple(column) for column in zip(*axes, strict=True))), value
        )
    if reverse:
        value = tracer.emit(ops.Reverse(tuple(reverse)), value)
    rest = iter(value.shape)
    final = tuple(
        dim
        for each, dim in ((each, 1 if each is None else next(rest)) for each in shape)
        if each is None or isinstance(each, slice)
    )
    return value if final == value.shape else tracer.emit(ops.Reshape(final), value)


def _without_ellipsis(keys: list[Any], rank: int) -> list[Any]:
    """Return the key with one entry per axis, and None for each new axis."""
    used = sum(key is not None and key is not Ellipsis for key in keys)
    place = keys.index(Ellipsis) if Ellipsis in keys else len(keys)
    return [*keys[:place], *[slice(None)] * (rank - used), *keys[place + 1 :]]
