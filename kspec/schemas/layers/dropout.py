"""Dropout, and the bases of layers that draw at random while training."""

from typing import Annotated, ClassVar

from pydantic import Field

from kspec.schemas.layers.base import Elementwise, Shape, ShapeError, Whole, show
from kspec.schemas.values import Evaluated, Listed, Positive, Seed


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
