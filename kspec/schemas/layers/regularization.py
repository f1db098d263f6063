"""Further layers that act in training only and are the identity at inference."""

from typing import Annotated, ClassVar

from pydantic import Field

from kspec.schemas.layers.base import Elementwise, Shape, Whole, spatial
from kspec.schemas.layers.dropout import Dropping, Noise, Seeded
from kspec.schemas.values import Evaluated
from kspec.schemas.weights import NonNegative


class AlphaDropout(Noise):
    """Dropout that preserves mean and variance, for use with selu."""

    key: ClassVar[str] = "alpha_dropout"


class SpatialDropout(Dropping):
    """Dropout of whole channels."""

    rank: ClassVar[int]

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        spatial(self, shape, self.rank)
        return shape


class SpatialDropout1D(SpatialDropout):
    """Dropout of whole channels over steps."""

    key: ClassVar[str] = "spatial_dropout1d"
    rank: ClassVar[int] = 1


class SpatialDropout2D(SpatialDropout):
    """Dropout of whole channels over height × width."""

    key: ClassVar[str] = "spatial_dropout2d"
    rank: ClassVar[int] = 2


class SpatialDropout3D(SpatialDropout):
    """Dropout of whole channels over depth × height × width."""

    key: ClassVar[str] = "spatial_dropout3d"
    rank: ClassVar[int] = 3


class GaussianDropout(Dropping):
    """Multiplies by Gaussian noise of mean 1 and variance rate / (1 - rate)."""

    key: ClassVar[str] = "gaussian_dropout"


class GaussianNoise(Seeded):
    """Adds Gaussian noise of mean 0."""

    key: ClassVar[str] = "gaussian_noise"
    shorthand: ClassVar[str | None] = "stddev"

    stddev: Annotated[float, Field(ge=0, le=1, examples=[0.1]), Evaluated]
    """Standard deviation of the noise, from 0 to 1."""


class ActivityRegularization(Elementwise):
    """Adds l1 · Σ|x| + l2 · Σx² to the loss."""

    key: ClassVar[str] = "activity_regularization"
    whole: ClassVar[Whole] = "kept"

    l1: NonNegative = 0.0
    """Factor of the absolute values."""
    l2: NonNegative = 0.0
    """Factor of the squares."""
