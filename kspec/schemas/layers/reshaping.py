"""Layers that rearrange values without changing them."""

import math
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from kspec.schemas.layers.base import (
    Dim,
    Layer,
    Shape,
    ShapeError,
    Size2,
    Size3,
    Whole,
    show,
    spatial,
    times,
)
from kspec.schemas.values import Listed, Natural, Positive, PositiveOrRest, Spread

Margin = Annotated[tuple[Natural, Natural], Spread()]
"""Counts before and after; one number for both."""


class Flatten(Layer):
    """Flattens all axes into one."""

    key: ClassVar[str] = "flatten"
    whole: ClassVar[Whole] = "kept"

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        if len(shape) == 1:
            return shape
        return (product(shape),)


class Reshape(Layer):
    """Gives the values another shape."""

    key: ClassVar[str] = "reshape"
    shorthand: ClassVar[str | None] = "target_shape"
    whole: ClassVar[Whole] = "kept"

    target_shape: Annotated[
        tuple[PositiveOrRest, ...], Listed, Field(max_length=8, examples=[[7, 7, 16]])
    ]
    """The shape without the batch; one size may be -1 and is then computed from the others."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        if self.target_shape.count(-1) > 1:
            raise ShapeError("reshape can work out one size only, found -1 twice", "target_shape")
        fixed = math.prod(size for size in self.target_shape if size > 0)
        found = product(shape)
        if not isinstance(found, int):
            return tuple(self.unknown(shape, fixed) if s < 0 else s for s in self.target_shape)
        if found % fixed or (found != fixed and -1 not in self.target_shape):
            raise ShapeError(
                f"reshape cannot make {show(self.target_shape)} of {show(shape)}: "
                f"{fixed} values are not {found}",
                "target_shape",
            )
        return tuple(found // fixed if size < 0 else size for size in self.target_shape)

    def unknown(self, shape: Shape, fixed: int) -> Dim:
        """Return the size of -1: a single varying axis if the known sizes agree otherwise."""
        varying = [size for size in shape if not isinstance(size, int)]
        rest = math.prod(size for size in shape if isinstance(size, int))
        return varying[0] if len(varying) == 1 and rest == fixed else None


class Permute(Layer):
    """Permutes the axes."""

    key: ClassVar[str] = "permute"
    shorthand: ClassVar[str | None] = "dims"
    whole: ClassVar[Whole] = "kept"

    dims: Annotated[
        tuple[Positive, ...], Listed, Field(min_length=1, max_length=8, examples=[[2, 1]])
    ]
    """The axes in their new order, from 1: `[2, 1]` swaps two."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        if sorted(self.dims) != list(range(1, len(shape) + 1)):
            every = ", ".join(str(axis + 1) for axis in range(len(shape)))
            raise ShapeError(
                f"permute {list(self.dims)} is not an order of the axes of {show(shape)}",
                "dims",
                f"name each of {every} once",
            )
        return tuple(shape[axis - 1] for axis in self.dims)


class RepeatVector(Layer):
    """Repeats a vector at every step."""

    key: ClassVar[str] = "repeat_vector"
    shorthand: ClassVar[str | None] = "n"
    whole: ClassVar[Whole] = "kept"

    n: Annotated[Positive, Field(examples=[10])]
    """Number of steps."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        if len(shape) != 1:
            raise ShapeError(f"repeat_vector needs a vector, found {show(shape)}")
        return (self.n, *shape)


class ZeroPadding(Layer):
    """The base of zero padding of spatial axes."""

    whole: ClassVar[Whole] = "kept"

    padding: tuple[int, ...] | tuple[tuple[int, int], ...]
    """Return the zeros before and after each axis."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        margins = per_axis(self.padding)
        sizes = spatial(self, shape, len(margins))
        return (*(add(size, sum(m)) for size, m in zip(sizes, margins, strict=True)), shape[-1])


class ZeroPadding1D(ZeroPadding):
    """Adds zeros before and after the steps."""

    key: ClassVar[str] = "zero_padding1d"
    shorthand: ClassVar[str | None] = "padding"

    padding: Margin = (1, 1)
    """Number of zeros: one number, or `[before, after]`."""


class ZeroPadding2D(ZeroPadding):
    """Adds zeros around a picture."""

    key: ClassVar[str] = "zero_padding2d"
    shorthand: ClassVar[str | None] = "padding"

    padding: Annotated[tuple[Margin, Margin], Spread()] = ((1, 1), (1, 1))
    """Number of zeros: one number, `[height, width]`, or `[[top, bottom], [left, right]]`."""


