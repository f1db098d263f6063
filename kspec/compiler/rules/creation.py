"""Rules for ``keras.ops`` that create tensors from constants, or in the shape of another tensor."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops as kops
from keras.src.ops import nn
from keras.src.ops import numpy as knp

from kspec.compiler import ops
from kspec.compiler.ir import Array, DType, Shape, Value
from kspec.compiler.rules.arithmetic import cast, promoted
from kspec.compiler.stand_ins import Fill, Positions
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: creation")


def known_array(tracer: Tracer, given: Any, what: str) -> Array:
    """Return an argument as an array; raise an error if it depends on the model's inputs."""
    value = tracer.value(given, what)
    array = tracer.constants.get(value.name)
    if array is None:
        raise tracer.error(f"{what} must be known when the model is compiled")
    return array


def filled(tracer: Tracer, number: Any, dtype: DType, shape: Shape) -> Value:
    """Return a shape filled with one number; the shape may be symbolic."""
    if isinstance(number, Value):
        value = cast(tracer, number, dtype)
    else:
        value = tracer.value(np.asarray(number, dtype.numpy), "fill")
    return value if value.shape == shape else tracer.emit(ops.BroadcastTo(shape), value)


@rules(knp.ZerosLike, knp.OnesLike, knp.EmptyLike)
def like(tracer: Tracer, op: Any, x: Any) -> Value:
    value = tracer.value(x)
    dtype = value.dtype if op.dtype is None else DType(op.dtype)
    return filled(tracer, int(isinstance(op, knp.OnesLike)), dtype, value.shape)


@rules(knp.FullLike)
def full_like(tracer: Tracer, op: Any, x: Any, fill_value: Any) -> Value:
    value = tracer.value(x)
    dtype = value.dtype if op.dtype is None else DType(op.dtype)
    return filled(tracer, fill_value, dtype, value.shape)


@rules(knp.Full)
def full(tracer: Tracer, op: Any, fill_value: Any) -> Value:
    value = tracer.value(fill_value)
    dtype = DType(keras.config.floatx() if op.dtype is None else op.dtype)
    shape = (op.shape,) if isinstance(op.shape, int) else tuple(op.shape)
    return filled(tracer, value, dtype, shape)


@rules(Fill)
def fill(tracer: Tracer, op: Any, around: Sequence[Value], x: Any) -> Value:
    value = tracer.value(x, "fill")
    shape = tuple(
        _size_around(tracer, around, axis) if dim is None else dim
        for axis, dim in enumerate(op.shape)
    )
    return value if value.shape == shape else tracer.emit(ops.BroadcastTo(shape), value)


@rules(Positions)
def positions(tracer: Tracer, op: Any, around: Sequence[Value]) -> Value:
    """Lower to the running sum of ones, minus one."""
    ones = filled(tracer, 1, DType.float32, (_size_around(tracer, around, 1),))
    counted = tracer.emit(ops.CumSum(0), ones)
    one = tracer.value(np.float32(1), "one")
    return cast(tracer, tracer.emit(ops.Subtract(), counted, one), DType(op.dtype))


def _size_around(tracer: Tracer, around: Sequence[Value], axis: int) -> str:
    """Return the symbolic dimension of the first axis, or the only symbolic one after it."""
    heads = {value.shape[0] for value in around if value.shape}
    rest = {dim for value in around for dim in value.shape[1:]}
    names = sorted({dim for dim in (rest if axis else heads) if isinstance(dim, str)})
    if len(names) != 1:
        raise tracer.error(f"cannot infer the unknown size of axis {axis}")
    return names[0]


@rules(nn.OneHot)
def one_hot(tracer: Tracer, op: Any, x: Any) -> Value:
    """1 where an index equals the position along the new axis; zeros for an index out of range"""
    if op.sparse:
        raise tracer.error("a sparse one-hot encoding is not lowered")
    dtype = DType(keras.config.floatx() if op.dtype is None else op.dtype)
    return _one_hot(tracer, tracer.value(x), op.num_classes, op.axis, dtype)


@rules(nn.MultiHot)
def multi_hot(tracer: Tracer, op: Any, inputs: Any) -> Value:
    """1 at each index that occurs along the reduced axis; that axis depends on the rank"""
    if op.sparse:
        raise tracer.error("a sparse multi-hot encoding is not lowered")
    value = tracer.value(inputs)
    dtype = DType(keras.config.floatx() if op.dtype is None else op.dtype)
    axis = 1 if value.type.rank > 1 and value.shape[1] is not None else 0
    encoded = _one_hot(tracer, value, op.num_classes, op.axis, dtype)
    return tracer.emit(ops.Max((axis,)), encoded)


