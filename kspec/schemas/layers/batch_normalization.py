"""Batch normalization."""

from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from kspec.schemas.base import Model, located
from kspec.schemas.layers.affine import Affine, along
from kspec.schemas.layers.base import Axis, Shape, Weight, agree, known
from kspec.schemas.values import Evaluated
from kspec.schemas.weights import Above0, NonNegative, Ones, VectorInitializer, Zeros


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
