"""Traced layers and models against Keras itself, before and after the passes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from kspec.compiler.ir import Graph
from kspec.compiler.passes import Pass, run_passes
from kspec.compiler.passes.channels_first import channels_first
from kspec.compiler.passes.common import COMMON
from kspec.compiler.reference import EvaluationError, evaluate
from kspec.compiler.verifier import verify
from tests.cases import CASES, Case

keras = pytest.importorskip("keras")

from kspec.compiler.trace import TraceError, trace  # noqa: E402
from kspec.models.keras_model import call_layer, make_layer, randomize  # noqa: E402

PASSES: tuple[tuple[Pass, ...], ...] = ((), COMMON, (*COMMON, channels_first))


def compare(model: Any, graph: Graph, rows: dict[str, np.ndarray], given: Any = None) -> None:
    """Outputs within 1e-5 of max(1, |reference|), where Keras itself is that near the truth."""
    verify(graph)
    expected = model(rows if given is None else given, training=False)
    flat = [np.asarray(each) for each in keras.tree.flatten(expected)]
    exact = evaluate(graph, rows, precision=np.float64)
    for passes in PASSES:
        after = run_passes(graph, passes)
        verify(after)
        found = evaluate(after, rows)
        names = [value.name for value in graph.outputs]
        if isinstance(expected, dict):  # Keras flattens dicts by their keys
            names.sort()
        for name, reference in zip(names, flat, strict=True):
            array = found[name]
            assert array.shape == reference.shape, name
            scale = np.maximum(1, np.abs(reference))
            near = (np.abs(array - reference) <= 1e-5 * scale).all()
            # At the edge the float64 reference says who is right.
            assert near or np.abs(array - exact[name]).max() <= 1e-5, name
            assert (np.abs(exact[name] - reference) <= 5e-5 * scale).all(), name


def shape_of(case: Case, written: tuple[Any, ...]) -> tuple[Any, ...]:
    """The shape with its batch, and a name for each size that varies."""
    return ("batch", *(f"size{i}" if dim is None else dim for i, dim in enumerate(written)))


def model_of(case: Case) -> Any:
    inputs = [
        keras.Input(
            [dim if isinstance(dim, int) else None for dim in shape],
            name=f"x{index}",
            dtype=case.dtype,
        )
        for index, shape in enumerate(case.shapes)
    ]
    layer = case.layer()
    output = call_layer(make_layer(layer, "layer"), layer, inputs)
    model = keras.Model({each.name: each for each in inputs}, {"out": output})
    randomize(model, seed=1)
    return model


@pytest.mark.filterwarnings("ignore:The structure of `inputs`")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_layer_is_what_keras_computes(case: Case) -> None:
    model = model_of(case)
    shapes = {f"x{index}": shape_of(case, shape) for index, shape in enumerate(case.shapes)}
    graph = trace(model, shapes=shapes)
    for batch in (1, 3):
        compare(model, graph, dict(zip(shapes, case.rows(batch, seed=batch), strict=True)))


class Gate(keras.layers.Layer):
    """A layer written in keras.ops."""

    def call(self, x: Any, training: bool = False) -> Any:
        assert not training
        mean = keras.ops.mean(x, axis=-1, keepdims=True)
        return keras.ops.where(x > mean, x * 2, keras.ops.abs(x) - 1) + x[..., ::-1]


class Block(keras.layers.Layer):
    """A layer of layers, one of them used twice."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(6, activation="gelu")
        self.norm = keras.layers.LayerNormalization()
        self.drop = keras.layers.Dropout(0.5)

    def build(self, shape: Any) -> None:
        self.dense.build(shape)
        self.norm.build(shape)

    def call(self, x: Any, training: bool = False) -> Any:
        return self.drop(self.norm(self.dense(self.dense(x)) + x), training=training)


class Subclassed(keras.Model):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.block, self.head = Block(), keras.layers.Dense(2)

    def call(self, x: Any, training: bool = False) -> Any:
        hidden = self.block(x, training=training)
        return {"score": self.head(hidden), "hidden": hidden}


class Branching(keras.Model):
    def call(self, x: Any) -> Any:
        return x if float(keras.ops.sum(x)) > 0 else -x


