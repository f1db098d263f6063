"""Pooling over windows, and over all places."""

from typing import Annotated, ClassVar, Generic, Literal

from pydantic import Field

from kspec.schemas.layers.base import Layer, Shape, ShapeError, Size1, Size2, Size3, known, spatial
from kspec.schemas.layers.convolution import Size
from kspec.schemas.layers.window import slide


class Pooling(Layer, Generic[Size]):
    """What pooling over windows has in common."""

    shorthand: ClassVar[str | None] = "pool_size"

    pool_size: Annotated[Size, Field(examples=[2])]
    """Size of the window: one for all axes, or one for each."""
    strides: Size | None = None
    """Steps of the window; without it, `pool_size`."""
    padding: Literal["valid", "same"] = "valid"
    """`valid`: none; `same`: as many outputs as inputs, divided by the strides."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        sizes = spatial(self, shape, len(self.pool_size))
        strides = self.strides or self.pool_size
        return (*slide(self, sizes, self.pool_size, strides, self.padding), shape[-1])


class MaxPooling1D(Pooling[Size1]):
    """The largest value of a window of steps."""

    key: ClassVar[str] = "max_pooling1d"
    keras: ClassVar[str] = "MaxPooling1D"

    pool_size: Size1 = (2,)
    """Size of the window."""


class MaxPooling2D(Pooling[Size2]):
    """The largest value of a window of height × width."""

    key: ClassVar[str] = "max_pooling2d"
    keras: ClassVar[str] = "MaxPooling2D"

    pool_size: Size2 = (2, 2)
    """Size of the window: one for both axes, or one for each."""


class MaxPooling3D(Pooling[Size3]):
    """The largest value of a window of depth × height × width."""

    key: ClassVar[str] = "max_pooling3d"
    keras: ClassVar[str] = "MaxPooling3D"

    pool_size: Size3 = (2, 2, 2)
    """Size of the window: one for all axes, or one for each."""


class AveragePooling1D(Pooling[Size1]):
    """The mean of a window of steps; padding is not counted."""

    key: ClassVar[str] = "average_pooling1d"
    keras: ClassVar[str] = "AveragePooling1D"


class AveragePooling2D(Pooling[Size2]):
    """The mean of a window of height × width; padding is not counted."""

    key: ClassVar[str] = "average_pooling2d"
    keras: ClassVar[str] = "AveragePooling2D"


class AveragePooling3D(Pooling[Size3]):
    """The mean of a window of depth × height × width; padding is not counted."""

    key: ClassVar[str] = "average_pooling3d"
    keras: ClassVar[str] = "AveragePooling3D"


class GlobalPooling(Layer):
    """What pooling over all places has in common."""

    rank: ClassVar[int]

    keepdims: bool = False
    """Whether to keep the spatial axes, with size 1."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        sizes = spatial(self, shape, self.rank)
        return (*((1,) * len(sizes) if self.keepdims else ()), shape[-1])


class GlobalAveragePooling1D(GlobalPooling):
    """The mean over all steps."""

    key: ClassVar[str] = "global_average_pooling1d"
    keras: ClassVar[str] = "GlobalAveragePooling1D"
    rank: ClassVar[int] = 1


class GlobalAveragePooling2D(GlobalPooling):
    """The mean over height and width."""

    key: ClassVar[str] = "global_average_pooling2d"
    keras: ClassVar[str] = "GlobalAveragePooling2D"
    rank: ClassVar[int] = 2


class GlobalAveragePooling3D(GlobalPooling):
    """The mean over depth, height and width."""

    key: ClassVar[str] = "global_average_pooling3d"
    keras: ClassVar[str] = "GlobalAveragePooling3D"
    rank: ClassVar[int] = 3


class GlobalMaxPooling1D(GlobalPooling):
    """The largest value over all steps."""

    key: ClassVar[str] = "global_max_pooling1d"
    keras: ClassVar[str] = "GlobalMaxPooling1D"
    rank: ClassVar[int] = 1


class GlobalMaxPooling2D(GlobalPooling):
    """The largest value over height and width."""

    key: ClassVar[str] = "global_max_pooling2d"
    keras: ClassVar[str] = "GlobalMaxPooling2D"
    rank: ClassVar[int] = 2


class GlobalMaxPooling3D(GlobalPooling):
    """The largest value over depth, height and width."""

    key: ClassVar[str] = "global_max_pooling3d"
    keras: ClassVar[str] = "GlobalMaxPooling3D"
    rank: ClassVar[int] = 3


class AdaptivePooling(Layer, Generic[Size]):
    """Pooling over windows that are chosen to give a size; they may overlap by one place."""

    shorthand: ClassVar[str | None] = "output_size"

    output_size: Annotated[Size, Field(examples=[2])]
    """Sizes of the output: one for all axes, or one for each."""

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


class AdaptiveAveragePooling1D(AdaptivePooling[Size1]):
    """The mean of windows that split steps evenly."""

    key: ClassVar[str] = "adaptive_average_pooling1d"
    keras: ClassVar[str] = "AdaptiveAveragePooling1D"


class AdaptiveAveragePooling2D(AdaptivePooling[Size2]):
    """The mean of windows that split height and width evenly."""

    key: ClassVar[str] = "adaptive_average_pooling2d"
    keras: ClassVar[str] = "AdaptiveAveragePooling2D"


class AdaptiveAveragePooling3D(AdaptivePooling[Size3]):
    """The mean of windows that split depth, height and width evenly."""

    key: ClassVar[str] = "adaptive_average_pooling3d"
    keras: ClassVar[str] = "AdaptiveAveragePooling3D"


class AdaptiveMaxPooling1D(AdaptivePooling[Size1]):
    """The largest value of windows that split steps evenly."""

    key: ClassVar[str] = "adaptive_max_pooling1d"
    keras: ClassVar[str] = "AdaptiveMaxPooling1D"


class AdaptiveMaxPooling2D(AdaptivePooling[Size2]):
    """The largest value of windows that split height and width evenly."""

    key: ClassVar[str] = "adaptive_max_pooling2d"
    keras: ClassVar[str] = "AdaptiveMaxPooling2D"


class AdaptiveMaxPooling3D(AdaptivePooling[Size3]):
    """The largest value of windows that split depth, height and width evenly."""

    key: ClassVar[str] = "adaptive_max_pooling3d"
    keras: ClassVar[str] = "AdaptiveMaxPooling3D"
