"""Dense and identity."""

from typing import Annotated, ClassVar

from pydantic import Field

from kspec.schemas.layers.activation import Activation
from kspec.schemas.layers.base import Elementwise, Layer, Shape, ShapeError, known, show
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
    keras: ClassVar[str] = "Dense"
    shorthand: ClassVar[str | None] = "units"

    units: Annotated[Positive, Field(examples=[64])]
    """Size of the output's last axis."""
    activation: Activation | None = None
    """Function of the output."""
    use_bias: bool = True
    """Whether to add a bias."""
    kernel_initializer: MatrixInitializer = GlorotUniform()
    """How the kernel begins."""
    bias_initializer: VectorInitializer = Zeros()
    """How the bias begins."""
    kernel_regularizer: MatrixRegularizer | None = None
    """Penalty on the kernel."""
    bias_regularizer: Regularizer | None = None
    """Penalty on the bias."""
    activity_regularizer: Regularizer | None = None
    """Penalty on the output."""
    kernel_constraint: MatrixConstraint | None = None
    """Bounds of the kernel."""
    bias_constraint: VectorConstraint | None = None
    """Bounds of the bias."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        if not shape:
            raise ShapeError(f"dense needs a last axis, found {show(shape)}")
        known(self, shape)
        return (*shape[:-1], self.units)


class Identity(Elementwise):
    """Gives what it takes."""

    key: ClassVar[str] = "identity"
    keras: ClassVar[str] = "Identity"