def models() -> Iterator[Any]:
    def make(name: str, function: Any, *sizes: tuple[int | None, ...]) -> Any:
        inputs = [
            keras.Input(size, name=f"in{index}") for index, size in enumerate(sizes or [(6,)])
        ]
        return pytest.param(keras.Model(inputs, function(*inputs)), id=name)

    dense = keras.layers.Dense
    shared = dense(6, activation="tanh")
    inner = keras.Sequential([keras.Input((6,)), dense(6), keras.layers.ReLU()], name="inner")
    two = keras.Input((6,)), keras.Input((6,))
    pair = keras.Model(two, [two[0] + two[1], two[0] * two[1]], name="pair")
    named = {name: keras.Input((6,), name=name) for name in ("left", "right")}
    difference = keras.Model(named, {"d": named["left"] - named["right"]}, name="difference")
    drop, norm = keras.layers.Dropout(0.9), keras.layers.BatchNormalization()
    yield make("shared-layer", lambda x: shared(shared(x)))
    yield make("nested", lambda x: inner(inner(x)))
    yield make("nested-two-outputs", lambda x, y: keras.ops.concatenate(pair([x, y])), (6,), (6,))
    yield make("nested-dict", lambda x, y: difference({"right": x, "left": y})["d"], (6,), (6,))
    yield make("several-outputs", lambda x, y: [dense(2)(x), dense(3)(y), x - y], (6,), (6,))
    yield make("output-is-an-input", lambda x: [x, dense(2)(x)])
    yield make("one-tensor-twice", lambda x: [y := dense(2)(x), y])
    yield make("custom-layer", Gate())
    yield make("layer-of-layers", lambda x: Block()(Block()(x)))
    yield make("recorded-for-training", lambda x: norm(drop(x, training=True), training=True))
    yield make("named-like-an-output", lambda x: dense(2, name="in0_2")(dense(3, name="relu")(x)))
    yield make("names-that-collide", lambda x: Gate(name="add")(dense(6, name="multiply")(x)))
    for name in ("..", "a\nb", "const", "é 1", '"quoted"', "x:0", "-1", "lambda"):
        yield make(f"named-{name!r}", lambda x, name=name: dense(2, name=name)(x))
    planes = {"padding": "same", "data_format": "channels_first"}
    for width in (5, 6):  # Keras adds a bias of 6 planes along a width of 6
        conv = keras.layers.Conv2D(6, 3, **planes)
        yield make(f"planes-of-width-{width}", lambda x, conv=conv: conv(x), (3, 4, width))
    yield make("time", lambda x: keras.layers.Flatten()(dense(2)(x)), (None, 6))
    yield make("rows", lambda x: keras.ops.reshape(x, (-1, 2)), (3, 4))
    chain = [keras.Input((6,), name="start"), dense(3, activation="softmax"), Gate()]
    yield pytest.param(keras.Sequential(chain), id="sequential")
    inputs = {name: keras.Input((6,), name=name) for name in ("b", "a")}
    outputs = {"z": inputs["a"] - inputs["b"], "a": inputs["a"], "y": inputs["b"]}
    yield pytest.param(keras.Model(inputs, outputs), id="dicts")
    subclassed = Subclassed(name="subclassed")
    subclassed(np.zeros((2, 6), np.float32))
    yield pytest.param(subclassed, id="subclassed")


@pytest.mark.filterwarnings("ignore:The structure of `inputs`")
@pytest.mark.parametrize("model", list(models()))
def test_models(model: Any) -> None:
    randomize(model, seed=2)
    graph = trace(model)
    rng = np.random.default_rng(0)
    for batch in (1, 3):
        rows = {
            value.name: rng.normal(
                size=[batch, *(5 if isinstance(dim, str) else dim for dim in value.shape[1:])]
            ).astype(np.float32)
            for value in graph.inputs
        }
        given = None if isinstance(getattr(model, "input", None), dict) else [*rows.values()]
        given = given[0] if given is not None and len(given) == 1 else given
        compare(model, graph, rows, given)


def test_public_names_and_origins() -> None:
    x = keras.Input((6,), name="pixels")
    model = keras.Model(x, [keras.layers.Dense(2, name="digit")(Block(name="block")(x)), x])
    graph = trace(model)
    assert [value.name for value in graph.inputs] == ["pixels"]
    assert [value.name for value in graph.outputs] == ["digit", "pixels_2"]
    layers = {node.origin.layer.split("/")[0] for node in graph.nodes}
    assert layers == {"block", "digit", ""}  # an output that is an input comes from no layer


def test_sizes_that_differ_have_names_of_arithmetic() -> None:
    x = keras.Input((None, 4), name="my tokens")
    graph = trace(keras.Model(x, keras.layers.ZeroPadding1D(1)(x)))
    assert graph.inputs[0].shape == ("batch", "my_tokens_1", 4)
    assert evaluate(graph, {"my tokens": np.ones((2, 5, 4), np.float32)})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (keras.layers.Lambda(lambda x: x * 2, name="guess"), "guess: .*Python"),
        (keras.ops.det, "keras.ops Det: no format"),
        (lambda x: keras.layers.UpSampling1D(name="up")(keras.ops.svd(x)[0]), "SVD"),
    ],
)
def test_what_cannot_be_traced_is_named(make: Any, message: str) -> None:
    x = keras.Input((4, 4))
    with pytest.raises(TraceError, match=message):
        trace(keras.Model(x, make(x)))


def test_sequential_models_without_an_input() -> None:
    model = keras.Sequential([keras.layers.Dense(3), Gate(name="gate")], name="late")
    with pytest.raises(TraceError, match="late: the model is not built"):
        trace(model)
    model(np.zeros((2, 6), np.float32))  # Keras notes the batch as well
    graph = trace(model)
    (noted,) = graph.inputs
    assert noted.shape == ("batch", 6)
    assert [value.name for value in graph.outputs] == ["gate"]
    x = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    compare(model, graph, {noted.name: x}, x)


def test_subclassed_models() -> None:
    with pytest.raises(TraceError, match="fresh: the shapes of its inputs are not known"):
        trace(Subclassed(name="fresh"))
    model = Subclassed(name="built")
    model(np.zeros((2, 3, 6), np.float32))
    graph = trace(model, shapes={"x": ("batch", "time", 6)})
    assert graph.inputs[0].shape == ("batch", "time", 6)
    assert [value.name for value in graph.outputs] == ["score", "hidden"]
    compare(model, graph, rows := {"x": np.ones((2, 5, 6), np.float32)}, rows["x"])
    with pytest.raises(EvaluationError):
        evaluate(graph, {"x": np.ones((2, 5, 7), np.float32)})
    branching = Branching(name="branching")
    branching(np.zeros((2, 3), np.float32))
    with pytest.raises(TraceError, match="branching: does not trace"):
        trace(branching)
