"""Recurrent layers, wrappers over time and masks: traced graphs compared with Keras."""

# Each call of a case makes a layer of its own.
# ruff: noqa: PLW0108

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from kspec.compiler import ops
from kspec.compiler.ir import Array, Graph
from kspec.compiler.reference import evaluate
from kspec.compiler.trace import TraceError, trace
from kspec.compiler.verifier import verify

pytestmark = pytest.mark.filterwarnings("ignore:.*does not support masking")

Build = Callable[[Any], Any]

FEATURES = 5


class Cell(keras.Layer):
    """A cell of its own: two states of which one starts from ones, an output wider than both."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units, self.state_size, self.output_size = units, [units, units], 2 * units

    def build(self, shape: Any) -> None:
        self.dense = layers.Dense(self.units)
        self.dense.build(shape)
        self.mix = self.add_weight(shape=(self.units, self.units))
        self.built = True

    def call(self, x: Any, states: Any) -> Any:
        a, b = states
        new = keras.ops.sin(self.dense(x) + a @ self.mix)
        return keras.ops.concatenate([new, b], -1), [new, 0.5 * b + a]

    def get_initial_state(self, batch_size: int | None = None) -> Any:
        shape = (batch_size, self.units)
        return [keras.ops.ones(shape), keras.ops.zeros(shape)]


class Doubled(keras.Layer):
    """A layer with nothing but a ``call``."""

    def call(self, x: Any) -> Any:
        return 2 * keras.ops.sin(x)

    def compute_output_shape(self, shape: Any) -> Any:
        return shape


class Composite(keras.Layer):
    """A recurrent layer inside a layer."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.dense = layers.LSTM(3, return_sequences=True), layers.Dense(2)

    def build(self, shape: Any) -> None:
        self.inner.build(shape)
        self.dense.build((*shape[:-1], 3))

    def call(self, x: Any) -> Any:
        return self.dense(self.inner(x))


def _states(x: Any) -> list[Any]:
    return [layers.GlobalMaxPooling1D()(layers.Dense(4)(x)) for _ in range(2)]


def _layers(sequences: bool) -> dict[str, Build]:
    """Each layer and each argument, giving sequences or the last step."""
    some: dict[str, Any] = {"return_sequences": sequences}
    back = {**some, "go_backwards": True, "return_state": True}
    stacked = [layers.LSTMCell, layers.GRUCell, layers.SimpleRNNCell]
    both: dict[str, Build] = {
        f"bidirectional {mode}": lambda x, mode=mode: layers.Bidirectional(
            layers.LSTM(4, **some), merge_mode=mode
        )(x)
        for mode in ("sum", "mul", "ave", "concat", None)
    }
    return both | {
        "lstm": lambda x: layers.LSTM(4, dropout=0.2, recurrent_dropout=0.1, **some)(x),
        "lstm backwards": lambda x: layers.LSTM(4, use_bias=False, **back)(x),
        "lstm mish": lambda x: layers.LSTM(4, activation="mish", dropout=0.1, **some)(x),
        "gru": lambda x: layers.GRU(4, **some)(x),
        "gru backwards": lambda x: layers.GRU(4, recurrent_activation="softsign", **back)(x),
        "gru reset before": lambda x: layers.GRU(
            4, reset_after=False, recurrent_activation="hard_sigmoid", **some
        )(x),
        "gru elu": lambda x: layers.GRU(4, activation="elu", reset_after=False, **some)(x),
        "simple": lambda x: layers.SimpleRNN(4, activation="relu", **some)(x),
        "simple selu": lambda x: layers.SimpleRNN(4, activation="selu", dropout=0.1, **some)(x),
        "stacked": lambda x: layers.RNN(
            [cell(2 + k) for k, cell in enumerate(stacked)], return_state=True, **some
        )(x),
        "custom": lambda x: layers.RNN(
            Cell(3), return_state=True, zero_output_for_mask=sequences, **some
        )(x),
        "custom backwards": lambda x: layers.RNN(Cell(3), go_backwards=True, **some)(x),
        "bidirectional states": lambda x: layers.Bidirectional(
            layers.GRU(4, return_state=True, **some)
        )(x),
        "bidirectional of two": lambda x: layers.Bidirectional(
            layers.GRU(4, go_backwards=True, **some), backward_layer=layers.SimpleRNN(3, **some)
        )(x),
        "states given": lambda x: layers.LSTM(4, **some)(x, initial_state=_states(x)),
        "states and mask given": lambda x: layers.LSTM(4, **some)(
            x, mask=keras.ops.any(x != 0, -1), initial_state=_states(x)
        ),
    }


