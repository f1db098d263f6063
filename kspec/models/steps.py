"""Keras layers for preprocessing steps of inputs inside the network: a table keyed by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import keras

from kspec.features.kinds import steps_of
from kspec.features.steps import GraphStep, Normalize, Rescale
from kspec.schemas.features import Input

LAYERS: Mapping[type[GraphStep], Callable[[Any, str], keras.Layer]] = MappingProxyType(
    {
        Rescale: lambda step, name: keras.layers.Rescaling(step.scale, step.offset, name=name),
        Normalize: lambda _, name: keras.layers.Normalization(name=name),
    }
)
"""Create the layer of a step with a name."""


def graph_steps(item: Input) -> tuple[GraphStep, ...]:
    """Return the preprocessing steps of an input inside the network, in order."""
    return tuple(each for each in steps_of(item) if isinstance(each, GraphStep))


def layer_name(name: str, step: GraphStep) -> str:
    """Return the name of the layer of an input's step: ``pixels.rescale``."""
    return f"{name}.{step.step}"


def prepared(name: str, item: Input, value: Any) -> Any:
    """Return an input's tensor after its preprocessing steps, each of which is a layer."""
    for step in graph_steps(item):
        value = LAYERS[type(step)](step, layer_name(name, step))(value)
    return value
