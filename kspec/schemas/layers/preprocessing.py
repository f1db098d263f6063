"""Layers that scale or encode raw values for a network."""

from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from kspec.schemas.base import located
from kspec.schemas.layers.base import (
    Axes,
    DType,
    Elementwise,
    Layer,
    Shape,
    ShapeError,
    Weight,
    agree,
    distinct,
    known,
    show,
    sized,
)
from kspec.schemas.values import Listed, Number, Positive, Spread
from kspec.schemas.weights import NonNegative

Numbers = Annotated[tuple[Number, ...], Spread(), Field(min_length=1)]
"""One number for all places, or one for each place of the last axis."""


class Rescaling(Elementwise):
    """x · scale + offset."""

    key: ClassVar[str] = "rescaling"
    shorthand: ClassVar[str | None] = "scale"

    scale: Annotated[Numbers, Field(examples=["1/255"])]
    """The factor, or one per place of the last axis."""
    offset: Numbers = (0.0,)
    """The summand, or one per place of the last axis."""

    @model_validator(mode="after")
    def distinguishing(self) -> Self:
        """Check that some factor is not 0."""
        if not any(self.scale):
            raise located(("scale",), "a factor of 0 makes all values equal")
        return self

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

    axis: Axes | None = (-1,)
    """Axis or axes with a mean per place; null: one mean for all values."""
    mean: Numbers | None = None
    """The mean, or one per place of the last of `axis`."""
    variance: Annotated[tuple[NonNegative, ...], Spread(), Field(min_length=1)] | None = None
    """The variance, or one per place of the last of `axis`."""
    invert: bool = False
    """Whether to compute the inverse: x · √variance + mean."""

    @model_validator(mode="after")
    def both(self) -> "Normalization":
        """Check that mean and variance are both given, with equal length."""
        if (self.mean is None) != (self.variance is None):
            written = "variance" if self.mean is None else "mean"
            raise located((written,), "mean and variance are written both, or neither")
        if self.mean and self.variance and len(self.mean) != len(self.variance):
            raise located(("variance",), "mean and variance have the same number of values")
        if self.mean and len(self.mean) > 1 and self.axis is None:
            raise located(("mean",), "axis: null has one mean only")
        return self

    def takes_again(self, first: Shape, shape: Shape) -> bool:
        return self.axis is None or agree(first, shape, *self.axis)

    @property
    def adapts(self) -> bool:
        """Return whether mean and variance are still to be computed from data."""
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

    def weight_shapes(self, shapes: tuple[Shape, ...]) -> tuple[Weight, ...]:
        if not self.adapts:
            return ()
        (shape,) = shapes
        places = () if self.axis is None else distinct(self, shape, self.axis, "axis")
        size = sized(shape[place] for place in sorted(places))
        return (
            Weight("mean", size, trainable=False),
            Weight("variance", size, trainable=False),
            Weight("count", (), trainable=False, dtype="int64"),
        )


class CategoryEncoding(Layer):
    """Whole numbers as vectors of 0 and 1, or of counts."""

    key: ClassVar[str] = "category_encoding"
    shorthand: ClassVar[str | None] = "num_tokens"

    num_tokens: Annotated[Positive, Field(examples=[10])]
    """Size of the vectors: the largest number + 1."""
    output_mode: Literal["multi_hot", "one_hot", "count"] = "multi_hot"
    """`one_hot`: a vector per number; `multi_hot`: a vector per row, with a 1 for each number in
    the row; `count`: a vector per row, with the count of each number."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        return encoded(shape, self.num_tokens, self.output_mode)


class Discretization(Layer):
    """The index of the interval that contains a value."""

    key: ClassVar[str] = "discretization"
    shorthand: ClassVar[str | None] = "bin_boundaries"

    bin_boundaries: Annotated[tuple[Number, ...], Listed, Field(min_length=1, examples=["[0, 1]"])]
    """Boundaries between intervals, increasing; there is one interval more than boundaries."""
    output_mode: Literal["int", "one_hot", "multi_hot", "count"] = "int"
    """`int`: the index; other modes encode the index as category_encoding does."""

    @model_validator(mode="after")
    def ordered(self) -> "Discretization":
        """Check that the boundaries increase."""
        for place, (low, high) in enumerate(pairwise(self.bin_boundaries), start=1):
            if low >= high:
                raise located(("bin_boundaries", place), "boundaries must increase")
        return self

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        if self.output_mode == "int":
            return shape
        return encoded(shape, len(self.bin_boundaries) + 1, self.output_mode)

    def output_dtype(self, dtypes: tuple[DType, ...]) -> DType:
        del dtypes
        return "int32" if self.output_mode == "int" else "float32"


def encoded(shape: Shape, depth: int, mode: str) -> Shape:
    """Return the shape of encoded whole numbers."""
    if mode == "one_hot":
        return (*(shape[:-1] if shape[-1:] == (1,) else shape), depth)
    if len(shape) != 1:
        # Keras promises one vector for each last axis, and gives another shape.
        raise ShapeError(f"{mode} needs a vector, found {show(shape)}", "output_mode")
    return (depth,)


def one_or_all(numbers: tuple[float, ...]) -> float | list[float]:
    """Return a list of one number as that number, which fits every shape."""
    return numbers[0] if len(numbers) == 1 else list(numbers)
