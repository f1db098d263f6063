"""Pooling over windows."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from kspec.schemas.layers.base import Layer, Shape, Size1, Size2, Size3, Whole, spatial
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
