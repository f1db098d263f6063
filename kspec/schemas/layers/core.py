"""Dense and identity."""

from typing import ClassVar

from kspec.schemas.base import Positive
from kspec.schemas.layers.base import Layer, Shape, ShapeError, show


class Dense(Layer):
    """A fully connected layer over the last axis."""

    key: ClassVar[str] = "dense"
    keras: ClassVar[str] = "Dense"
    shorthand: ClassVar[str | None] = "units"

    units: Positive
    """Size of the output's last axis."""
    activation: str | None = None
    """Function of the output."""
    use_bias: bool = True
    """Whether to add a bias."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        if not shape or not isinstance(shape[-1], int):
            raise ShapeError(f"dense needs a last axis of known size, found {show(shape)}")
        return (*shape[:-1], self.units)