class ZeroPadding3D(ZeroPadding):
    """Adds zeros around a volume."""

    key: ClassVar[str] = "zero_padding3d"
    shorthand: ClassVar[str | None] = "padding"

    padding: Annotated[tuple[Margin, Margin, Margin], Spread()] = ((1, 1), (1, 1), (1, 1))
    """Number of zeros: one number, one per axis, or `[before, after]` per axis."""


class Cropping(Layer):
    """The base of cropping of spatial axes."""

    whole: ClassVar[Whole] = "kept"

    cropping: tuple[int, ...] | tuple[tuple[int, int], ...]
    """Return the places removed at the start and the end of each axis."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        margins = per_axis(self.cropping)
        sizes = spatial(self, shape, len(margins))
        left = tuple(add(size, -sum(m)) for size, m in zip(sizes, margins, strict=True))
        if any(isinstance(size, int) and size < 1 for size in left):
            raise ShapeError(f"{self.key} leaves nothing of {times(sizes)}", "cropping")
        return (*left, shape[-1])


class Cropping1D(Cropping):
    """Removes the first and last steps."""

    key: ClassVar[str] = "cropping1d"
    shorthand: ClassVar[str | None] = "cropping"

    cropping: Margin = (1, 1)
    """Number of removed steps: one number, or `[first, last]`."""


class Cropping2D(Cropping):
    """Removes the edges of a picture."""

    key: ClassVar[str] = "cropping2d"
    shorthand: ClassVar[str | None] = "cropping"

    cropping: Annotated[tuple[Margin, Margin], Spread()] = ((0, 0), (0, 0))
    """Number of removed pixels: one number, `[height, width]`, or `[[top, bottom], [left,
    right]]`."""


class Cropping3D(Cropping):
    """Removes the faces of a volume."""

    key: ClassVar[str] = "cropping3d"
    shorthand: ClassVar[str | None] = "cropping"

    cropping: Annotated[tuple[Margin, Margin, Margin], Spread()] = ((1, 1), (1, 1), (1, 1))
    """Number of removed places: one number, one per axis, or `[before, after]` per axis."""


class UpSampling(Layer):
    """The base of upsampling of spatial axes by whole factors."""

    shorthand: ClassVar[str | None] = "size"
    whole: ClassVar[Whole] = "kept"

    size: int | tuple[int, ...]
    """Return the factor of each axis."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        factors = (self.size,) if isinstance(self.size, int) else self.size
        sizes = spatial(self, shape, len(factors))
        return (*(scale(s, factor) for s, factor in zip(sizes, factors, strict=True)), shape[-1])


class UpSampling1D(UpSampling):
    """Repeats every step."""

    key: ClassVar[str] = "up_sampling1d"

    size: Positive = 2
    """Number of repetitions."""


class UpSampling2D(UpSampling):
    """Enlarges a picture."""

    key: ClassVar[str] = "up_sampling2d"

    size: Size2 = (2, 2)
    """Factors of height and width: one number for both, or one per axis."""
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"] = "nearest"
    """Interpolation between the pixels."""


class UpSampling3D(UpSampling):
    """Repeats every place of a volume."""

    key: ClassVar[str] = "up_sampling3d"

    size: Size3 = (2, 2, 2)
    """Factors of depth, height and width: one number for all, or one per axis."""


def per_axis(
    margins: tuple[int, ...] | tuple[tuple[int, int], ...],
) -> tuple[tuple[int, int], ...]:
    """Before and after for each axis; the only axis needs no list around its own."""
    pairs = tuple(margin for margin in margins if isinstance(margin, tuple))
    return pairs or (margins,)  # type: ignore[return-value]


def product(shape: Shape) -> Dim:
    """Return the number of values of a shape, if known."""
    sizes = [size for size in shape if isinstance(size, int)]
    return math.prod(sizes) if len(sizes) == len(shape) else None


def add(size: Dim, amount: int) -> Dim:
    """Return a size plus a number; a symbolic dimension keeps its name if the number is 0."""
    if isinstance(size, int):
        return size + amount
    return None if amount else size


def scale(size: Dim, factor: int) -> Dim:
    """Return a size times a factor; a symbolic dimension keeps its name if the factor is 1."""
    if isinstance(size, int):
        return size * factor
    return size if factor == 1 else None
