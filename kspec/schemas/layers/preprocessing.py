"""Layers that bring raw values into the range that networks learn from."""

from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from kspec.schemas.base import located
from kspec.schemas.layers.base import Axes, Elementwise, Shape, ShapeError, distinct, known, show
from kspec.schemas.values import Number, Spread
from kspec.schemas.weights import NonNegative

Numbers = Annotated[tuple[Number, ...], Spread(), Field(min_length=1)]
"""One number for all places, or one for each place of the last axis."""


class Rescaling(Elementwise):
    """x · scale + offset."""

    key: ClassVar[str] = "rescaling"
    keras: ClassVar[str] = "Rescaling"
    shorthand: ClassVar[str | None] = "scale"

    scale: Annotated[Numbers, Field(examples=["1/255"])]
    """The factor, or one for each place of the last axis."""
    offset: Numbers = (0.0,)
    """What is added, or one for each place of the last axis."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        for field in ("scale", "offset"):
            count = len(getattr(self, field))
            if count > 1 and (not shape or shape[-1] != count):
                raise ShapeError(
                    f"{count} numbers do not fit the last axis of {show(shape)}", field
                )
        return shape

    def arguments(self) -> dict[str, Any]:
        return {"scale": one_or_all(self.scale), "offset": one_or_all(self.offset)}


class Normalization(Elementwise):
    """(x - mean) / √variance.

    Without `mean` and `variance`, both are taken from the training split.
    """

    key: ClassVar[str] = "normalization"
    keras: ClassVar[str] = "Normalization"

    axis: Axes | None = (-1,)
    """The axis, or axes, with a mean for each place; null: one mean for all."""
    mean: Numbers | None = None
    """The mean, or one for each place of the last of the axes."""
    variance: Annotated[tuple[NonNegative, ...], Spread(), Field(min_length=1)] | None = None
    """The variance, or one for each place of the last of the axes."""
    invert: bool = False
    """Whether to go the other way: x · √variance + mean."""

    @model_validator(mode="after")
    def both(self) -> "Normalization":
        """Mean and variance come together, of equal length."""
        if (self.mean is None) != (self.variance is None):
            written = "variance" if self.mean is None else "mean"
            raise located((written,), "mean and variance are written both, or neither")
        if self.mean and self.variance and len(self.mean) != len(self.variance):
            raise located(("variance",), "mean and variance have the same number of values")
        if self.mean and len(self.mean) > 1 and self.axis is None:
            raise located(("mean",), "axis: null has one mean only")
        return self

    @property
    def adapts(self) -> bool:
        """Whether mean and variance are still to be taken from data."""
        return self.mean is None

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        if self.axis is None:
            return shape
        places = distinct(self, shape, self.axis, "axis")
        sizes = {place: known(self, shape, place + 1, "axis") for place in places}
        if self.mean and len(self.mean) not in (1, sizes[max(places)]):
            raise ShapeError(
                f"{len(self.mean)} means do not fit axis {max(places) + 1} of {show(shape)}", "mean"
            )
        return shape

    def arguments(self) -> dict[str, Any]:
        return {
            "axis": None if self.axis is None else list(self.axis),
            "mean": self.mean and one_or_all(self.mean),
            "variance": self.variance and one_or_all(self.variance),
            "invert": self.invert,
        }


def one_or_all(numbers: tuple[float, ...]) -> float | list[float]:
    """A single number by itself, which fits every shape."""
    return numbers[0] if len(numbers) == 1 else list(numbers)