CASES = {
    f"{name}{' sequences' * sequences}": build
    for sequences in (False, True)
    for name, build in _layers(sequences).items()
}

ON_THE_WAY: dict[str, Build] = {
    "twice": lambda x: layers.Dropout(0.2)(layers.LSTM(4, return_sequences=True)(x)),
    "time distributed": lambda x: layers.TimeDistributed(layers.Dense(4))(x),
    "time distributed custom": lambda x: layers.TimeDistributed(Doubled())(x),
    "bidirectional": lambda x: layers.Bidirectional(layers.GRU(2, return_sequences=True))(x),
    "add": lambda x: layers.Add()([x, x]),
    "add masked and plain": lambda x: layers.Add()([x, layers.Masking(7.0)(x)]),
    "concatenate": lambda x: layers.Concatenate()([x, x]),
    "attention": lambda x: layers.Attention()([x, x]),
    "multi head": lambda x: layers.MultiHeadAttention(2, 3)(x, x),
    "normalized": lambda x: layers.LayerNormalization()(layers.Activation("relu")(x)),
    "dense": lambda x: layers.Dense(4)(x),
    "destroyed": lambda x: layers.Reshape((-1, FEATURES))(x),
    "composite": lambda x: Composite()(x),
    "not seen by what is not a layer": lambda x: x * 2.0,
}
"""Layers between a mask and a recurrent layer, which pass the mask on or drop it."""

STEPS: dict[str, tuple[tuple[int, ...], Build]] = {
    "conv_lstm1d": (
        (6, 2),
        lambda x: layers.ConvLSTM1D(3, 3, padding="same", return_sequences=True)(x),
    ),
    "conv_lstm2d": ((6, 5, 2), lambda x: layers.ConvLSTM2D(3, 3, return_state=True)(x)),
    "conv_lstm2d dilated": (
        (6, 5, 2),
        lambda x: layers.ConvLSTM2D(
            3,
            2,
            dilation_rate=2,
            recurrent_activation="hard_sigmoid",
            return_sequences=True,
            go_backwards=True,
        )(x),
    ),
    "conv_lstm3d": ((4, 3, 5, 2), lambda x: layers.ConvLSTM3D(2, 2, padding="same")(x)),
    "bidirectional": (
        (4, 5, 2),
        lambda x: layers.Bidirectional(
            layers.ConvLSTM2D(2, 3, padding="same", return_sequences=True)
        )(x),
    ),
    "distributed convolution": (
        (6, 5, 2),
        lambda x: layers.TimeDistributed(layers.Conv2D(3, 3))(x),
    ),
    "distributed model": (
        (6, 5, 2),
        lambda x: layers.LSTM(3)(
            layers.TimeDistributed(
                keras.Sequential(
                    [
                        keras.Input((6, 5, 2)),
                        layers.Conv2D(3, 3),
                        layers.BatchNormalization(),
                        layers.Flatten(),
                    ]
                )
            )(x)
        ),
    ),
    "distributed recurrence": ((4, 2), lambda x: layers.TimeDistributed(layers.LSTM(3))(x)),
}


def model_of(build: Build, shape: tuple[int, ...], time: int | None, dtype: str) -> keras.Model:
    keras.utils.set_random_seed(1)
    x = keras.Input((time, *shape), name="x", dtype=dtype)
    model = keras.Model(x, build(x))
    rng = np.random.default_rng(0)
    for variable in model.variables:
        if keras.backend.is_float_dtype(variable.dtype):
            variable.assign(np.abs(rng.normal(0.1, 0.4, variable.shape)))
            if "variance" not in variable.name:
                variable.assign(rng.normal(0, 0.4, variable.shape))
    return model


def data(name: str, batch: int, time: int, shape: tuple[int, ...], *, masked: bool) -> Array:
    """Rows of which, where they are masked, some steps are zeros: all of the first row, the end
    of the second, the beginning of the third, others in between."""
    rng = np.random.default_rng([zlib.crc32(name.encode()), batch, time])
    x = rng.normal(size=(batch, time, *shape)).astype(np.float32)
    keep = rng.random((batch, time)) < 0.6
    keep[0] = batch == 1
    keep[1:2], keep[2:3] = np.arange(time) < 2, np.arange(time) > 1
    keep[3:4] = np.arange(time) % 2 == 0
    return x * keep.reshape(batch, time, *[1] * len(shape)) if masked else x


