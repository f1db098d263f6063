"""Activation layers that have arguments."""

from typing import Annotated, ClassVar

from pydantic import Field

from kspec.schemas.activations import WHOLE, Activation
from kspec.schemas.layers.base import (
    Axes,
    Elementwise,
    Shape,
    ShapeError,
    Weight,
    Whole,
    distinct,
    sized,
)
from kspec.schemas.values import Number, Positive, Spread
from kspec.schemas.weights import (
    Constraint,
    NonNegative,
    Regularizer,
    VectorInitializer,
    Zeros,
    outside,
)


class ActivationLayer(Elementwise):
    """Any built-in activation, by name."""

    key: ClassVar[str] = "activation"
    keras: ClassVar[str] = "Activation"
    shorthand: ClassVar[str | None] = "activation"

    activation: Annotated[Activation, Field(examples=["gelu"])]
    """Name of the function."""

    def of_whole_numbers(self) -> Whole:
        return WHOLE.get(self.activation, "refused")


class ReLU(Elementwise):
    """max(x, 0), with an optional slope below a threshold and an optional maximum."""

    key: ClassVar[str] = "relu"

    max_value: NonNegative | None = None
    """Maximum of the output; unbounded by default."""
    negative_slope: NonNegative = 0.0
    """Slope below the threshold."""
    threshold: NonNegative = 0.0
    """Value of x above which the output is x itself."""

    def of_whole_numbers(self) -> Whole:
        return "refused" if self.negative_slope else "kept"


class LeakyReLU(Elementwise):
    """x above 0, a small slope below. (The activation of this name has the slope 0.2.)"""

    key: ClassVar[str] = "leaky_relu"
    shorthand: ClassVar[str | None] = "negative_slope"

    negative_slope: NonNegative = 0.3
    """Slope below 0."""


class PReLU(Elementwise):
    """A leaky ReLU that learns its slopes."""

    key: ClassVar[str] = "prelu"
    whole: ClassVar[Whole] = "refused"

    alpha_initializer: VectorInitializer = Zeros()
    """Initializer of the slopes."""
    alpha_regularizer: Regularizer | None = None
    """Regularizer of the slopes."""
    alpha_constraint: Constraint | None = None
    """Constraint on the slopes."""
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

    def weight_shapes(self, shapes: tuple[Shape, ...]) -> tuple[Weight, ...]:
        (shape,) = shapes
        shared = distinct(self, shape, self.shared_axes or (), "shared_axes")
        sizes = (1 if place in shared else size for place, size in enumerate(shape))
        return (Weight("alpha", sized(sizes)),)


class ELU(Elementwise):
    """x above 0, alpha · (exp(x) - 1) below."""

    key: ClassVar[str] = "elu"
    shorthand: ClassVar[str | None] = "alpha"
    whole: ClassVar[Whole] = "refused"

    alpha: Number = 1.0
    """The output approaches -alpha for large negative x."""


class Softmax(Elementwise):
    """exp(x) / Σ exp(x)."""

    key: ClassVar[str] = "softmax"
    shorthand: ClassVar[str | None] = "axis"
    whole: ClassVar[Whole] = "refused"

    axis: Axes = (-1,)
    """Axis or axes along which the output sums to 1."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        distinct(self, shape, self.axis, "axis")
        return shape
