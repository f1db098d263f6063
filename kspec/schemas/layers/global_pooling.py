"""Pooling over all places."""

from typing import ClassVar

from kspec.schemas.layers.base import Layer, Shape, Whole, spatial


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
