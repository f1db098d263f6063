"""Rules for elementwise ``keras.ops``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import keras
from keras.src.ops import core
from keras.src.ops import math as kmath
from keras.src.ops import numpy as knp

from kspec.compiler import ops
from kspec.compiler.ir import DType, Shape, Value
from kspec.compiler.stand_ins import Plus
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: arithmetic")

UNARY: Mapping[type, ops.Op] = {
    knp.Absolute: ops.Abs(),
    knp.Negative: ops.Negative(),
    knp.Sign: ops.Sign(),
    knp.Square: ops.Square(),
}

FLOAT_UNARY: Mapping[type, ops.Op] = {
    knp.Arccos: ops.Acos(),
    knp.Arcsin: ops.Asin(),
    knp.Arctan: ops.Atan(),
    knp.Ceil: ops.Ceil(),
    knp.Cos: ops.Cos(),
    knp.Cosh: ops.Cosh(),
    knp.Exp: ops.Exp(),
    knp.Expm1: ops.Expm1(),
    knp.Floor: ops.Floor(),
    knp.Log: ops.Log(),
    knp.Log1p: ops.Log1p(),
    knp.Reciprocal: ops.Reciprocal(),
    knp.Sin: ops.Sin(),
    knp.Sinh: ops.Sinh(),
    knp.Sqrt: ops.Sqrt(),
    knp.Tan: ops.Tan(),
    knp.Tanh: ops.Tanh(),
    kmath.Erf: ops.Erf(),
    kmath.Rsqrt: ops.Rsqrt(),
}

BINARY: Mapping[type, ops.Op] = {
    Plus: ops.Add(),
    knp.Subtract: ops.Subtract(),
    knp.Multiply: ops.Multiply(),
    knp.FloorDivide: ops.FloorDivide(),
    knp.Mod: ops.Remainder(),
    knp.Maximum: ops.Maximum(),
    knp.Minimum: ops.Minimum(),
    knp.Power: ops.Pow(),
    knp.Equal: ops.Equal(),
    knp.NotEqual: ops.NotEqual(),
    knp.Less: ops.Less(),
    knp.LessEqual: ops.LessEqual(),
    knp.Greater: ops.Greater(),
    knp.GreaterEqual: ops.GreaterEqual(),
}

LOGICAL: Mapping[type, ops.Op] = {
    knp.LogicalAnd: ops.LogicalAnd(),
    knp.LogicalOr: ops.LogicalOr(),
    knp.LogicalXor: ops.LogicalXor(),
}


def cast(tracer: Tracer, value: Value, dtype: DType) -> Value:
    return value if value.dtype is dtype else tracer.emit(ops.Cast(dtype), value)


def as_float(tracer: Tracer, given: Any) -> Value:
    """Convert a value to float, as Keras' math functions do with integers."""
    value = tracer.value(given)
    return value if value.dtype.is_float else cast(tracer, value, DType.float32)


def scalar(tracer: Tracer, number: float, like: Value) -> Value:
    return tracer.value(like.dtype.numpy.type(number))


def promoted(tracer: Tracer, *given: Any) -> list[Value]:
    """Convert arguments to one element type, by Keras' promotion; Python numbers adapt."""
    kinds = [type(x) if isinstance(x, int | float) else tracer.value(x).dtype.value for x in given]
    dtype = DType(keras.backend.result_type(*kinds))
    return [cast(tracer, _typed(tracer, x, dtype), dtype) for x in given]


def _typed(tracer: Tracer, given: Any, dtype: DType) -> Value:
    if isinstance(given, int | float):
        return tracer.value(dtype.numpy.type(given))
    return tracer.value(given)


@rules(*UNARY)
def unary(tracer: Tracer, op: Any, x: Any) -> Value:
    return tracer.emit(UNARY[type(op)], tracer.value(x))


@rules(*FLOAT_UNARY)
def float_unary(tracer: Tracer, op: Any, x: Any) -> Value:
    return tracer.emit(FLOAT_UNARY[type(op)], as_float(tracer, x))


@rules(*BINARY)
def binary(tracer: Tracer, op: Any, x1: Any, x2: Any) -> Value:
    return tracer.emit(BINARY[type(op)], *promoted(tracer, x1, x2))


@rules(knp.Add)
def add(tracer: Tracer, _op: Any, x1: Any, x2: Any) -> Value:
    left, right = promoted(tracer, x1, x2)
    shape = bias_shape(left.shape, right.shape)
    if shape != right.shape:
        right = tracer.emit(ops.Reshape(shape), right)
    return tracer.emit(ops.Add(), left, right)


