"""The base of all layers, and the shape arithmetic that families share.

A layer's fields are the arguments of Keras 3.15's layer, with its names and defaults. Left out
everywhere: `name` (a key of the step), `dtype` (float32; targets choose a precision),
`data_format` (always channels last), `trainable`, and `lora_rank`, `lora_alpha`,
`quantization_config` (fine-tuning of models that exist already).
Axes are counted as in Keras: 0 is the batch, 1 the first axis of the shape, -1 the last.
"""

import math
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from kspec.schemas.keras_objects import KerasObject
from kspec.schemas.values import Positive, Spread

Dim = int | str | None
"""A size: a number, a symbolic dimension ("time": equal names mean equal sizes), or unknown."""
Shape = tuple[Dim, ...]
"""Sizes of the axes, channels last, without the batch."""
DType = Literal["float32", "int32"]
"""Element type of a tensor between layers."""
Whole = Literal["float32", "kept", "refused"]
"""Output element type of a layer for int32 inputs: float32, int32 again, or refused, because Keras
cannot compute it or returns different types in training and inference."""

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
    """A layer cannot take its inputs; `field` names the argument that conflicts with them."""

    def __init__(self, message: str, field: str | None = None, help: str | None = None) -> None:  # noqa: A002
        super().__init__(message)
        self.message = message
        self.field = field
        self.help = help


@dataclass(frozen=True, slots=True)
class Weight:
    """A variable of a built layer."""

    path: str
    """Path below the layer's own name: `kernel`, `query/bias`."""
    shape: tuple[int, ...]
    trainable: bool = True
    dtype: str = "float32"

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


class Part(KerasObject):
    """A description of a Keras layer or cell; its class is in `keras.layers`."""

    module: ClassVar[str | None] = "keras.layers"
    call_fields: ClassVar[frozenset[str]] = frozenset()
    """Fields that are arguments of the call, not of the class."""

    def parts(self) -> "dict[str, Part | tuple[Part, ...]]":
        """Return the wrapped layers or cells by argument; `arguments` does not contain them."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return {
            name: value
            for name, value in values.items()
            if isinstance(value, Part) or (isinstance(value, tuple) and _all_parts(value))
        }

    def arguments(self) -> dict[str, Any]:
        apart = self.parts().keys() | self.call_fields
        return {name: value for name, value in super().arguments().items() if name not in apart}

    def call_arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of the call, apart from the inputs."""
        return {name: getattr(self, name) for name in sorted(self.call_fields)}


def _all_parts(values: tuple[Any, ...]) -> bool:
    return bool(values) and all(isinstance(value, Part) for value in values)


class Layer(Part):
    """A step of the network."""

    arity: ClassVar[Literal[1, "many"]] = 1
    """Number of inputs."""
    one_by_one: ClassVar[bool] = False
    """Whether the call takes several inputs as separate arguments, not as a list."""
    whole: ClassVar[Whole] = "float32"
    """The element type of the output for int32 inputs."""

    def weights_file(self) -> tuple[tuple[str, ...], str] | None:
        """Return the file with the initial values of the variables: its place among the arguments
        and its path inside the spec's folder."""
        return None

    def takes_again(self, first: Shape, shape: Shape) -> bool:
        """Return whether a layer built for the first shape can also be called with the second."""
        learns = any(name.endswith("_initializer") for name in type(self).model_fields)
        if not (learns or self.parts() or ":" in self.keras):
            return True
        return agree(first, shape)

    @abstractmethod
    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        """Return the output shape for these input shapes. Raises `ShapeError` for inputs that Keras
        refuses."""

    def of_whole_numbers(self) -> Whole:
        """Return the output element type for int32 inputs and the arguments of this layer."""
        return self.whole

    def output_dtype(self, dtypes: tuple[DType, ...]) -> DType:
        """Return the output element type for these input types. Raises `ShapeError` for types that
        Keras refuses."""
        if "int32" not in dtypes:
            return "float32"
        rule = self.of_whole_numbers()
        if rule == "refused":
            raise ShapeError(
                f"{self.key} computes with float32, found int32",
                help="put a step before it that gives float32: `rescaling: 1`, `embedding`, …",
            )
        return "int32" if rule == "kept" and set(dtypes) == {"int32"} else "float32"

    def weight_shapes(
        self,
        shapes: tuple[Shape, ...],  # noqa: ARG002
    ) -> tuple[Weight, ...] | None:
        """Return all weights of the layer for input shapes that `output_shape` accepts; None if a
        third-party layer does not declare its weights."""
        return None if ":" in self.keras else ()

    def largest_inner(self, shapes: tuple[Shape, ...]) -> int:  # noqa: ARG002
        """Return the elements per row of the largest intermediate tensor; 0 if none is larger than
        the inputs and the output."""
        return 0

    def parameter_count(self, shapes: tuple[Shape, ...]) -> int | None:
        """Return the number of elements of all weights; None if unknown."""
        weights = self.weight_shapes(shapes)
        return None if weights is None else sum(weight.size for weight in weights)


