"""Layers that act in training only and are the identity at inference."""

from typing import Annotated, ClassVar

from pydantic import Field

from kspec.schemas.layers.base import Elementwise, Shape, ShapeError, Whole, show, spatial
from kspec.schemas.values import Evaluated, Listed, Positive, Seed
from kspec.schemas.weights import NonNegative


class Seeded(Elementwise):
    """A layer that draws at random while training."""

    whole: ClassVar[Whole] = "refused"

    seed: Seed | None = None
    """Seed of this layer; by default the training seed applies."""


class Dropping(Seeded):
    """A layer that drops a share of its input."""

    shorthand: ClassVar[str | None] = "rate"

    rate: Annotated[float, Field(ge=0, lt=1, examples=[0.2]), Evaluated]
    """Dropped share, from 0 to below 1."""


class Noise(Dropping):
    """A layer that may drop or keep whole axes."""

    noise_shape: Annotated[tuple[Positive | None, ...], Listed] | None = None
    """For each axis, batch first: 1 drops or keeps the axis as a whole, null draws each place."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        if self.noise_shape is None:
            return shape
        fits = len(self.noise_shape) == len(shape) + 1 and all(
            wanted in (None, 1, found)
            for wanted, found in zip(self.noise_shape, (None, *shape), strict=True)
        )
        if not fits:
            raise ShapeError(
                f"noise_shape {show(self.noise_shape)} does not fit {show((None, *shape))}",
                "noise_shape",
                "write 1 or null for each axis, the batch first",
            )
        return shape


class Dropout(Noise):
    """Sets a share of the values to 0 and scales the others up."""

    key: ClassVar[str] = "dropout"


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
