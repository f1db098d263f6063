"""Pooling to an output of a given size."""

from typing import Annotated, ClassVar

from pydantic import Field

from kspec.schemas.layers.base import (
    Layer,
    Shape,
    ShapeError,
    Size1,
    Size2,
    Size3,
    Whole,
    known,
    spatial,
)


class AdaptivePooling(Layer):
    """The base of adaptive pooling: the windows follow from the output size and may overlap by one
    place."""

    shorthand: ClassVar[str | None] = "output_size"
    whole: ClassVar[Whole] = "refused"

    output_size: tuple[int, ...]
    """Sizes of the output: one number for all axes, or one per axis."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        spatial(self, shape, len(self.output_size))
        for axis, wanted in enumerate(self.output_size, start=1):
            # TensorFlow ends the process for other sizes: its second window does not fit.
            if not 2 <= wanted <= known(self, shape, axis):
                message = f"{self.key} cannot make {wanted} places of {shape[axis - 1]}"
                help_ = "from 2 to the size of the axis; for 1, use global pooling"
                raise ShapeError(message, "output_size", help_)
        return (*self.output_size, shape[-1])


class AdaptiveAveragePooling1D(AdaptivePooling):
    """Mean over windows that split steps evenly."""

    key: ClassVar[str] = "adaptive_average_pooling1d"

    output_size: Annotated[Size1, Field(examples=[2])]


class AdaptiveAveragePooling2D(AdaptivePooling):
    """Mean over windows that split height and width evenly."""

    key: ClassVar[str] = "adaptive_average_pooling2d"

    output_size: Annotated[Size2, Field(examples=[2])]


class AdaptiveAveragePooling3D(AdaptivePooling):
    """Mean over windows that split depth, height and width evenly."""

    key: ClassVar[str] = "adaptive_average_pooling3d"

    output_size: Annotated[Size3, Field(examples=[2])]


class AdaptiveMaxPooling1D(AdaptivePooling):
    """Maximum over windows that split steps evenly."""

    key: ClassVar[str] = "adaptive_max_pooling1d"
    whole: ClassVar[Whole] = "kept"

    output_size: Annotated[Size1, Field(examples=[2])]


class AdaptiveMaxPooling2D(AdaptivePooling):
    """Maximum over windows that split height and width evenly."""

    key: ClassVar[str] = "adaptive_max_pooling2d"
    whole: ClassVar[Whole] = "kept"

    output_size: Annotated[Size2, Field(examples=[2])]


class AdaptiveMaxPooling3D(AdaptivePooling):
    """Maximum over windows that split depth, height and width evenly."""

    key: ClassVar[str] = "adaptive_max_pooling3d"

    output_size: Annotated[Size3, Field(examples=[2])]
