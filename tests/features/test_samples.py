"""Drawn rows could be data: each domain is seen, and outputs vary."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kspec.compiler.domains import input_domains
from kspec.features.samples import draw_rows, lengths, structured

keras = pytest.importorskip("keras")

from keras import layers as L  # noqa: E402, N812

from kspec.compiler.trace import trace  # noqa: E402
from kspec.models.keras_model import randomize  # noqa: E402
from kspec.pipeline.proof.comparison import varies  # noqa: E402

ROWS = 8


def model(shape: tuple[int | None, ...], dtype: str, *stack: Any) -> Any:
    x = given = keras.Input(shape, dtype=dtype, name="x")
    for layer in stack:
        x = layer(x)
    made = keras.Model(given, L.Dense(3, name="y")(x))
    randomize(made)
    return made


def drawn(made: Any, **how: Any) -> np.ndarray:
    """The rows of the only input, after the model was found to tell them apart."""
    graph = trace(made)
    rows = draw_rows(graph, ROWS, **how)
    again = draw_rows(graph, ROWS, **how)
    assert np.array_equal(rows["x"], again["x"])
    (value,) = graph.inputs
    assert rows["x"].dtype == value.dtype.numpy
    outputs = np.asarray(made(rows["x"], training=False))
    assert np.isfinite(outputs).all()
    assert varies({"y": outputs})
    different = np.unique(rows["x"], axis=0).shape[0]
    assert different >= ROWS - 1
    assert np.unique(outputs.round(5), axis=0).shape[0] == different
    return rows["x"]


@pytest.mark.parametrize("dtype", ["int32", "int64", "float32"])
@pytest.mark.parametrize("pool", [L.GlobalAveragePooling1D, lambda: L.GRU(4), lambda: L.LSTM(4)])
def test_words_with_padding(dtype: str, pool: Callable[[], Any]) -> None:
    rows = drawn(model((24,), dtype, L.Embedding(1000, 16, mask_zero=True), pool()))
    assert rows.min() == 0
    assert 900 < rows.max() < 1000
    used = (rows != 0).sum(axis=1)
    assert len(set(used.tolist())) == ROWS
    assert used.max() == 24
    assert used.min() == 1
    for row, count in zip(rows, used, strict=True):
        assert (row[:count] != 0).all(), "the padding stands at the end"


def test_words_without_padding() -> None:
    rows = drawn(model((24,), "int32", L.Embedding(50, 4), L.GlobalAveragePooling1D()))
    assert (rows.min(), rows.max()) == (0, 49)


def test_an_index_that_is_computed() -> None:
    class Shifted(L.Layer):
        def call(self, x: Any) -> Any:
            return (x - 100) * 2

    rows = drawn(model((6,), "int32", Shifted(), L.Embedding(40, 4), L.Flatten()))
    assert 100 <= rows.min() < 105
    assert 115 < rows.max() <= 119


def test_steps_that_are_masked() -> None:
    rows = drawn(model((12, 3), "float32", L.Masking(-1.0), L.GRU(4)))
    absent = (rows == -1).all(axis=2)
    assert len(set(absent.sum(axis=1).tolist())) == ROWS
    assert not absent[:, 0].any()


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
def test_every_class_may_come(mode: str) -> None:
    rows = drawn(model((4 if mode != "one_hot" else 1,), "int32", L.CategoryEncoding(9, mode)))
    assert rows.min() >= 0
    assert rows.max() <= 8


def test_both_sides_of_each_threshold() -> None:
    edges = [-3.0, 10.0, 11.0, 500.0]
    layer = L.Discretization(edges, output_mode="one_hot")
    rows = drawn(model((20,), "float32", layer, L.Flatten()))
    assert set(np.digitize(rows, edges).reshape(-1).tolist()) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    ("scaling", "high"),
    [(L.Rescaling(1 / 255), 255), (L.Rescaling(1 / 127.5, -1.0), 255), (L.Rescaling(1 / 16), 16)],
)
def test_pictures_that_the_network_rescales(scaling: Any, high: float) -> None:
    convolution = L.Conv2D(8, 3, strides=2, activation="relu")
    rows = drawn(model((32, 32, 3), "float32", scaling, convolution, L.GlobalAveragePooling2D()))
    assert rows.min() >= 0
    assert 0.8 * high < rows.max() <= high
    if high == 255:
        assert (rows == rows.round()).all()
    contrasts = rows.std(axis=(1, 2, 3))
    assert contrasts.max() > 1.5 * contrasts.min()


def test_numbers_follow_the_statistics_of_a_normalisation() -> None:
    mean, deviation = np.array([1e4, -50.0, 0.0]), np.array([1e3, 2.0, 1e-3])
    layer = L.Normalization(mean=mean, variance=deviation**2)
    graph = trace(model((3,), "float32", layer))
    (domain,) = input_domains(graph).values()
    np.testing.assert_allclose(domain.center, mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(domain.spread, deviation, rtol=1e-5)
    rows = draw_rows(graph, 200)["x"]
    assert (np.abs(rows.mean(axis=0) - mean) < deviation).all()


def test_sizes_ranges_and_strength() -> None:
    graph = trace(model((None, 4), "float32", L.GlobalAveragePooling1D()))
    assert draw_rows(graph, 2)["x"].shape == (2, 5, 4)
    (name,) = {dim for dim in graph.inputs[0].shape[1:] if isinstance(dim, str)}
    assert draw_rows(graph, 2, sizes={name: 9})["x"].shape == (2, 9, 4)
    bounded = draw_rows(graph, 2, ranges={"x": (3.0, 4.0)})["x"]
    assert bounded.min() >= 3
    assert bounded.max() <= 4
    small, large = (draw_rows(graph, 2, strength=each)["x"] for each in (1.0, 40.0))
    np.testing.assert_allclose(large, small * 40, rtol=1e-6)
    assert not np.array_equal(draw_rows(graph, 2, seed=1)["x"], small)


def test_structure() -> None:
    field = structured((8, 64, 2), np.random.default_rng(0))
    rough = np.abs(np.diff(field, axis=1)).mean(axis=(1, 2)) / field.std(axis=(1, 2))
    assert rough.max() > 2 * rough.min(), "some rows are smooth and some are not"
    for count, time in ((1, 5), (8, 24), (8, 3)):
        found = lengths(count, time, np.random.default_rng(0))
        assert found.shape == (count,)
        assert found[0] == time == found.max()
        assert found.min() >= 1


TEXT = """\
kspec: 1
name: topics
inputs: {{tokens: {{tensor: {{shape: [24], dtype: int32}}}}}}
outputs: {{topic: {{category: [a, b, c]}}}}
network:
  - embedding: {{input_dim: 1000, output_dim: 16, mask_zero: {mask}}}
  - {pool}
  - dense: {{units: 3, activation: softmax}}
    name: topic
"""


@pytest.mark.parametrize(
    "pool", ["global_average_pooling1d", "gru: 8", "bidirectional: {layer: {lstm: 4}}"]
)
@pytest.mark.parametrize("mask", ["true", "false"])
def test_a_plan_tells_texts_apart(pool: str, mask: str) -> None:
    from kspec.pipeline.plan import random_network
    from kspec.pipeline.workshop import Workshop
    from kspec.spec import parse

    document = parse(TEXT.format(mask=mask, pool=pool).encode(), Path("model.yaml"))
    _, rows, _ = random_network(Workshop(document, {}))
    assert varies(rows.expected)
    assert rows.inputs["tokens"].max() > 900
