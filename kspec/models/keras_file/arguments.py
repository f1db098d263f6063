"""Conversion of a Keras layer to a layer of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import keras
from pydantic import ValidationError

from kspec.models.keras_file.refusal import refused
from kspec.schemas.keras_objects import KerasObject
from kspec.schemas.layers import DECIDED_OUT, catalogue
from kspec.schemas.layers.base import Layer, Part
from kspec.schemas.layers.function import Function
from kspec.schemas.layers.recurrent import CELLS
from kspec.schemas.weights import CONSTRAINTS, INITIALIZERS, REGULARIZERS

WITHOUT_EFFECT = frozenset(
    {"name", "trainable", "dtype", "build_config", "implementation", "use_cudnn"}
)
"""Configuration keys that do not affect a layer's output."""
NOTHING: tuple[Any, ...] = (None, False, "auto", "channels_last", [])
ADAPTED = frozenset({"epsilon", "num_bins"})
"""Keys with which a discretization computed its boundaries, which the configuration contains."""


@cache
def by_class() -> Mapping[type[Any], type[Part]]:
    """Layers and cells of the catalogue by their Keras class."""
    named = (cls for cls in (*catalogue(), *CELLS) if not issubclass(cls, Function))
    return MappingProxyType({getattr(keras.layers, cls.keras): cls for cls in named})


@cache
def by_name() -> Mapping[str, type[KerasObject]]:
    """Initializers, regularizers, constraints and layers by class name."""
    found: dict[str, type[KerasObject]] = {
        cls.keras: cls for cls in (*INITIALIZERS, *REGULARIZERS, *CONSTRAINTS)
    }
    # An initializer and a layer are both called Identity; layers do not wrap that one.
    return MappingProxyType({made.__name__: cls for made, cls in by_class().items()} | found)


def layer_of(layer: keras.Layer, call: Mapping[str, Any]) -> Layer:
    """Return the layer of the catalogue with the arguments of the call; raises KspecError KS738."""
    cls = by_class().get(type(layer))
    if cls is None or not issubclass(cls, Layer):
        reason = DECIDED_OUT.get(type(layer).__name__, "it is not in the catalogue")
        message = f"layer {layer.name!r} is a {type(layer).__name__}: {reason}"
        raise refused("KS738", message)
    where = f"layer {layer.name!r}"
    config = layer.get_config()
    if type(layer) is keras.layers.Discretization:
        config = {name: value for name, value in config.items() if name not in ADAPTED}
    given = _written(cls, config, where)
    return _validated(cls, {**given, **call}, where)


def _validated(cls: type[Layer], given: Mapping[str, Any], where: str) -> Layer:
    try:
        return cls.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        route = ".".join(str(part) for part in first["loc"])
        raise refused("KS738", f"{where}, {route}: {first['msg']}") from error


def _written(cls: type[KerasObject], config: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return a configuration as written in a spec."""
    fields = {field.alias or name: field for name, field in cls.model_fields.items()}
    for name, value in config.items():
        if name not in fields.keys() | WITHOUT_EFFECT and value not in NOTHING:
            raise refused("KS738", f"{where} has {name}: {value!r:.60}, which a spec cannot say")
    return {
        name: _plain(value, f"{where}, {name}")
        for name, value in config.items()
        if name in fields and (value != "linear" or fields[name].is_required())
    }


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(each, where) for each in value] or None
    if not isinstance(value, dict) or "class_name" not in value:
        return value
    cls = by_name().get(value["class_name"])
    if cls is None:
        raise refused("KS738", f"{where} is a {value['class_name']}, which a spec does not have")
    config = value["config"]
    if "forward" in str(config.get("name")) or "backward" in str(config.get("name")):
        # A bidirectional layer sets it in both of its layers.
        config = {name: each for name, each in config.items() if name != "zero_output_for_mask"}
    return {cls.key: _written(cls, config, where)}
