"""Rules for elementary functions that the IR lacks, as formulas in ``keras.ops``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops as kops
from keras.src.ops import core
from keras.src.ops import math as kmath
from keras.src.ops import numpy as knp

from kspec.compiler import ops
from kspec.compiler.ir import DType, Value
from kspec.compiler.rules.arithmetic import as_float, cast, promoted
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: elementary functions")

Formula = Callable[..., Any]

_INVERSE_ERROR = (
    (
        2.81022636e-08,
        3.43273939e-07,
        -3.5233877e-06,
        -4.39150654e-06,
        0.00021858087,
        -0.00125372503,
        -0.00417768164,
        0.246640727,
        1.50140941,
    ),
    (
        -0.000200214257,
        0.000100950558,
        0.00134934322,
        -0.00367342844,
        0.00573950773,
        -0.0076224613,
        0.00943887047,
        1.00167406,
        2.83297682,
    ),
)
"""Coefficients for w < 5 and w ≥ 5, highest power first (Giles 2010, single precision)."""


def inverse_error(x: Any) -> Any:
    """x · P(w), w = -log(1 - x²), with separate polynomials P for the centre and the tails"""
    w = -(kops.log1p(x) + kops.log1p(-x))
    arguments = w - 2.5, kops.sqrt(kops.maximum(w, 5.0)) - 3.0
    sums = []
    for coefficients, at in zip(_INVERSE_ERROR, arguments, strict=True):
        total = coefficients[0]
        for coefficient in coefficients[1:]:
            total = coefficient + total * at
        sums.append(total)
    curve = x * kops.where(w < 5.0, *sums)
    return kops.where(kops.equal(kops.abs(x), 1.0), x * math.inf, curve)


def arcsinh(x: Any) -> Any:
    """±log1p(a + a / (1/a + √(1/a² + 1))), a = |x|, without cancellation or overflow"""
    size = kops.abs(x)
    inverse = 1.0 / size
    result = kops.log1p(size + size / (inverse + kops.sqrt(kops.square(inverse) + 1.0)))
    return kops.where(kops.equal(size, 0.0), x, kops.sign(x) * result)


def arccosh(x: Any) -> Any:
    """log1p(t + √t · √(t + 2)), t = x - 1, without cancellation near 1"""
    t = x - 1.0
    return kops.log1p(t + kops.sqrt(t) * kops.sqrt(t + 2.0))


def arctan2(y: Any, x: Any) -> Any:
    """The arc tangent of smaller / larger, moved to the octant given by the signs"""
    width, height = kops.abs(x), kops.abs(y)
    longer = kops.maximum(width, height)
    safe = kops.where(kops.equal(longer, 0.0), 1.0, longer)
    angle = kops.arctan(kops.minimum(width, height) / safe)
    angle = kops.where(height > width, math.pi / 2 - angle, angle)
    angle = kops.where(x < 0.0, math.pi - angle, angle)
    return kops.where(y < 0.0, -angle, angle)


def hypot(x: Any, y: Any) -> Any:
    """max · √(1 + (min / max)²), without overflow"""
    x, y = kops.abs(x), kops.abs(y)
    longer = kops.maximum(x, y)
    safe = kops.where(kops.equal(longer, 0.0), 1.0, longer)
    return longer * kops.sqrt(1.0 + kops.square(kops.minimum(x, y) / safe))


def log_sum(x: Any, y: Any, base: float) -> Any:
    """max + log(1 + base^-|x - y|) / log base, infinities included"""
    unit = math.log(base)
    apart = kops.where(kops.equal(x, y), 0.0, kops.abs(x - y))
    return kops.maximum(x, y) + kops.log1p(kops.exp(-unit * apart)) / unit


def truncate(x: Any) -> Any:
    return kops.where(x < 0.0, kops.ceil(x), kops.floor(x))


def signbit(x: Any) -> Any:
    """x < 0; for zero, the sign of the reciprocal"""
    return kops.where(kops.equal(x, 0.0), 1.0 / x, x) < 0.0


def heaviside(x: Any, at_zero: Any) -> Any:
    step = kops.cast(x > 0.0, x.dtype)
    return kops.where(kops.equal(x, 0.0), at_zero, kops.where(kops.isnan(x), x, step))


def sinc(x: Any) -> Any:
    """sin(πx) / πx"""
    angle = math.pi * kops.where(kops.equal(x, 0.0), 1.0, x)
    return kops.where(kops.equal(x, 0.0), 1.0, kops.sin(angle) / angle)


def divide_no_nan(x: Any, y: Any) -> Any:
    safe = kops.where(kops.equal(y, 0.0), 1.0, y)
    return kops.where(kops.equal(y, 0.0), 0.0, x / safe)


def is_close(op: Any, x: Any, y: Any, rtol: Any = 1e-5, atol: Any = 1e-8) -> Any:
    """|x - y| ≤ atol + rtol · |y|; as in Keras, infinity is close to every finite number"""
    if "float" not in x.dtype:
        return kops.equal(x, y)
    result = kops.abs(x - y) <= atol + rtol * kops.abs(y)
    if not op.equal_nan:
        return result
    return kops.logical_or(result, kops.logical_and(kops.isnan(x), kops.isnan(y)))


def replace_nan(op: Any, x: Any) -> Any:
    """NaN and infinities replaced by numbers; the default for infinities is ± the largest float"""
    greatest = float(np.finfo(np.float32).max)
    high = greatest if op.posinf is None else op.posinf
    low = -greatest if op.neginf is None else op.neginf
    x = kops.where(kops.isnan(x), float(op.nan), x)
    x = kops.where(kops.equal(x, math.inf), float(high), x)
    return kops.where(kops.equal(x, -math.inf), float(low), x)


FORMULAS: Mapping[type, Formula] = {
    kmath.Erfc: lambda _, x: 1.0 - kops.erf(x),
    kmath.Erfinv: lambda _, x: inverse_error(x),
    knp.Angle: lambda _, x: kops.where(x < 0.0, math.pi, 0.0 * x),
    knp.Arccosh: lambda _, x: arccosh(x),
    knp.Arcsinh: lambda _, x: arcsinh(x),
    knp.Arctan2: lambda _, y, x: arctan2(y, x),
    knp.Arctanh: lambda _, x: 0.5 * (kops.log1p(x) - kops.log1p(-x)),
    knp.Cbrt: lambda _, x: kops.sign(x) * kops.power(kops.abs(x), 1 / 3),
    knp.Deg2rad: lambda _, x: x * (math.pi / 180),
    knp.DivideNoNan: lambda _, x, y: divide_no_nan(x, y),
    knp.Exp2: lambda _, x: kops.power(2.0, x),
    knp.Fabs: lambda _, x: kops.abs(x),
    knp.Heaviside: lambda _, x, y: heaviside(x, y),
    knp.Hypot: lambda _, x, y: hypot(x, y),
    knp.Isfinite: lambda _, x: kops.abs(x) < math.inf,
    knp.Isinf: lambda _, x: kops.equal(kops.abs(x), math.inf),
    knp.Isneginf: lambda _, x: kops.equal(x, -math.inf),
    knp.Isposinf: lambda _, x: kops.equal(x, math.inf),
    knp.Ldexp: lambda _, x, y: x * kops.power(2.0, y),
    knp.Log10: lambda _, x: kops.log(x) / math.log(10),
    knp.Log2: lambda _, x: kops.log(x) / math.log(2),
    knp.Logaddexp: lambda _, x, y: log_sum(x, y, math.e),
    knp.Logaddexp2: lambda _, x, y: log_sum(x, y, 2.0),
    knp.Rad2deg: lambda _, x: x * (180 / math.pi),
    knp.Signbit: lambda _, x: signbit(x),
    knp.Sinc: lambda _, x: sinc(x),
}
"""Formulas of floats; integers are converted first."""

OF_NUMBERS: Mapping[type, Formula] = {
    knp.Abs: lambda _, x: kops.absolute(x),
    knp.Fmax: lambda _, x, y: kops.where(
        kops.isnan(x), y, kops.where(kops.isnan(y), x, kops.maximum(x, y))
    ),
    knp.Fmin: lambda _, x, y: kops.where(
        kops.isnan(x), y, kops.where(kops.isnan(y), x, kops.minimum(x, y))
    ),
    knp.Isclose: is_close,
    knp.Trunc: lambda _, x: truncate(x) if "float" in x.dtype else x,
}
"""Formulas of floats or integers, after Keras' promotion."""


