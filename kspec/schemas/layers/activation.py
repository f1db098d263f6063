"""Activation layers, and every built-in activation of Keras as a step.

Two are decided against: `threshold` has arguments that Keras cannot pass by name, and `glu`
halves its last axis while Keras' layers promise to keep it.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from kspec.schemas.layers.base import Axes, Elementwise, Shape, ShapeError, distinct, known
from kspec.schemas.values import Number, Positive, Spread
from kspec.schemas.weights import (
    Constraint,
    NonNegative,
    Regularizer,
    VectorInitializer,
    Zeros,
    outside,
)

Activation = Literal[
    "celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish",
    "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign",
    "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink",
]  # fmt: skip
"""A built-in activation of Keras, by its name."""


class ActivationLayer(Elementwise):
    """Any built-in activation, by name."""

    key: ClassVar[str] = "activation"
    keras: ClassVar[str] = "Activation"
    shorthand: ClassVar[str | None] = "activation"

    activation: Annotated[Activation, Field(examples=["gelu"])]
    """The function."""


class ReLU(Elementwise):
    """max(x, 0), with a slope below the threshold and a largest value where wanted."""

    key: ClassVar[str] = "relu"
    keras: ClassVar[str] = "ReLU"

    max_value: NonNegative | None = None
    """Largest value of the output; without it, none."""
    negative_slope: NonNegative = 0.0
    """Slope below the threshold."""
    threshold: NonNegative = 0.0
    """Value of x above which the output is x itself."""


class LeakyReLU(Elementwise):
    """x above 0, a small slope below. (The activation of this name has the slope 0.2.)"""

    key: ClassVar[str] = "leaky_relu"
    keras: ClassVar[str] = "LeakyReLU"
    shorthand: ClassVar[str | None] = "negative_slope"

    negative_slope: NonNegative = 0.3
    """Slope below 0."""


class PReLU(Elementwise):
    """A leaky ReLU that learns its slopes."""

    key: ClassVar[str] = "prelu"
    keras: ClassVar[str] = "PReLU"

    alpha_initializer: VectorInitializer = Zeros()
    """How the slopes begin."""
    alpha_regularizer: Regularizer | None = None
    """Penalty on the slopes."""
    alpha_constraint: Constraint | None = None
    """Bounds of the slopes."""
    shared_axes: Annotated[tuple[Positive, ...], Spread()] | None = None
    """Axes that share a slope, from 1: `[1, 2]` for one slope per channel of a picture."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        shared = distinct(self, shape, self.shared_axes or (), "shared_axes")
        if problem := outside(self.alpha_constraint, len(shape)):
            raise ShapeError(problem, "alpha_constraint")
        for place in set(range(len(shape))) - set(shared):
            if not isinstance(shape[place], int):
                raise ShapeError(
                    f"prelu has a slope for each place, but the size of axis {place + 1} varies",
                    "shared_axes",
                    f"share the axis: shared_axes: [{place + 1}]",
                )
        return shape


class ELU(Elementwise):
    """x above 0, alpha · (exp(x) - 1) below."""

    key: ClassVar[str] = "elu"
    keras: ClassVar[str] = "ELU"
    shorthand: ClassVar[str | None] = "alpha"

    alpha: Number = 1.0
    """The bound far below 0, negated."""


class Softmax(Elementwise):
    """exp(x) / Σ exp(x)."""

    key: ClassVar[str] = "softmax"
    keras: ClassVar[str] = "Softmax"
    shorthand: ClassVar[str | None] = "axis"

    axis: Axes = (-1,)
    """The axis, or axes, that sum to 1."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        distinct(self, shape, self.axis, "axis")
        return shape


class Function(Elementwise):
    """An activation without arguments, as a step."""

    keras: ClassVar[str] = "Activation"

    def arguments(self) -> dict[str, Any]:
        return {"activation": self.key}


class CELU(Function):
    """x above 0, exp(x) - 1 below, smooth at 0."""

    key: ClassVar[str] = "celu"


class Exponential(Function):
    """exp(x)."""

    key: ClassVar[str] = "exponential"


class GELU(Function):
    """x · Φ(x), Φ of the normal distribution, by the error function."""

    key: ClassVar[str] = "gelu"


class HardShrink(Function):
    """x, but 0 between -0.5 and 0.5."""

    key: ClassVar[str] = "hard_shrink"


class HardSigmoid(Function):
    """x / 6 + 0.5 between 0 and 1."""

    key: ClassVar[str] = "hard_sigmoid"


class HardSilu(Function):
    """x · hard_sigmoid(x)."""

    key: ClassVar[str] = "hard_silu"


class HardSwish(Function):
    """The other name of hard_silu."""

    key: ClassVar[str] = "hard_swish"


class HardTanh(Function):
    """x between -1 and 1."""

    key: ClassVar[str] = "hard_tanh"


class Linear(Function):
    """x."""

    key: ClassVar[str] = "linear"


class LogSigmoid(Function):
    """log(sigmoid(x))."""

    key: ClassVar[str] = "log_sigmoid"


class LogSoftmax(Function):
    """log(softmax(x)) over the last axis."""

    key: ClassVar[str] = "log_softmax"


class Mish(Function):
    """x · tanh(softplus(x))."""

    key: ClassVar[str] = "mish"


class ReLU6(Function):
    """x between 0 and 6."""

    key: ClassVar[str] = "relu6"


class SELU(Function):
    """A scaled elu that keeps mean and variance (Klambauer et al., 2017)."""

    key: ClassVar[str] = "selu"


class Sigmoid(Function):
    """1 / (1 + exp(-x))."""

    key: ClassVar[str] = "sigmoid"


class Silu(Function):
    """x · sigmoid(x)."""

    key: ClassVar[str] = "silu"


class SoftShrink(Function):
    """x drawn towards 0 by 0.5, 0 between -0.5 and 0.5."""

    key: ClassVar[str] = "soft_shrink"


class Softplus(Function):
    """log(1 + exp(x))."""

    key: ClassVar[str] = "softplus"


class Softsign(Function):
    """x / (1 + |x|)."""

    key: ClassVar[str] = "softsign"


class SparsePlus(Function):
    """0 below -1, x above 1, (x + 1)² / 4 between."""

    key: ClassVar[str] = "sparse_plus"


class SparseSigmoid(Function):
    """(x + 1) / 2 between 0 and 1."""

    key: ClassVar[str] = "sparse_sigmoid"


class Sparsemax(Function):
    """The nearest point of the simplex, over the last axis (Martins & Astudillo, 2016)."""

    key: ClassVar[str] = "sparsemax"

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        known(self, shape)
        return shape


class Squareplus(Function):
    """(x + √(x² + 4)) / 2."""

    key: ClassVar[str] = "squareplus"


class Swish(Function):
    """The other name of silu."""

    key: ClassVar[str] = "swish"


class Tanh(Function):
    """The hyperbolic tangent."""

    key: ClassVar[str] = "tanh"


class TanhShrink(Function):
    """x - tanh(x)."""

    key: ClassVar[str] = "tanh_shrink"


FUNCTIONS: tuple[type[Function], ...] = (
    CELU, Exponential, GELU, HardShrink, HardSigmoid, HardSilu, HardSwish, HardTanh, Linear,
    LogSigmoid, LogSoftmax, Mish, ReLU6, SELU, Sigmoid, Silu, SoftShrink, Softplus, Softsign,
    SparsePlus, SparseSigmoid, Sparsemax, Squareplus, Swish, Tanh, TanhShrink,
)  # fmt: skip
