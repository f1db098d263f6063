"""Random variables hide no fault: over every layer of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from kspec.schemas.layers import LAYERS
from tests.cases import CASES, Case

keras = pytest.importorskip("keras")

from kspec.models.keras_model import call_layer, make_layer, randomize  # noqa: E402

CHANCE = 0.01
"""The share of a kernel's elements that may be equal: float32 has 2²⁴ different numbers between 0.5
and 1.5, and a random initialiser of some thousand elements hits a few of them twice."""


def model_of(case: Case) -> Any:
    shapes = [[s if isinstance(s, int) else None for s in shape] for shape in case.shapes]
    inputs = [keras.Input(shape, dtype=case.dtype) for shape in shapes]
    layer = case.layer()
    output = call_layer(make_layer(layer, "layer"), layer, inputs)
    return keras.Model(inputs, output) if output not in inputs else None


def faults(model: Any) -> Iterator[str]:
    """Elements that another element could stand for, or that nothing would miss."""
    for variable in model.variables:
        if not keras.backend.is_float_dtype(variable.dtype):
            continue
        values = keras.ops.convert_to_numpy(variable)
        assert np.isfinite(values).all()
        if np.isin(values, (0.0, 1.0)).any():
            yield f"{variable.path} has zeros or ones"
        equal = values.size - np.unique(values).size
        if equal > (CHANCE * values.size if values.ndim > 1 else 0):
            yield f"{variable.path} has equal elements"


def with_variables() -> Iterator[tuple[Case, Any]]:
    for case in CASES:
        try:
            model = model_of(case)
        except ValueError:  # sizes that Keras itself refuses are another test's
            continue
        if model is not None and model.variables:
            yield case, model


def test_every_layer() -> None:
    seen = set()
    for case, model in with_variables():
        before = {each.path: keras.ops.convert_to_numpy(each).copy() for each in model.variables}
        randomize(model)
        assert list(faults(model)) == [], case.id
        for each in model.variables:
            values = keras.ops.convert_to_numpy(each)
            if "variance" in each.path:
                assert (values > 0).all(), case.id
            assert values.shape == before[each.path].shape
            assert values.dtype == before[each.path].dtype
        seen.add(case.key)
    assert {"lstm", "gru", "simple_rnn", "batch_normalization", "prelu", "dense"} <= seen
    assert seen <= set(LAYERS)


@pytest.mark.parametrize("start", ["zeros", "ones", "identity", "orthogonal"])
def test_kernels_of_any_initialiser(start: str) -> None:
    found = []
    for seed in (0, 1):
        layer = keras.layers.Dense(
            8, kernel_initializer=start, bias_initializer="ones", name="dense"
        )
        model = keras.Sequential([keras.Input((8,)), layer])
        assert list(faults(model))
        randomize(model, seed=seed)
        assert list(faults(model)) == []
        found.append([keras.ops.convert_to_numpy(each) for each in model.variables])
    assert not any(np.array_equal(*pair) for pair in zip(*found, strict=True))
