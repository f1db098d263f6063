"""Layers of one spec alone."""

from typing import ClassVar

from kspec.schemas.layers import Layer, Shape
from kspec.schemas.values import Number


class Bounded(Layer):
    """limit · tanh(x / limit)."""

    key: ClassVar[str] = "bounded"
    keras: ClassVar[str] = "bounded.py:Bounded"

    limit: Number = 2.0
    """What no value reaches."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        return shape