class Elementwise(Layer):
    """A layer whose output has the shape of its input, for any shape."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        return shape


def sized(shape: Iterable[Dim]) -> tuple[int, ...]:
    """Return sizes that `output_shape` has checked to be known."""
    return tuple(size for size in shape if isinstance(size, int))


def within(name: str, weights: Iterable[Weight] | None) -> tuple[Weight, ...] | None:
    """Return the weights of an inner layer, with its name before their paths."""
    if weights is None:
        return None
    return tuple(replace(weight, path=f"{name}/{weight.path}") for weight in weights)


def agree(first: Shape, shape: Shape, *axes: int) -> bool:
    """Return whether two shapes have equal rank and no different known sizes, on `axes` (counted
    with the batch) or on all axes."""
    rank = len(first) + 1
    places = [axis % rank - 1 for axis in axes] or range(len(first))
    return len(first) == len(shape) and all(
        first[place] == shape[place]
        or not (isinstance(first[place], int) and isinstance(shape[place], int))
        for place in places
    )


def show(shape: Iterable[Dim]) -> str:
    """Format a shape for messages: `(28, 28, 1)`, `(time, 64)`, `(?, 3)`."""
    sizes = ["?" if dim is None else str(dim) for dim in shape]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"


def times(sizes: Iterable[Dim]) -> str:
    """Format sizes as a product: `5×5`."""
    return "×".join("?" if size is None else str(size) for size in sizes)


def spatial(layer: Layer, shape: Shape, rank: int) -> tuple[Dim, ...]:
    """Return the spatial sizes of a shape that has `rank` spatial axes and channels."""
    if len(shape) != rank + 1:
        message = f"{layer.key} needs {SPATIAL[rank]}, found {show(shape)}"
        if len(shape) == rank and rank > 1:
            raise ShapeError(message, help="add the channel axis with a reshape")
        raise ShapeError(message)
    return shape[:-1]


def known(layer: Layer, shape: Shape, axis: int = -1, field: str | None = None) -> int:
    """Return the size of an axis, counted with the batch. Raises `ShapeError` if it is unknown."""
    size = shape[index(layer, shape, axis, field)]
    if isinstance(size, int):
        return size
    which = "its last axis" if axis == -1 else f"axis {axis}"
    raise ShapeError(f"{layer.key} must know the size of {which}, found {show(shape)}", field)


def index(layer: Layer, shape: Shape, axis: int, field: str | None) -> int:
    """Return the index into a shape of an axis that is counted with the batch."""
    rank = len(shape) + 1
    if axis % rank == 0 and -rank <= axis < rank:
        raise ShapeError(
            f"axis {axis} of {layer.key} is the batch", field, "axes of the shape begin at 1"
        )
    if not -rank <= axis < rank:
        raise ShapeError(f"{layer.key} has no axis {axis} in {show(shape)}", field)
    return axis % rank - 1


def distinct(layer: Layer, shape: Shape, axes: tuple[int, ...], field: str) -> tuple[int, ...]:
    """Return the indices of axes. Raises `ShapeError` if an axis is named twice."""
    places = tuple(index(layer, shape, axis, field) for axis in axes)
    if len(set(places)) < len(places):
        raise ShapeError(f"{layer.key} names an axis twice in {list(axes)}", field)
    return places
