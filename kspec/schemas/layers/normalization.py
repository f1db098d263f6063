"""Normalizations over a row or groups of channels."""

from typing import ClassVar

from kspec.schemas.layers.affine import Affine, along
from kspec.schemas.layers.base import (
    Axes,
    Axis,
    Elementwise,
    Shape,
    ShapeError,
    Weight,
    Whole,
    agree,
    distinct,
    known,
    show,
)
from kspec.schemas.values import PositiveOrRest
from kspec.schemas.weights import Above0


class LayerNormalization(Affine):
    """Mean 0 and variance 1 in each row."""

    key: ClassVar[str] = "layer_normalization"

    axis: Axes = (-1,)
    """Axis or axes over which mean and variance are computed."""

    def takes_again(self, first: Shape, shape: Shape) -> bool:
        return agree(first, shape, *self.axis)

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        return learnt_over(self, shape, self.axis)

    def weight_shapes(self, shapes: tuple[Shape, ...]) -> tuple[Weight, ...]:
        return self.affine(along(self, shapes[0], self.axis))


class RMSNormalization(Elementwise):
    """Root mean square 1 in each row, then a learnt scale (Zhang & Sennrich, 2019)."""

    key: ClassVar[str] = "rms_normalization"
    whole: ClassVar[Whole] = "refused"

    axis: Axes = (-1,)
    """Axis or axes over which the mean is computed: the last ones."""
    epsilon: Above0 = 1e-6
    """Added to the mean of the squares."""

    def takes_again(self, first: Shape, shape: Shape) -> bool:
        return agree(first, shape, *self.axis)

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        learnt_over(self, shape, self.axis)
        places = distinct(self, shape, self.axis, "axis")
        if min(places) != len(shape) - len(places):
            # Keras multiplies by a scale that lies along the last axes, whatever axis says.
            raise ShapeError(
                f"{self.key} is over the last axes, found {list(self.axis)} of {show(shape)}",
                "axis",
            )
        return shape

    def weight_shapes(self, shapes: tuple[Shape, ...]) -> tuple[Weight, ...]:
        return (Weight("scale", along(self, shapes[0], self.axis)),)


class GroupNormalization(Affine):
    """Mean 0 and variance 1 in each group of channels of a row (Wu & He, 2018)."""

    key: ClassVar[str] = "group_normalization"
    shorthand: ClassVar[str | None] = "groups"

    groups: PositiveOrRest = 32
    """Number of groups of channels; -1: each channel separately."""
    axis: Axis = -1
    """The axis of the channels."""

    def takes_again(self, first: Shape, shape: Shape) -> bool:
        return agree(first, shape, self.axis)

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        channels = known(self, shape, self.axis, "axis")
        if self.groups > 0 and channels % self.groups:
            raise ShapeError(
                f"groups: {self.groups} of {self.key} does not divide {channels} channels",
                "groups",
            )
        return shape

    def weight_shapes(self, shapes: tuple[Shape, ...]) -> tuple[Weight, ...]:
        return self.affine(along(self, shapes[0], (self.axis,)))


class UnitNormalization(Elementwise):
    """Euclidean norm 1 in each row."""

    key: ClassVar[str] = "unit_normalization"
    shorthand: ClassVar[str | None] = "axis"
    whole: ClassVar[Whole] = "refused"

    axis: Axes = (-1,)
    """Axis or axes over which the norm is computed."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        distinct(self, shape, self.axis, "axis")
        return shape


def learnt_over(layer: Elementwise, shape: Shape, axes: tuple[int, ...]) -> Shape:
    """Check the axes of the weights: known sizes, counted from one end."""
    distinct(layer, shape, axes, "axis")
    for axis in axes:
        known(layer, shape, axis, "axis")
    if min(axes) < 0 < max(axes):
        raise ShapeError(
            f"axis {list(axes)} of {layer.key} counts from both ends",
            "axis",
            "count all axes from 1, or all from -1",
        )
    return shape
