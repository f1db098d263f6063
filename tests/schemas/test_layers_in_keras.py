"""Layers against Keras: what the schema says of a shape is what Keras makes of it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kspec.schemas.layers import LAYERS, ShapeError
from tests.cases import CASES, Case

keras = pytest.importorskip("keras")


def unnamed(shape: Any) -> tuple[int | None, ...]:
    """A shape as Keras knows it: names are sizes that vary."""
    return tuple(size if isinstance(size, int) else None for size in shape)


def in_keras(layer: Any) -> Any:
    """The Keras layer."""
    return getattr(keras.layers, layer.keras)(**layer.arguments())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_shape_is_that_of_keras_and_the_layer_runs(case: Case) -> None:
    layer = case.layer()
    built = in_keras(layer)
    inputs = [keras.KerasTensor((None, *unnamed(shape))) for shape in case.shapes]
    output = built(inputs if layer.arity == "many" else inputs[0])
    promised = layer.output_shape(case.shapes)
    assert (None, *unnamed(promised)) == tuple(output.shape)
    rng = np.random.default_rng(0)
    rows = [
        rng.normal(size=(3, *(size or 7 for size in unnamed(shape)))).astype("float32")
        for shape in case.shapes
    ]
    result = np.asarray(built(rows if layer.arity == "many" else rows[0], training=False))
    known = [(size, found) for size, found in zip(promised, result.shape[1:], strict=True)]
    assert all(size == found for size, found in known if isinstance(size, int))
    assert np.isfinite(result).all()
