"""The layers of the spec, by key."""

from collections.abc import Mapping
from types import MappingProxyType

from kspec.schemas.layers.base import Dim, Layer, Shape, ShapeError
from kspec.schemas.layers.core import Dense

CLASSES: tuple[type[Layer], ...] = (Dense,)
"""All layers; adding one is adding its class here."""

LAYERS: Mapping[str, type[Layer]] = MappingProxyType({cls.key: cls for cls in CLASSES})

__all__ = ["CLASSES", "LAYERS", "Dim", "Layer", "Shape", "ShapeError"]
