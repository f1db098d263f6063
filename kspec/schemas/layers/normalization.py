"""Normalizations over a batch, a row or groups of channels."""

from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from kspec.schemas.base import Model, located
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
    sized,
)
from kspec.schemas.values import Evaluated, PositiveOrRest
from kspec.schemas.weights import (
    Above0,
    NonNegative,
    Ones,
    Regularizer,
    VectorConstraint,
    VectorInitializer,
    Zeros,
)


class Affine(Elementwise):
    """A normalization with a learnt scale (gamma) and offset (beta)."""

    epsilon: Above0 = 0.001
    """Added to the variance, to avoid a division by 0."""
    center: bool = True
    """Whether to add beta."""
    scale: bool = True
    """Whether to multiply by gamma."""
    beta_initializer: VectorInitializer = Zeros()
    """Initializer of beta."""
    gamma_initializer: VectorInitializer = Ones()
    """Initializer of gamma."""
    beta_regularizer: Regularizer | None = None
    """Regularizer of beta."""
    gamma_regularizer: Regularizer | None = None
    """Regularizer of gamma."""
    beta_constraint: VectorConstraint | None = None
    """Constraint on beta."""
    gamma_constraint: VectorConstraint | None = None
    """Constraint on gamma."""

    def affine(self, shape: tuple[int, ...]) -> tuple[Weight, ...]:
        """Return gamma and beta of this shape, if the layer has them."""
        gamma = (Weight("gamma", shape),) if self.scale else ()
        return (*gamma, *((Weight("beta", shape),) if self.center else ()))


class RenormClipping(Model):
    """Bounds of the corrections of batch renormalization."""

    rmin: Above0 | None = None
    """Least ratio of the deviations."""
    rmax: Above0 | None = None
    """Largest ratio of the deviations."""
    dmax: NonNegative | None = None
    """Largest difference of the means."""

    @model_validator(mode="after")
    def ordered(self) -> "RenormClipping":
        """Check that the least ratio is not above the largest."""
        if self.rmin is not None and self.rmax is not None and self.rmin > self.rmax:
            raise located(("rmin",), "rmin is above rmax")
        return self


class BatchNormalization(Affine):
    """Normalizes with the batch's mean and variance in training, with the moving ones at
    inference."""

    key: ClassVar[str] = "batch_normalization"

    axis: Axis = -1
    """The axis whose places are each normalized separately."""
    momentum: Annotated[float, Field(ge=0, le=1), Evaluated] = 0.99
    """Momentum of the moving mean and variance: the share of the old value in an update."""
    moving_mean_initializer: VectorInitializer = Zeros()
    """Initializer of the moving mean."""
    moving_variance_initializer: VectorInitializer = Ones()
    """Initializer of the moving variance."""
    renorm: bool = False
    """Whether to correct for the difference between batch and moving statistics (Ioffe, 2017)."""
    renorm_clipping: RenormClipping | None = None
    """Bounds of these corrections."""
    renorm_momentum: Annotated[float, Field(ge=0, le=1), Evaluated] = 0.99
    """Momentum of the statistics that the corrections use."""

    def takes_again(self, first: Shape, shape: Shape) -> bool:
        return agree(first, shape, self.axis)

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        known(self, shape, self.axis, "axis")
        return shape

    def weight_shapes(self, shapes: tuple[Shape, ...]) -> tuple[Weight, ...]:
        size = along(self, shapes[0], (self.axis,))
        names = ["moving_mean", "moving_variance"]
        if self.renorm:
            names += ["moving_stddev", "renorm_mean", "renorm_stddev"]
        moving = (Weight(name, size, trainable=False) for name in names)
        return (*self.affine(size), *moving)


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


def along(layer: Elementwise, shape: Shape, axes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the sizes of axes, in the order of the shape."""
    return sized(shape[place] for place in sorted(distinct(layer, shape, axes, "axis")))


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
