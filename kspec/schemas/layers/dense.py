"""Dense layers."""

from typing import Annotated, ClassVar

from pydantic import Field

from kspec.schemas.activations import Activation
from kspec.schemas.layers.base import Layer, Shape, ShapeError, Weight, agree, known, show, sized
from kspec.schemas.values import Positive
from kspec.schemas.weights import (
    GlorotUniform,
    MatrixConstraint,
    MatrixInitializer,
    MatrixRegularizer,
    Regularizer,
    VectorConstraint,
    VectorInitializer,
    Zeros,
)


class Dense(Layer):
    """A fully connected layer over the last axis."""

    key: ClassVar[str] = "dense"
    shorthand: ClassVar[str | None] = "units"

    units: Annotated[Positive, Field(examples=[64])]
    """Size of the output's last axis."""
    activation: Activation | None = None
    """Activation of the output."""
    use_bias: bool = True
    """Whether to add a bias."""
    kernel_initializer: MatrixInitializer = GlorotUniform()
    """Initializer of the kernel."""
    bias_initializer: VectorInitializer = Zeros()
    """Initializer of the bias."""
    kernel_regularizer: MatrixRegularizer | None = None
    """Regularizer of the kernel."""
    bias_regularizer: Regularizer | None = None
    """Regularizer of the bias."""
    activity_regularizer: Regularizer | None = None
    """Regularizer of the output."""
    kernel_constraint: MatrixConstraint | None = None
    """Constraint on the kernel."""
    bias_constraint: VectorConstraint | None = None
    """Constraint on the bias."""

    def takes_again(self, first: Shape, shape: Shape) -> bool:
        return agree(first, shape, -1)

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        if not shape:
            raise ShapeError(f"dense needs a last axis, found {show(shape)}")
        known(self, shape)
        return (*shape[:-1], self.units)

    def weight_shapes(self, shapes: tuple[Shape, ...]) -> tuple[Weight, ...]:
        (shape,) = shapes
        kernel = Weight("kernel", (*sized(shape[-1:]), self.units))
        return (kernel, *((Weight("bias", (self.units,)),) if self.use_bias else ()))
