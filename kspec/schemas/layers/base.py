"""The base of all layers, and the shape arithmetic that families share."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Literal

from kspec.schemas.base import Choice

Dim = int | str | None
"""A size: known, named ("time": the same wherever the name stands), or unknown."""
Shape = tuple[Dim, ...]
"""Sizes of the axes, channels last, without the batch."""


class ShapeError(Exception):
    """A layer cannot take what comes in; `field` names the argument that is at odds with it."""

    def __init__(self, message: str, field: str | None = None, help: str | None = None) -> None:  # noqa: A002
        super().__init__(message)
        self.message = message
        self.field = field
        self.help = help


class Layer(Choice):
    """A step of the network. Fields are the arguments of the Keras layer, with its defaults."""

    keras: ClassVar[str]
    """The class in `keras.layers`."""
    arity: ClassVar[Literal[1, "many"]] = 1
    """How many inputs it takes."""

    @abstractmethod
    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        """The shape it makes of its inputs' shapes; raises `ShapeError` for what Keras refuses."""

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments for `keras.layers.<keras>`, as plain data."""
        return {name: plain(getattr(self, name)) for name in type(self).model_fields}


def plain(value: Any) -> Any:
    """A field's value as JSON data; choices as Keras configs."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value


def show(shape: Shape) -> str:
    """A shape as users write it: `(28, 28, 1)`, `(time, 64)`, `(?, 3)`."""
    sizes = ", ".join("?" if dim is None else str(dim) for dim in shape)
    return f"({sizes},)" if len(shape) == 1 else f"({sizes})"
