"""Operations that work element by element."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar

from kspec.compiler.ir import DType, TensorType
from kspec.compiler.ops.base import Elementwise, Op, OpError, expect_arity


@dataclass(frozen=True, slots=True)
class Identity(Elementwise):
    """The input itself; kept only where it gives an output its public name."""


@dataclass(frozen=True, slots=True)
class Cast(Op):
    """The input converted to ``dtype``; a float becomes an integer by truncation toward zero."""

    dtype: DType

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        return (inputs[0].with_dtype(self.dtype),)


class Abs(Elementwise):
    """|x|"""


class Negative(Elementwise):
    """-x"""


class Sign(Elementwise):
    """-1, 0 or 1"""


class Floor(Elementwise):
    """The greatest integer ≤ x"""


class Ceil(Elementwise):
    """The least integer ≥ x"""


class Round(Elementwise):
    """The nearest integer, halves to even"""


class Exp(Elementwise):
    """e^x"""


class Expm1(Elementwise):
    """e^x - 1"""


class Log(Elementwise):
    """The natural logarithm"""


class Log1p(Elementwise):
    """log(1 + x)"""


class Sqrt(Elementwise):
    """√x"""


class Rsqrt(Elementwise):
    """1/√x"""


class Reciprocal(Elementwise):
    """1/x"""


class Square(Elementwise):
    """x²"""


class Sin(Elementwise):
    """Sine, x in radians"""


class Cos(Elementwise):
    """Cosine, x in radians"""


class Tan(Elementwise):
    """Tangent, x in radians"""


class Asin(Elementwise):
    """Inverse sine, in radians"""


class Acos(Elementwise):
    """Inverse cosine, in radians"""


class Atan(Elementwise):
    """Inverse tangent, in radians"""


class Sinh(Elementwise):
    """Hyperbolic sine"""


class Cosh(Elementwise):
    """Hyperbolic cosine"""


class Tanh(Elementwise):
    """Hyperbolic tangent"""


class Erf(Elementwise):
    """The error function 2/√π ∫₀ˣ exp(-t²) dt"""


class LogicalNot(Elementwise):
    """not x, of booleans"""


class IsNan(Elementwise):
    """Whether x is not a number"""

    def result_dtype(self, *_dtypes: DType) -> DType:
        return DType.boolean


class Relu(Elementwise):
    """max(x, 0)"""


class Sigmoid(Elementwise):
    """1 / (1 + exp(-x))"""


class Silu(Elementwise):
    """x · sigmoid(x)"""


class Softplus(Elementwise):
    """log(1 + exp(x))"""


class Softsign(Elementwise):
    """x / (1 + |x|)"""


class HardSwish(Elementwise):
    """x · clip(x + 3, 0, 6) / 6"""


class Mish(Elementwise):
    """x · tanh(softplus(x))"""


class Selu(Elementwise):
    """scale · (x if x > 0 else alpha · (exp(x) - 1)), constants of Klambauer et al. 2017"""

    alpha: ClassVar[float] = 1.6732632423543772
    scale: ClassVar[float] = 1.0507009873554805


@dataclass(frozen=True, slots=True)
class Elu(Elementwise):
    """x if x > 0 else alpha · (exp(x) - 1)"""

    alpha: float = 1.0


@dataclass(frozen=True, slots=True)
class LeakyRelu(Elementwise):
    """x if x > 0 else negative_slope · x"""

    negative_slope: float


@dataclass(frozen=True, slots=True)
class HardSigmoid(Elementwise):
    """clip(alpha · x + beta, 0, 1)"""

    alpha: float = 1 / 6
    beta: float = 0.5


@dataclass(frozen=True, slots=True)
class Gelu(Elementwise):
    """x · Φ(x) with Φ by erf, or by its tanh approximation (Hendrycks and Gimpel 2016)"""

    approximate: bool


@dataclass(frozen=True, slots=True)
class Clip(Elementwise):
    """min(max(x, minimum), maximum); either bound may be absent"""

    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Binary(Elementwise, ABC):
    """Two inputs of one element type, broadcast."""

    arity: ClassVar[int] = 2


class Add(Binary):
    """x + y"""


class Subtract(Binary):
    """x - y"""


class Multiply(Binary):
    """x · y"""


class Divide(Binary):
    """x / y, of floats"""


class FloorDivide(Binary):
    """⌊x / y⌋"""


class Remainder(Binary):
    """x - y·⌊x / y⌋, with the sign of y as in Python"""


class Pow(Binary):
    """x^y"""


class Maximum(Binary):
    """The larger of both"""


class Minimum(Binary):
    """The smaller of both"""


class LogicalAnd(Binary):
    """x and y, of booleans"""


class LogicalOr(Binary):
    """x or y, of booleans"""


class LogicalXor(Binary):
    """Exactly one of x and y, of booleans"""


@dataclass(frozen=True, slots=True)
class Comparison(Binary, ABC):
    """A binary operation whose result is a boolean."""

    def result_dtype(self, *dtypes: DType) -> DType:
        if len(set(dtypes)) != 1:
            raise OpError(f"{type(self).__name__} of mixed element types {', '.join(dtypes)}")
        return DType.boolean


class Equal(Comparison):
    """x = y"""


class NotEqual(Comparison):
    """x ≠ y"""


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
