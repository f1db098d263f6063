"""Elementwise operations."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar

from kspec.compiler.ir import DType, Op, TensorType
from kspec.compiler.ops.base import (
    ANY,
    BOOLEANS,
    FLOATS,
    NUMBERS,
    Elementwise,
    OpError,
    common_dtype,
    expect_arity,
)


@dataclass(frozen=True, slots=True)
class Identity(Elementwise):
    """The input itself; kept only to give an output its public name"""


@dataclass(frozen=True, slots=True)
class Cast(Op):
    """The input converted to ``dtype``; a float becomes an integer by truncation toward zero."""

    dtype: DType

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        return (inputs[0].with_dtype(self.dtype),)


@dataclass(frozen=True, slots=True)
class Arithmetic(Elementwise, ABC):
    """An elementwise operation on integers or floats."""

    accepts: ClassVar[frozenset[DType]] = NUMBERS


@dataclass(frozen=True, slots=True)
class Analytic(Elementwise, ABC):
    """An elementwise operation on floats."""

    accepts: ClassVar[frozenset[DType]] = FLOATS


class Abs(Arithmetic):
    """|x|"""


class Negative(Arithmetic):
    """-x"""


class Sign(Arithmetic):
    """-1, 0 or 1"""


class Floor(Analytic):
    """The greatest integer ≤ x"""


class Ceil(Analytic):
    """The least integer ≥ x"""


class Round(Analytic):
    """The nearest integer, halves to even"""


class Exp(Analytic):
    """e^x"""


class Expm1(Analytic):
    """e^x - 1"""


class Log(Analytic):
    """The natural logarithm"""


class Log1p(Analytic):
    """log(1 + x)"""


class Sqrt(Analytic):
    """√x"""


class Rsqrt(Analytic):
    """1/√x"""


class Reciprocal(Analytic):
    """1/x"""


class Square(Arithmetic):
    """x²"""


class Sin(Analytic):
    """Sine, x in radians"""


class Cos(Analytic):
    """Cosine, x in radians"""


class Tan(Analytic):
    """Tangent, x in radians"""


class Asin(Analytic):
    """Inverse sine, in radians"""


class Acos(Analytic):
    """Inverse cosine, in radians"""


class Atan(Analytic):
    """Inverse tangent, in radians"""


class Sinh(Analytic):
    """Hyperbolic sine"""


class Cosh(Analytic):
    """Hyperbolic cosine"""


class Tanh(Analytic):
    """Hyperbolic tangent"""


class Erf(Analytic):
    """The error function 2/√π ∫₀ˣ exp(-t²) dt"""


class LogicalNot(Elementwise):
    """not x, of booleans"""

    accepts: ClassVar[frozenset[DType]] = BOOLEANS


class IsNan(Analytic):
    """Whether x is not a number"""

    def result_dtype(self, *dtypes: DType) -> DType:
        common_dtype(self, dtypes, self.accepts)
        return DType.boolean


@dataclass(frozen=True, slots=True)
class Binary(Elementwise, ABC):
    """Two inputs of one element type, broadcast."""

    arity: ClassVar[int] = 2
    accepts: ClassVar[frozenset[DType]] = NUMBERS


class Add(Binary):
    """x + y"""


class Subtract(Binary):
    """x - y"""


class Multiply(Binary):
    """x · y"""


class Divide(Binary):
    """x / y, of floats"""

    accepts: ClassVar[frozenset[DType]] = FLOATS


class FloorDivide(Binary):
    """⌊x / y⌋"""


class Remainder(Binary):
    """x - y·⌊x / y⌋, with the sign of y as in Python"""


class Pow(Binary):
    """x^y, of floats"""

    accepts: ClassVar[frozenset[DType]] = FLOATS


class Maximum(Binary):
    """The larger of both"""


class Minimum(Binary):
    """The smaller of both"""


@dataclass(frozen=True, slots=True)
class Logical(Binary, ABC):
    """A binary operation on booleans."""

    accepts: ClassVar[frozenset[DType]] = BOOLEANS


class LogicalAnd(Logical):
    """x and y, of booleans"""


class LogicalOr(Logical):
    """x or y, of booleans"""


class LogicalXor(Logical):
    """Exactly one of x and y, of booleans"""


@dataclass(frozen=True, slots=True)
class Comparison(Binary, ABC):
    """A binary operation whose result is a boolean."""

    def result_dtype(self, *dtypes: DType) -> DType:
        common_dtype(self, dtypes, self.accepts)
        return DType.boolean


class Equal(Comparison):
    """x = y, of booleans too"""

    accepts: ClassVar[frozenset[DType]] = ANY


class NotEqual(Comparison):
    """x ≠ y, of booleans too"""

    accepts: ClassVar[frozenset[DType]] = ANY


class Less(Comparison):
    """x < y"""


class LessEqual(Comparison):
    """x ≤ y"""


class Greater(Comparison):
    """x > y"""


class GreaterEqual(Comparison):
    """x ≥ y"""


@dataclass(frozen=True, slots=True)
class Where(Elementwise):
    """Of (condition, x, y): x where the condition holds, y elsewhere"""

    arity: ClassVar[int] = 3

    def result_dtype(self, *dtypes: DType) -> DType:
        condition, x, y = dtypes
        if condition is not DType.boolean or x is not y:
            raise OpError(f"Where takes bool and two equal types, found {', '.join(dtypes)}")
        return x