def bias_shape(x: Shape, added: Shape) -> Shape:
    """Return the shape to which Keras reshapes a tensor before adding it to x.

    ``keras.src.backend.tensorflow.numpy.add`` treats a tensor with exactly one axis longer than 1
    as a bias. The bias is added along the last axis of x if that has the same length, otherwise
    along the second, even if broadcasting would pair it with another axis.
    """
    sizes = [dim for dim in added if isinstance(dim, str) or dim > 1]
    if len(sizes) != 1 or isinstance(sizes[0], str) or len(x) < 2 or sizes[0] not in (x[1], x[-1]):
        return added
    trailing = 0 if sizes[0] == x[-1] else len(x) - 2
    found = (sizes[0], *(1,) * trailing)
    aligned = len(added) <= len(x) and added[-len(found) :] == found
    return added if aligned else found


@rules(knp.Divide, knp.TrueDivide)
def divide(tracer: Tracer, _op: Any, x1: Any, x2: Any) -> Value:
    left, right = promoted(tracer, x1, x2)
    return tracer.emit(ops.Divide(), as_float(tracer, left), as_float(tracer, right))


@rules(*LOGICAL)
def logical(tracer: Tracer, op: Any, x1: Any, x2: Any) -> Value:
    pair = (cast(tracer, tracer.value(x), DType.boolean) for x in (x1, x2))
    return tracer.emit(LOGICAL[type(op)], *pair)


@rules(knp.LogicalNot)
def logical_not(tracer: Tracer, _op: Any, x: Any) -> Value:
    return tracer.emit(ops.LogicalNot(), cast(tracer, tracer.value(x), DType.boolean))


@rules(knp.Isnan)
def isnan(tracer: Tracer, _op: Any, x: Any) -> Value:
    return tracer.emit(ops.IsNan(), as_float(tracer, x))


@rules(knp.Round)
def round_(tracer: Tracer, op: Any, x: Any) -> Value:
    given = tracer.value(x)
    if not given.dtype.is_float and op.decimals >= 0:
        return given
    value = as_float(tracer, given)
    if not op.decimals:
        return tracer.emit(ops.Round(), value)
    factor = scalar(tracer, 10.0**op.decimals, value)
    scaled = tracer.emit(ops.Round(), tracer.emit(ops.Multiply(), value, factor))
    return cast(tracer, tracer.emit(ops.Divide(), scaled, factor), given.dtype)


@rules(knp.Clip)
def clip(tracer: Tracer, op: Any, x: Any) -> Value:
    """Clip integers by Minimum and Maximum: the bounds of Clip are floats."""
    value = tracer.value(x)
    low, high = _bound(op.x_min), _bound(op.x_max)
    return clipped(tracer, value, low, high)


def clipped(tracer: Tracer, value: Value, low: float | None, high: float | None) -> Value:
    """Limit a value to two bounds, each of which may be None."""
    if value.dtype.is_float:
        return tracer.emit(ops.Clip(low, high), value)
    if value.dtype is DType.boolean:
        value = cast(tracer, value, DType.int32)
    if low is not None:
        value = tracer.emit(ops.Maximum(), value, scalar(tracer, low, value))
    return value if high is None else tracer.emit(ops.Minimum(), value, scalar(tracer, high, value))


@rules(knp.Where)
def where(tracer: Tracer, _op: Any, condition: Any, x1: Any = None, x2: Any = None) -> Value:
    if x1 is None:
        raise tracer.error("keras.ops.where without branches has a shape that depends on data")
    chosen = cast(tracer, tracer.value(condition), DType.boolean)
    return tracer.emit(ops.Where(), chosen, *promoted(tracer, x1, x2))


@rules(core.Cast)
def cast_to(tracer: Tracer, op: Any, x: Any) -> Value:
    return cast(tracer, tracer.value(x), DType(op.dtype))


@rules(kmath.Logsumexp)
def logsumexp(tracer: Tracer, op: Any, x: Any) -> Value:
    """max + log Σ exp(x - max)"""
    value = as_float(tracer, x)
    rank = value.type.rank
    given = range(rank) if op.axis is None else [op.axis] if isinstance(op.axis, int) else op.axis
    axes = tuple(sorted(axis % rank for axis in given))
    top = tracer.emit(ops.Max(axes, keepdims=True), value)
    exp = tracer.emit(ops.Exp(), tracer.emit(ops.Subtract(), value, top))
    log = tracer.emit(ops.Log(), tracer.emit(ops.Sum(axes, keepdims=op.keepdims), exp))
    if not op.keepdims:
        top = tracer.emit(ops.Reshape(log.shape), top)
    return tracer.emit(ops.Add(), log, top)


@rules(core.StopGradient)
def same(tracer: Tracer, _op: Any, x: Any) -> Value:
    return tracer.value(x)


def _bound(given: Any) -> float | None:
    if given is None:
        return None
    number = float(given)
    return None if math.isinf(number) else number
