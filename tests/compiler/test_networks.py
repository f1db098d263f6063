"""Whole CNNs: traced, simplified, and with channels first and no transpose inside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kspec.compiler import ops
from kspec.compiler.ir import Graph
from kspec.compiler.passes import run_passes
from kspec.compiler.passes.channels_first import channels_first
from kspec.compiler.passes.common import COMMON
from kspec.compiler.passes.fuse_activations import fuse_activations
from kspec.compiler.passes.remove_dead import remove_dead
from kspec.compiler.passes.simplify import simplify
from kspec.compiler.reference import evaluate
from kspec.compiler.text import format_graph
from kspec.compiler.verifier import verify

keras = pytest.importorskip("keras")

from kspec.compiler.trace import trace  # noqa: E402
from kspec.models.keras_model import randomize  # noqa: E402

layers = keras.layers
GOLDEN = Path(__file__).parent / "golden"
FIRST = (*COMMON, channels_first, simplify, remove_dead)


def unit(x: Any, filters: int, **arguments: Any) -> Any:
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False, **arguments)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def plain(x: Any) -> Any:
    x = layers.MaxPooling2D()(unit(layers.Rescaling(1 / 16)(x), 4))
    x = layers.AveragePooling2D(2, 1, padding="same")(unit(x, 6, strides=2))
    return layers.Dense(3, activation="softmax")(layers.Dropout(0.5)(layers.Flatten()(x)))


def residual(x: Any) -> Any:
    x = unit(x, 4)
    short = layers.Conv2D(8, 1, strides=2)(x)
    x = layers.BatchNormalization()(layers.Conv2D(8, 3, strides=2, padding="same")(x))
    x = layers.ReLU()(layers.Add()([x, short]))
    x = layers.Add()([x, unit(x, 8)])
    return layers.Dense(3)(layers.GlobalAveragePooling2D()(x))


def squeeze_and_excite(x: Any) -> Any:
    x = unit(x, 8)
    gate = layers.GlobalAveragePooling2D()(x)
    gate = layers.Dense(8, activation="sigmoid")(layers.Dense(2, activation="relu")(gate))
    x = layers.Multiply()([x, layers.Reshape((1, 1, 8))(gate)])
    gate = layers.Conv2D(8, 1, activation="hard_sigmoid")(
        layers.GlobalMaxPooling2D(keepdims=True)(x)
    )
    return layers.GlobalMaxPooling2D()(layers.Activation("silu")(x * gate))


def u_net(x: Any) -> Any:
    wide = unit(x, 4)
    deep = unit(layers.MaxPooling2D()(wide), 6)
    up = layers.UpSampling2D(interpolation="bilinear")(deep)
    x = unit(layers.Concatenate()([wide, up]), 4)
    x = layers.Concatenate()([x, layers.UpSampling2D()(layers.Conv2D(2, 3, padding="same")(deep))])
    x = layers.Conv2DTranspose(3, 2, strides=2)(layers.MaxPooling2D()(x))
    return layers.Conv2D(2, 1, activation="softmax", name="mask")(x)


def separable(x: Any) -> Any:
    x = layers.SeparableConv2D(6, 3, strides=2, activation="relu6")(layers.ZeroPadding2D(1)(x))
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same")(x)
    x = layers.PReLU(shared_axes=[1, 2])(layers.BatchNormalization()(x))
    x = layers.LeakyReLU(0.1)(layers.Cropping2D(((0, 1), (1, 0)))(x))
    return layers.Dense(2)(layers.Flatten()(layers.Conv2D(4, 1)(x)))


def one_dimensional(x: Any) -> Any:
    x = layers.Conv1D(6, 3, padding="causal", dilation_rate=2, activation="elu")(x)
    x = layers.MaxPooling1D()(layers.BatchNormalization()(x))
    x = layers.UpSampling1D(2)(layers.SeparableConv1D(4, 3)(x))
    return layers.Dense(2)(layers.GlobalAveragePooling1D()(x))


def norm_after_flatten(x: Any) -> Any:
    x = layers.Flatten()(unit(x, 4))
    x = layers.BatchNormalization()(x)
    return layers.Dense(3)(layers.Dropout(0.1)(layers.ReLU()(x)))


def groups(x: Any) -> Any:
    for count in (2, -1, 1):
        x = layers.Conv2D(6, 3, padding="same")(x)
        x = layers.ReLU()(layers.GroupNormalization(count)(x))
    return layers.GlobalAveragePooling2D()(x)


def two_heads(x: Any) -> Any:
    x = unit(x, 4)
    heat = layers.Conv2D(1, 1, name="heat")(x)
    return [heat, layers.Softmax(axis=(1, 2))(heat), layers.Dense(2)(layers.Flatten()(x)), x]


PICTURE, GREY, STEPS = (8, 8, 3), (8, 8, 1), (12, 3)
NETWORKS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    "plain": (plain, PICTURE),
    "plain-grey": (plain, GREY),
    "residual": (residual, PICTURE),
    "squeeze-and-excite": (squeeze_and_excite, PICTURE),
    "u-net": (u_net, PICTURE),
    "separable": (separable, PICTURE),
    "one-dimensional": (one_dimensional, STEPS),
    "norm-after-flatten": (norm_after_flatten, PICTURE),
    "groups": (groups, PICTURE),
    "two-heads": (two_heads, GREY),
}


def build(name: str) -> Any:
    network, shape = NETWORKS[name]
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    x = keras.Input(shape, name="pixels")
    model = keras.Model(x, network(x), name=name.replace("-", "_"))
    randomize(model)
    return model


def doors(graph: Graph) -> int:
    """Count the necessary transposes: inputs of several channels, outputs of rank above 2."""
    into = sum(value.type.rank > 2 and value.shape[-1] != 1 for value in graph.inputs)
    return into + sum(value.type.rank > 2 and value.shape[-1] != 1 for value in graph.outputs)


@pytest.mark.filterwarnings("ignore:The structure of `inputs`")
@pytest.mark.parametrize("name", NETWORKS)
def test_no_transpose_inside(name: str) -> None:
    model = build(name)
    graph = trace(model)
    first = run_passes(graph, FIRST)
    verify(first)
    kinds = [type(node.op) for node in first.nodes]
    assert kinds.count(ops.Transpose) <= doors(graph)
    assert ops.BatchNorm not in kinds
    x = np.random.default_rng(0).uniform(-2, 2, (3, *NETWORKS[name][1])).astype(np.float32)
    expected = keras.tree.flatten(model(x, training=False))
    for passes in ((), COMMON, FIRST, (*FIRST, fuse_activations, remove_dead)):
        found = evaluate(run_passes(graph, passes), {"pixels": x})
        for value, reference in zip(graph.outputs, expected, strict=True):
            np.testing.assert_allclose(found[value.name], np.asarray(reference), 1e-5, 1e-5)
    before = evaluate(graph, {"pixels": x}, keep=True, precision=np.float64)
    after = evaluate(first, {"pixels": x}, keep=True, precision=np.float64)
    shared = before.keys() & after.keys()
    assert len(shared) > len(graph.outputs)
    for key in shared:
        np.testing.assert_allclose(after[key], before[key], 1e-5, 1e-5, err_msg=key)


@pytest.mark.parametrize(
    ("stage", "passes"),
    [("traced", ()), ("common", COMMON), ("channels_first", FIRST)],
)
def test_golden_text(stage: str, passes: Any) -> None:
    """The text of a small CNN; where a change is meant, write what the test prints."""
    text = format_graph(run_passes(trace(build("plain")), passes))
    assert text == (GOLDEN / f"plain.{stage}.ir").read_text(encoding="utf-8")
