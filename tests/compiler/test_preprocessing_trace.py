"""Layers that prepare data, in forms that no spec has: against Keras itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kspec.compiler.ir import Array, Shape
from tests.compiler.test_trace import compare

keras = pytest.importorskip("keras")

from kspec.compiler.trace import TraceError, trace  # noqa: E402

layers = keras.layers
pytestmark = pytest.mark.filterwarnings("ignore")
FIRST = {"data_format": "channels_first"}
PICTURE, PLANES, WORDS = (8, 9, 3), (3, 8, 9), (7,)
WAYS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


def adapted(layer: Any) -> Any:
    layer.adapt(np.random.default_rng(0).normal(size=(100, 7)))
    return layer


FORMS: dict[str, tuple[Callable[..., Any], tuple[Shape, ...], str]] = {
    **{
        f"resizing {how} of planes": (
            layers.Resizing(5, 12, interpolation=how, **FIRST), (PLANES,), "",
        )
        for how in WAYS
    },
    **{
        # Three times as large: weights are thirds, and nothing lies half way between two numbers.
        f"resizing {how} of {kind}": (
            layers.Resizing(24, 27, interpolation=how), (PICTURE,), kind,
        )
        for how in WAYS
        for kind in ("uint8", "int32")
    },
    **{
        f"resizing {how} by {ratio}": (
            layers.Resizing(*size, interpolation=how, **{f"{ratio}_to_aspect_ratio": True}),
            (PICTURE,),
            "",
        )
        for how in ("bilinear", "bicubic")
        for ratio in ("crop", "pad")
        for size in ((12, 4), (3, 9))
    },
    "resizing by a crop of planes": (
        layers.Resizing(4, 12, crop_to_aspect_ratio=True, antialias=True, **FIRST), (PLANES,), "",
    ),
    "resizing by a pad of planes": (
        layers.Resizing(4, 12, pad_to_aspect_ratio=True, fill_value=2.0, **FIRST), (PLANES,), "",
    ),
    "resizing to a sliver": (layers.Resizing(1, 200, crop_to_aspect_ratio=True), (PICTURE,), ""),
    "crop of planes": (layers.CenterCrop(5, 4, **FIRST), (PLANES,), ""),
    "crop of planes that are too small": (layers.CenterCrop(12, 4, **FIRST), (PLANES,), ""),
    "crop of bytes": (layers.CenterCrop(5, 4), (PICTURE,), "uint8"),
    "contrast of bytes": (layers.AutoContrast(), (PICTURE,), "uint8"),
    "counts with weights": (
        lambda words, weights: layers.CategoryEncoding(9, output_mode="count")(
            keras.ops.cast(keras.ops.abs(words) * 9, "int32"), count_weights=weights
        ),
        (WORDS, WORDS),
        "",
    ),
    **{
        f"{mode} of numbers": (layers.CategoryEncoding(2, output_mode=mode), (WORDS,), "float32+")
        for mode in ("multi_hot", "count", "one_hot")
    },
    "intervals of whole numbers": (layers.Discretization([-1, 1]), (WORDS,), "int32"),
    "adapted intervals": (
        adapted(layers.Discretization(num_bins=4, output_mode="one_hot")), (WORDS,), "",
    ),
}  # fmt: skip


def drawn(shape: Shape, kind: str, batch: int) -> Array:
    rng = np.random.default_rng(batch)
    if kind == "uint8":
        return rng.integers(0, 256, (batch, *shape)).astype(np.uint8)
    if kind == "int32":
        return rng.integers(-9, 9, (batch, *shape)).astype(np.int32)
    normal = rng.normal(size=(batch, *shape)).astype(np.float32)
    return np.abs(normal) if kind.endswith("+") else normal


@pytest.mark.parametrize("name", FORMS)
def test_forms(name: str) -> None:
    layer, shapes, kind = FORMS[name]
    dtype = kind.rstrip("+") or "float32"
    inputs = [keras.Input(shape, dtype=dtype, name=f"x{i}") for i, shape in enumerate(shapes)]
    model = keras.Model(inputs, layer(*inputs))
    graph = trace(model)
    for batch in (1, 3):
        rows = {f"x{i}": drawn(shape, kind, batch) for i, shape in enumerate(shapes)}
        compare(model, graph, rows, [*rows.values()])


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (layers.CenterCrop(4, 4), (None, 9, 3), "size x_1 of the images must be known"),
        (layers.Resizing(4, 4, interpolation="bicubic"), (None, 9, 3), "x_1 of the images must"),
        (layers.Resizing(4, 4, pad_to_aspect_ratio=True), (8, None, 3), "x_2 of the images must"),
        (layers.Discretization(num_bins=4), (7,), "no bin_boundaries: give them, or adapt it"),
        (layers.CategoryEncoding(4, sparse=True), (7,), "a sparse multi-hot encoding"),
        (layers.MelSpectrogram(64, 16), (None,), "a time .* must be known"),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_what_is_refused_says_why(layer: Any, shape: Shape, message: str) -> None:
    x = keras.Input(shape, name="x")
    with pytest.raises(TraceError, match=message):
        trace(keras.Model(x, layer(x)))
