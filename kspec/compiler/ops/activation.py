"""Activations, and Clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kspec.compiler.ir import DType
from kspec.compiler.ops.base import common_dtype, expect_holds
from kspec.compiler.ops.elementwise import Analytic, Arithmetic


class Relu(Arithmetic):
    """max(x, 0)"""


class Sigmoid(Analytic):
    """1 / (1 + exp(-x))"""


class Silu(Analytic):
    """x · sigmoid(x)"""


class Softplus(Analytic):
    """log(1 + exp(x))"""


class Softsign(Analytic):
    """x / (1 + |x|)"""


class HardSwish(Analytic):
    """x · clip(x + 3, 0, 6) / 6"""


class Mish(Analytic):
    """x · tanh(softplus(x))"""


class Selu(Analytic):
    """scale · (x if x > 0 else alpha · (exp(x) - 1)), constants of Klambauer et al. 2017"""

    alpha: ClassVar[float] = 1.6732632423543772
    scale: ClassVar[float] = 1.0507009873554805


@dataclass(frozen=True, slots=True)
class Elu(Analytic):
    """x if x > 0 else alpha · (exp(x) - 1)"""

    alpha: float = 1.0


@dataclass(frozen=True, slots=True)
class LeakyRelu(Analytic):
    """x if x > 0 else negative_slope · x"""

    negative_slope: float


@dataclass(frozen=True, slots=True)
class HardSigmoid(Analytic):
    """clip(alpha · x + beta, 0, 1)"""

    alpha: float = 1 / 6
    beta: float = 0.5


@dataclass(frozen=True, slots=True)
class Gelu(Analytic):
    """x · Φ(x) with Φ by erf, or by its tanh approximation (Hendrycks and Gimpel 2016)"""

    approximate: bool


@dataclass(frozen=True, slots=True)
class Clip(Arithmetic):
    """min(max(x, minimum), maximum); either bound may be None; bounds of integers are integers"""

    minimum: float | None = None
    maximum: float | None = None

    def result_dtype(self, *dtypes: DType) -> DType:
        dtype = common_dtype(self, dtypes, self.accepts)
        for bound in (self.minimum, self.maximum):
            expect_holds(dtype, bound)
        return dtype
