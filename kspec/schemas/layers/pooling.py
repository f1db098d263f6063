"""Pooling over windows, and over all places."""

from typing import Annotated, ClassVar, Literal

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
from kspec.schemas.layers.window import slide


class Pooling(Layer):
    """The base of pooling over windows."""

    shorthand: ClassVar[str | None] = "pool_size"
    whole: ClassVar[Whole] = "refused"

    pool_size: tuple[int, ...]
    """Size of the window: one number for all axes, or one per axis."""
    strides: tuple[int, ...] | None = None
    """Strides of the window; by default `pool_size`."""
    padding: Literal["valid", "same"] = "valid"
    """`valid`: no padding; `same`: the output size is the input size divided by the stride, rounded
    up."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        sizes = spatial(self, shape, len(self.pool_size))
        strides = self.strides or self.pool_size
        return (*slide(self, sizes, self.pool_size, strides, self.padding), shape[-1])


class MaxPooling1D(Pooling):
    """Maximum over windows of steps."""

    key: ClassVar[str] = "max_pooling1d"
    whole: ClassVar[Whole] = "kept"

    pool_size: Size1 = (2,)
    """Size of the window."""
    strides: Size1 | None = None


class MaxPooling2D(Pooling):
    """Maximum over windows of height × width."""

    key: ClassVar[str] = "max_pooling2d"
    whole: ClassVar[Whole] = "kept"

    pool_size: Size2 = (2, 2)
    """Size of the window: one number for both axes, or one per axis."""
    strides: Size2 | None = None


class MaxPooling3D(Pooling):
    """Maximum over windows of depth × height × width."""

    key: ClassVar[str] = "max_pooling3d"

    pool_size: Size3 = (2, 2, 2)
    """Size of the window: one number for all axes, or one per axis."""
    strides: Size3 | None = None


class AveragePooling1D(Pooling):
    """Mean over windows of steps; padding is not counted."""

    key: ClassVar[str] = "average_pooling1d"

    pool_size: Annotated[Size1, Field(examples=[2])]
    strides: Size1 | None = None


class AveragePooling2D(Pooling):
    """Mean over windows of height × width; padding is not counted."""

    key: ClassVar[str] = "average_pooling2d"

    pool_size: Annotated[Size2, Field(examples=[2])]
    strides: Size2 | None = None


class AveragePooling3D(Pooling):
    """Mean over windows of depth × height × width; padding is not counted."""

    key: ClassVar[str] = "average_pooling3d"

    pool_size: Annotated[Size3, Field(examples=[2])]
    strides: Size3 | None = None


class GlobalPooling(Layer):
    """The base of pooling over all places."""

    rank: ClassVar[int]

    keepdims: bool = False
    """Whether to keep the spatial axes, with size 1."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        sizes = spatial(self, shape, self.rank)
        return (*((1,) * len(sizes) if self.keepdims else ()), shape[-1])


class GlobalAveragePooling1D(GlobalPooling):
    """Mean over all steps."""

    key: ClassVar[str] = "global_average_pooling1d"
    rank: ClassVar[int] = 1


class GlobalAveragePooling2D(GlobalPooling):
    """Mean over height and width."""

    key: ClassVar[str] = "global_average_pooling2d"
    rank: ClassVar[int] = 2


class GlobalAveragePooling3D(GlobalPooling):
    """Mean over depth, height and width."""

    key: ClassVar[str] = "global_average_pooling3d"
    rank: ClassVar[int] = 3


class GlobalMaxPooling1D(GlobalPooling):
    """Maximum over all steps."""

    key: ClassVar[str] = "global_max_pooling1d"
    rank: ClassVar[int] = 1
    whole: ClassVar[Whole] = "kept"


class GlobalMaxPooling2D(GlobalPooling):
    """Maximum over height and width."""

    key: ClassVar[str] = "global_max_pooling2d"
    rank: ClassVar[int] = 2
    whole: ClassVar[Whole] = "kept"


class GlobalMaxPooling3D(GlobalPooling):
    """Maximum over depth, height and width."""

    key: ClassVar[str] = "global_max_pooling3d"
    rank: ClassVar[int] = 3
    whole: ClassVar[Whole] = "kept"


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
