"""The layers of the spec, by key."""

from kspec.schemas.layers.base import Dim, Layer, Shape, ShapeError
from kspec.schemas.layers.decided_out import DECIDED_OUT
from kspec.schemas.layers.registry import FAMILIES, LAYERS, catalogue

__all__ = [
    "DECIDED_OUT",
    "FAMILIES",
    "LAYERS",
    "Dim",
    "Layer",
    "Shape",
    "ShapeError",
    "catalogue",
]
