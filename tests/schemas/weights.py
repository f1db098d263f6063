"""The weights of a layer: as the catalogue infers them, and as Keras builds them."""

from typing import Any

from kspec.schemas.layers import Layer
from tests.cases import Case

Weights = list[tuple[str, tuple[int, ...], bool, str]]
"""Path below the layer, shape, whether it is trained, element type; sorted."""


def weights_of(layer: Layer, case: Case) -> Weights:
    """The weights that the catalogue infers; their number must be the sum of their sizes."""
    weights = layer.weight_shapes(case.shapes)
    assert weights is not None
    assert layer.parameter_count(case.shapes) == sum(each.size for each in weights)
    return sorted((each.path, each.shape, each.trainable, each.dtype) for each in weights)


def weights_in(built: Any, name: str) -> Weights:
    """The weights of a layer of Keras of that name."""
    return sorted(
        (each.path.removeprefix(f"{name}/"), tuple(each.shape), bool(each.trainable), each.dtype)
        for each in built.weights
    )
