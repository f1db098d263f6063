"""The base of all layers, and the shape arithmetic that families share.

A layer's fields are the arguments of Keras 3.15's layer, with its names and defaults. Left out
everywhere: `name` (a key of the step), `dtype` (float32; targets choose a precision),
`data_format` (always channels last), `trainable`, and `lora_rank`, `lora_alpha`,
`quantization_config` (fine-tuning of models that exist already).
Axes are counted as in Keras: 0 is the batch, 1 the first axis of the shape, -1 the last.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from kspec.schemas.keras_objects import KerasObject
from kspec.schemas.values import Positive, Spread

Dim = int | str | None
"""A size: known, named ("time": the same wherever the name stands), or unknown."""
Shape = tuple[Dim, ...]
"""Sizes of the axes, channels last, without the batch."""

Axis = Annotated[int, Field(ge=-8, le=8)]
Axes = Annotated[tuple[Axis, ...], Spread(), Field(min_length=1)]
Size1 = Annotated[tuple[Positive], Spread()]
Size2 = Annotated[tuple[Positive, Positive], Spread()]
Size3 = Annotated[tuple[Positive, Positive, Positive], Spread()]

SPATIAL = {
    1: "steps × channels",
    2: "height × width × channels",
    3: "depth × height × width × channels",
}


class ShapeError(Exception):
    """A layer cannot take what comes in; `field` names the argument that is at odds with it."""

    def __init__(self, message: str, field: str | None = None, help: str | None = None) -> None:  # noqa: A002
        super().__init__(message)
        self.message = message
        self.field = field
        self.help = help


class Layer(KerasObject):
    """A step of the network; `keras` is the class in `keras.layers`."""

    arity: ClassVar[Literal[1, "many"]] = 1
    """How many inputs it takes."""

    @abstractmethod
    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        """The shape it makes of its inputs' shapes; raises `ShapeError` for what Keras refuses."""


class Elementwise(Layer):
    """A layer that keeps the shape of what it takes, whatever that is."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        return shape


def show(shape: Iterable[Dim]) -> str:
    """A shape as users write it: `(28, 28, 1)`, `(time, 64)`, `(?, 3)`."""
    sizes = ["?" if dim is None else str(dim) for dim in shape]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"


def times(sizes: Iterable[Dim]) -> str:
    """Sizes as a product: `5×5`."""
    return "×".join("?" if size is None else str(size) for size in sizes)


def spatial(layer: Layer, shape: Shape, rank: int) -> tuple[Dim, ...]:
    """The spatial sizes of a shape of so many of them and channels."""
    if len(shape) != rank + 1:
        message = f"{layer.key} needs {SPATIAL[rank]}, found {show(shape)}"
        if len(shape) == rank and rank > 1:
            raise ShapeError(message, help="add the channel axis with a reshape")
        raise ShapeError(message)
    return shape[:-1]


def known(layer: Layer, shape: Shape, axis: int = -1, field: str | None = None) -> int:
    """The size of an axis that must be known; the axis is counted with the batch."""
    size = shape[index(layer, shape, axis, field)]
    if isinstance(size, int):
        return size
    which = "its last axis" if axis == -1 else f"axis {axis}"
    raise ShapeError(f"{layer.key} must know the size of {which}, found {show(shape)}", field)


def index(layer: Layer, shape: Shape, axis: int, field: str | None) -> int:
    """The place in a shape of an axis that is counted with the batch."""
    rank = len(shape) + 1
    if axis % rank == 0 and -rank <= axis < rank:
        raise ShapeError(
            f"axis {axis} of {layer.key} is the batch", field, "axes of the shape begin at 1"
        )
    if not -rank <= axis < rank:
        raise ShapeError(f"{layer.key} has no axis {axis} in {show(shape)}", field)
    return axis % rank - 1


def distinct(layer: Layer, shape: Shape, axes: tuple[int, ...], field: str) -> tuple[int, ...]:
    """The places of axes, none of which may be named twice."""
    places = tuple(index(layer, shape, axis, field) for axis in axes)
    if len(set(places)) < len(places):
        raise ShapeError(f"{layer.key} names an axis twice in {list(axes)}", field)
    return places
