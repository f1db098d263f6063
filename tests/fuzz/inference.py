"""Compares the inference of `kspec check` with the model that Keras builds.

`python -m tests.fuzz.inference --count 1000 --seed 7` compares that many random networks, without
running them.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings

from kspec.schemas.layers import Shape
from kspec.spec.expanded import Expanded
from kspec.spec.inference import infer
from kspec.spec.network import Candidate
from kspec.spec.reader import read
from kspec.spec.sizes import Sizes
from tests.fuzz.generator import networks
from tests.fuzz.network import Network, build


def inferred(network: Network) -> Sizes:
    """Return the sizes of a network, as the loader of specs infers them."""
    inputs = {
        source.name: {
            "tensor": {
                "shape": list(source.shape),
                "dtype": "float32" if source.below is None else "int32",
            }
        }
        for source in network.inputs
    }
    node, _ = read(yaml.safe_dump(inputs), "inputs.yaml")
    candidates = tuple(
        Candidate(
            Expanded(each.name, each.key, node, each.sources, ("network", place), (), True),
            each.layer(),
        )
        for place, each in enumerate(network.nodes)
    )
    problems: list[Any] = []
    sizes = infer(candidates, node, None, problems)
    assert not problems, problems
    return sizes


def differences(network: Network, model: Any) -> list[str]:
    """Yield where shapes, element types and weights differ from the Keras model."""
    sizes, found = inferred(network), []
    for node in network.nodes:
        layer, value = model.get_layer(node.name), sizes.values[node.name]
        assert value is not None
        promised, made = (_unnamed(value.shape), value.dtype), layer.output
        if promised != (tuple(made.shape[1:]), made.dtype):
            found.append(f"{node.name} is inferred as {promised}, Keras has {made}")
        weights = {
            (each.path.removeprefix(f"{node.name}/"), tuple(each.shape), bool(each.trainable))
            for each in layer.weights
        }
        listed = sizes.weights[node.name] or ()
        if {(each.path, each.shape, each.trainable) for each in listed} != weights:
            found.append(f"{node.name} is inferred to hold {listed}, Keras has {weights}")
    if sizes.parameters != model.count_params():
        found.append(f"{sizes.parameters} parameters, Keras has {model.count_params()}")
    return found


def _unnamed(shape: Shape) -> tuple[int | None, ...]:
    return tuple(size if isinstance(size, int) else None for size in shape)


def compare(count: int, start: int) -> int:
    """Compare that many random networks; return the number of steps. Raises AssertionError."""
    steps = 0

    @seed(start)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(networks())
    def holds(network: Network) -> None:
        nonlocal steps
        steps += len(network.nodes)
        assert not differences(network, build(network)), network.text()

    holds()
    return steps


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.inference", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="how many networks")
    parser.add_argument("--seed", type=int, default=0, help="where to start")
    chosen = parser.parse_args()
    steps = compare(chosen.count, chosen.seed)
    print(f"{chosen.count} networks of {steps} steps: all as in Keras")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