def _one_hot(tracer: Tracer, value: Value, count: int, axis: int, dtype: DType) -> Value:
    value = cast(tracer, value, DType.int32) if value.dtype.is_float else value
    rank = value.type.rank
    place = axis % (rank + 1)
    wide = tracer.emit(ops.Reshape((*value.shape[:place], 1, *value.shape[place:])), value)
    classes = np.arange(count, dtype=value.dtype.numpy)
    shaped = tracer.value(classes.reshape([count] + [1] * (rank - place)), "classes")
    return cast(tracer, tracer.emit(ops.Equal(), wide, shaped), dtype)


@rules(knp.Tril, knp.Triu)
def triangle(tracer: Tracer, op: Any, x: Any) -> Value:
    """Zeros above, or below, a diagonal of the last two axes"""
    value = tracer.value(x)
    rows, columns = value.shape[-2:]
    if isinstance(rows, str) or isinstance(columns, str):
        raise tracer.error(f"a triangle of {value.shape}: its sizes must be known")
    below = np.tri(rows, columns, op.k if isinstance(op, knp.Tril) else op.k - 1, dtype=bool)
    kept = tracer.value(below if isinstance(op, knp.Tril) else ~below, "triangle")
    zero = tracer.value(np.zeros((), value.dtype.numpy), "zero")
    return tracer.emit(ops.Where(), kept, value, zero)


@rules(knp.Linspace, knp.Logspace, knp.Geomspace)
def space(tracer: Tracer, op: Any, start: Any, stop: Any) -> Any:
    """``num`` numbers from start to stop, evenly spaced on a linear or logarithmic scale"""
    first, last = promoted(tracer, start, stop)
    dtype = DType(op.dtype or keras.backend.result_type(first.dtype.value, float))
    parts = max(op.num - 1 if op.endpoint else op.num, 1)
    steps = np.arange(op.num, dtype=np.float32) / np.float32(parts)

    def formula(start: Any, stop: Any) -> Any:
        start, stop = kops.cast(start, "float32"), kops.cast(stop, "float32")
        if isinstance(op, knp.Geomspace):
            start, stop = kops.log(start), kops.log(stop)
        wide = np.reshape(steps, (-1, *[1] * len((start + stop).shape)))
        result = start + (stop - start) * wide
        if isinstance(op, knp.Logspace):
            result = kops.power(float(op.base), result)
        elif isinstance(op, knp.Geomspace):
            result = kops.exp(result)
        return kops.moveaxis(kops.cast(result, dtype.value), 0, op.axis)

    result = tracer.record(formula, first, last)
    if not getattr(op, "retstep", False):
        return result
    return result, tracer.record(
        lambda a, b: (kops.cast(b, "float32") - kops.cast(a, "float32")) / parts, first, last
    )


rules.refuse("a range whose bounds are computed has a length that depends on data", knp.Arange)


@rules(knp.Meshgrid)
def meshgrid(tracer: Tracer, op: Any, *xs: Any) -> list[Value]:
    """Each vector along its own axis, broadcast along the others; ``xy`` swaps the first two
    axes"""
    vectors = [tracer.value(x) for x in xs]
    order = list(range(len(vectors)))
    if op.indexing == "xy" and len(order) > 1:
        order[:2] = [1, 0]
    sizes = [_length(each) for each in vectors]
    shape = tuple(sizes[axis] for axis in order)
    results = []
    for number, vector in enumerate(vectors):
        place = order.index(number)
        wide = tuple(sizes[number] if axis == place else 1 for axis in range(len(order)))
        value = tracer.emit(ops.Reshape(wide), vector)
        results.append(tracer.emit(ops.BroadcastTo(shape), value))
    return results


def _length(vector: Value) -> Any:
    names = [dim for dim in vector.shape if isinstance(dim, str)]
    if len(names) == len(vector.shape) == 1:
        return names[0]
    number = math.prod(int(dim) for dim in vector.shape if isinstance(dim, int))
    return "*".join([*names, *([str(number)] if number != 1 else [])]) if names else number


@rules(knp.Size)
def size(tracer: Tracer, _op: Any, x: Any) -> Value:
    """The number of elements"""
    value = tracer.value(x)
    if any(isinstance(dim, str) for dim in value.shape):
        ones = filled(tracer, 1, DType.int32, value.shape)
        return tracer.emit(ops.Sum(tuple(range(value.type.rank))), ones)
    return tracer.value(np.int32(math.prod(map(int, value.shape))), "size")


@rules(knp.Isreal, knp.Imag)
def zero_imaginary_part(tracer: Tracer, op: Any, x: Any) -> Value:
    """Return the constant result for real numbers."""
    value = tracer.value(x)
    if isinstance(op, knp.Isreal):
        return filled(tracer, True, DType.boolean, value.shape)  # noqa: FBT003
    return filled(tracer, 0, value.dtype, value.shape)
