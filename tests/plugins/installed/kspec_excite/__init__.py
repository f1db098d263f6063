"""A third-party package: the arguments and the output shape of its layer."""

from typing import ClassVar

from kspec.schemas.layers import Layer, Shape, ShapeError
from kspec.schemas.values import Positive


class SqueezeExcite(Layer):
    """Weigh channels by what all places hold (Hu et al., 2017)."""

    key: ClassVar[str] = "squeeze_excite"
    keras: ClassVar[str] = "kspec_excite.keras_layers:SqueezeExcite"
    shorthand: ClassVar[str | None] = "ratio"

    ratio: Positive = 4
    """How many channels share one in between."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        if not isinstance(shape[-1], int) or shape[-1] % self.ratio:
            raise ShapeError(f"ratio {self.ratio} does not divide {shape[-1]} channels", "ratio")
        return shape