@rules(*FORMULAS)
def of_floats(tracer: Tracer, op: Any, *xs: Any) -> Any:
    values = [as_float(tracer, each) for each in promoted(tracer, *xs)]
    return tracer.record(FORMULAS[type(op)], op, *values)


@rules(*OF_NUMBERS)
def of_numbers(tracer: Tracer, op: Any, x: Any, *rest: Any, **kwargs: Any) -> Any:
    first, *others = rest[:1], *rest[1:]
    values = promoted(tracer, x, *first)
    return tracer.record(OF_NUMBERS[type(op)], op, *values, *others, **kwargs)


@rules(knp.AllClose)
def all_close(tracer: Tracer, op: Any, x1: Any, x2: Any) -> Any:
    def formula(x: Any, y: Any) -> Any:
        return kops.all(kops.isclose(x, y, op.rtol, op.atol, op.equal_nan))

    return tracer.record(formula, *promoted(tracer, x1, x2))


@rules(knp.NanToNum)
def nan_to_num(tracer: Tracer, op: Any, x: Any) -> Any:
    value = tracer.value(x)
    return tracer.record(replace_nan, op, value) if value.dtype.is_float else value


@rules(knp.Fmod)
def fmod(tracer: Tracer, _op: Any, x1: Any, x2: Any) -> Any:
    """x - y · trunc(x / y), with the sign of x"""
    x, y = promoted(tracer, x1, x2)

    def formula(x: Any, y: Any) -> Any:
        rest = kops.mod(kops.abs(x), kops.abs(y))
        return kops.where(x < 0, -rest, rest)

    return tracer.record(formula, x, y)


