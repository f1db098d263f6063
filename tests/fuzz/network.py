"""A network as data: drawn by the generator, stored in a file, and built with Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from kspec.compiler.ir import Array
from kspec.schemas.layers import Layer, Shape
from kspec.schemas.network import Step

TIME = 5
"""The size of a dimension that varies."""


@dataclass(frozen=True, slots=True)
class Source:
    """An input, or the output of a step."""

    name: str
    shape: Shape
    below: int | None = None
    """The bound of whole numbers from 0; None for real numbers."""


@dataclass(frozen=True, slots=True)
class Node:
    """A step: a layer by its key, with arguments as in YAML, and the names of its inputs."""

    name: str
    key: str
    arguments: Any
    sources: tuple[str, ...]

    def layer(self) -> Layer:
        return Step.model_validate({self.key: self.arguments}).layer


@dataclass(frozen=True, slots=True)
class Network:
    """A DAG of layers with the seed of its weights and of its rows."""

    inputs: tuple[Source, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    seed: int

    def rows(self, count: int) -> dict[str, Array]:
        """Return inputs within ±2; the last time step of the first row is 0, as in a padded
        batch."""
        drawn = np.random.default_rng((self.seed, count))
        rows = {}
        for source in self.inputs:
            sizes = [size if isinstance(size, int) else TIME for size in source.shape]
            if source.below is None:
                array = drawn.uniform(-2, 2, (count, *sizes)).astype(np.float32)
            else:
                array = drawn.integers(0, source.below, (count, *sizes)).astype(np.int32)
            if len(sizes) > 1 - (source.below is not None):
                array[0, -1] = 0
            rows[source.name] = array
        return rows

    def text(self) -> str:
        """Return the YAML: inputs and steps as in a spec, and outputs by name, since they have any
        shape."""
        network = [
            {node.key: node.arguments, "name": node.name, "from": list(node.sources)}
            for node in self.nodes
        ]
        inputs = {
            source.name: {"shape": list(source.shape)}
            | ({} if source.below is None else {"below": source.below})
            for source in self.inputs
        }
        held = {
            "inputs": inputs,
            "network": network,
            "outputs": list(self.outputs),
            "seed": self.seed,
        }
        return yaml.safe_dump(held, sort_keys=False, default_flow_style=None, width=98)


def read(path: Path) -> Network:
    """Return the network of a file."""
    held: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    inputs = tuple(
        Source(name, tuple(each["shape"]), each.get("below"))
        for name, each in held["inputs"].items()
    )
    nodes = []
    for step in held["network"]:
        name, sources = step.pop("name"), tuple(step.pop("from"))
        ((key, arguments),) = step.items()
        nodes.append(Node(name, key, arguments, sources))
    return Network(inputs, tuple(nodes), tuple(held["outputs"]), held["seed"])


def build(network: Network) -> Any:
    """Return the Keras model with random weights and statistics; inputs and outputs are dicts."""
    import keras

    from kspec.models.keras_model import call_layer, make_layer, randomize

    keras.backend.clear_session(free_memory=False)
    keras.utils.set_random_seed(network.seed)
    inputs = {
        source.name: keras.Input(
            [size if isinstance(size, int) else None for size in source.shape],
            name=source.name,
            dtype="float32" if source.below is None else "int32",
        )
        for source in network.inputs
    }
    values = dict(inputs)
    for node in network.nodes:
        layer = node.layer()
        taken = [values[name] for name in node.sources]
        values[node.name] = call_layer(make_layer(layer, node.name), layer, taken)
    model = keras.Model(inputs, {name: values[name] for name in network.outputs}, name="network")
    randomize(model, network.seed)
    return model