def agree(model: keras.Model, graph: Graph, x: Array) -> None:
    results = evaluate(graph, {"x": x})
    expected = keras.tree.flatten(model(x, training=False))
    for value, each in zip(graph.outputs, expected, strict=True):
        reference = np.asarray(each)
        bound = 1e-5 * np.maximum(1, np.abs(reference))
        assert results[value.name].shape == reference.shape
        same = np.isnan(reference) & np.isnan(results[value.name])
        assert (same | (np.abs(results[value.name] - reference) <= bound)).all(), value


def check(
    name: str, build: Build, shape: tuple[int, ...], *, masked: bool, times: tuple[int | None, ...]
) -> Graph:
    for known in times:
        model = model_of(build, shape, known, "float32")
        graph = trace(model)
        verify(graph)
        for batch, time in ((1, 5), (4, 5), (4, 9)):
            if known in (None, time):
                agree(model, graph, data(name, batch, time, shape, masked=masked))
    return graph


@pytest.mark.parametrize("masked", [False, True], ids=["plain", "masked"])
@pytest.mark.parametrize("name", CASES)
def test_layers(name: str, masked: bool) -> None:
    def build(x: Any) -> Any:
        return CASES[name](layers.Masking()(x) if masked else x)

    check(name, build, (FEATURES,), masked=masked, times=(None,) if masked else (5, None))


@pytest.mark.parametrize("name", ON_THE_WAY)
def test_masks_travel_as_in_keras(name: str) -> None:
    def build(x: Any) -> Any:
        return layers.GRU(3)(ON_THE_WAY[name](layers.Masking()(x)))

    check(name, build, (FEATURES,), masked=True, times=(5,))


def test_a_mask_of_a_nested_model_comes_out_of_it() -> None:
    inside = keras.Input((None, FEATURES))
    hidden = layers.LSTM(3, return_sequences=True)(layers.Masking()(inside))
    nested = keras.Model(inside, hidden)
    check("nested", lambda x: layers.GRU(2)(nested(x)), (FEATURES,), masked=True, times=(None,))


@pytest.mark.parametrize("name", STEPS)
def test_steps_of_any_rank(name: str) -> None:
    shape, build = STEPS[name]
    check(name, build, shape, masked=False, times=(5,))


@pytest.mark.parametrize(
    "after",
    [
        lambda x: layers.GRU(3)(x),
        lambda x: layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x),
        lambda x: layers.GlobalAveragePooling1D()(layers.Dropout(0.1)(x)),
    ],
    ids=["gru", "bidirectional", "average"],
)
def test_an_embedding_masks_its_zeros(after: Build) -> None:
    model = model_of(lambda x: after(layers.Embedding(5, 4, mask_zero=True)(x)), (), None, "int32")
    graph = trace(model)
    verify(graph)
    for batch, time in ((1, 5), (4, 9)):
        rng = np.random.default_rng(batch)
        x = rng.integers(0, 3, (batch, time)).astype(np.int32)
        x[0, :2], x[-1, -2:] = 0, 0
        agree(model, graph, x)


@pytest.mark.parametrize("time", [5, None])
def test_layers_of_keras_become_operations_and_others_loops(time: int | None) -> None:
    def kinds(build: Build) -> set[type]:
        nodes = trace(model_of(build, (FEATURES,), time, "float32")).nodes
        return {type(node.op) for node in nodes} & {ops.Lstm, ops.Gru, ops.Rnn, ops.Scan}

    assert kinds(CASES["stacked"]) == {ops.Lstm, ops.Gru, ops.Rnn}
    assert kinds(CASES["bidirectional concat"]) == {ops.Lstm}
    assert kinds(CASES["custom"]) == kinds(CASES["gru elu"]) == {ops.Scan}
    distributed = layers.TimeDistributed(layers.Dense(2))
    assert kinds(lambda x: distributed(x)) == set()


def test_states_kept_between_calls_are_refused() -> None:
    x = keras.Input(batch_shape=(2, 5, FEATURES))
    with pytest.raises(TraceError, match="stateful=True keeps states"):
        trace(keras.Model(x, layers.LSTM(3, stateful=True, name="kept")(x)))