@rules(knp.Conj, knp.Conjugate, knp.Copy, knp.Real)
def same(tracer: Tracer, _op: Any, x: Any) -> Value:
    """Return the value: all numbers are real."""
    return tracer.value(x)


@rules(knp.Array, core.ConvertToTensor, core.SaturateCast)
def converted(tracer: Tracer, op: Any, x: Any) -> Any:
    value = tracer.value(x)
    if op.dtype is None:
        return value
    dtype = DType(op.dtype)
    if isinstance(op, core.SaturateCast) and not dtype.is_float and dtype is not DType.boolean:
        limits = np.iinfo(dtype.numpy)
        low, high = float(limits.min), float(limits.max)
        if value.dtype.is_float and limits.bits > 24:  # the last float32 below the limit
            high = float(np.nextafter(np.float32(high), np.float32(0)))
        if value.dtype.is_float or np.iinfo(value.dtype.numpy).bits > limits.bits:
            value = tracer.emit(ops.Clip(low, high), value)
    return cast(tracer, value, dtype)


rules.refuse(
    "only some formats have operations on the bits of integers",
    knp.BitwiseAnd,
    knp.BitwiseOr,
    knp.BitwiseXor,
)


@rules(knp.BitwiseInvert, knp.BitwiseNot)
def invert(tracer: Tracer, _op: Any, x: Any) -> Value:
    """-1 - x, in two's complement"""
    value = tracer.value(x)
    return tracer.emit(ops.Subtract(), tracer.value(value.dtype.numpy.type(-1)), value)


@rules(knp.LeftShift, knp.BitwiseLeftShift, knp.RightShift, knp.BitwiseRightShift)
def shift(tracer: Tracer, op: Any, x: Any, y: Any) -> Value:
    """A product with a power of 2, or a floor division; the number of bits is constant"""
    value, bits = promoted(tracer, x, y)
    array = tracer.constants.get(tracer.value(y).name)
    if array is None:
        raise tracer.error("a shift by a computed number of bits is not lowered")
    power = tracer.value(np.left_shift(1, array.astype(bits.dtype.numpy)).astype(bits.dtype.numpy))
    left = isinstance(op, knp.LeftShift | knp.BitwiseLeftShift)
    return tracer.emit(ops.Multiply() if left else ops.FloorDivide(), value, power)


@rules(knp.Select)
def select(tracer: Tracer, _op: Any, condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    def formula(conditions: list[Any], choices: list[Any], result: Any) -> Any:
        for condition, choice in reversed(list(zip(conditions, choices, strict=True))):
            result = kops.where(condition, choice, result)
        return result

    return tracer.record(formula, list(condlist), list(choicelist), default)
