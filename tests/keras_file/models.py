"""Keras models of the shapes that files come in, with random weights and statistics."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from kspec.models.keras_model import randomize


def sequential() -> Any:
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, padding="same", kernel_initializer="he_normal"),
            layers.BatchNormalization(),
            layers.ReLU(6.0),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(5, activation="softmax", kernel_regularizer=keras.regularizers.L2(0.1)),
        ]
    )


def built_late() -> Any:
    model = keras.Sequential([layers.Dense(4, activation="relu"), layers.Dense(2)])
    model.build((None, 3))
    return model


def many() -> Any:
    """Two inputs and two outputs by name, branches that meet, operations between layers."""
    picture, series = keras.Input((8, 8, 3), name="picture"), keras.Input((5, 4), name="series")
    left = layers.GlobalAveragePooling2D()(layers.SeparableConv2D(4, 3)(picture))
    right = layers.Bidirectional(layers.LSTM(3))(series)
    scores = layers.MultiHeadAttention(2, 4)(series, series, use_causal_mask=True)
    cells = layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], return_sequences=True)(series)
    steps = layers.Concatenate()([scores[:, :3], cells[:, 1:4]])
    joined = layers.Concatenate()([left, right, layers.Flatten()(steps)])
    return keras.Model(
        {"picture": picture, "series": series},
        {
            "label": layers.Dense(3, activation="softmax", name="label")(joined),
            "amount": layers.Dense(1)(right * 2.0 + 1) ** 2,
        },
    )


def nested() -> Any:
    """A model inside of a model inside of a model, called twice, and a shared layer."""
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(4, activation="gelu")])
    middle_in = keras.Input((6,))
    middle = keras.Model(middle_in, [inner(middle_in), layers.Dense(2)(middle_in)])
    shared = layers.Dense(6)
    one, other = keras.Input((3,)), keras.Input((3,))
    first, second = middle(shared(one)), middle(shared(other))
    merged = [layers.Add()(list(pair)) for pair in zip(first, second, strict=True)]
    return keras.Model([one, other], merged)


def text() -> Any:
    words = keras.Input((None,), dtype="int32")
    found = layers.Embedding(20, 8, mask_zero=True)(words)
    found = layers.TimeDistributed(layers.Dense(6, activation="tanh"))(found)
    found = layers.GRU(5)(found)
    return keras.Model(words, layers.Dense(2)(found))


def tabular() -> Any:
    rows = keras.Input((4,))
    normalization = layers.Normalization()
    normalization.adapt(np.random.default_rng(0).normal(3, 2, (64, 4)).astype("float32"))
    found = layers.LayerNormalization()(layers.Dense(6)(normalization(rows)))
    return keras.Model(rows, ops.sum(ops.relu(found), axis=-1, keepdims=True))


def mobile_net() -> Any:
    return keras.applications.MobileNetV3Small(
        (64, 64, 3), weights=None, classes=7, minimalistic=True
    )


def compiled() -> Any:
    """With the state of its training in the file."""
    model = sequential()
    model.compile("adam", "mse")
    model.fit(np.ones((4, 8, 8, 3)), np.ones((4, 5)), verbose=0)
    return model


MODELS: tuple[Callable[[], Any], ...] = (
    sequential, built_late, many, nested, text, tabular, mobile_net, compiled,
)  # fmt: skip


def prepared(make: Callable[[], Any]) -> Any:
    """The model with values that a mix-up shows in."""
    keras.utils.set_random_seed(0)
    model = make()
    if make is not tabular:
        randomize(model)
    return model


def rows_of(model: Any) -> Any:
    """Three rows of input, in the structure that the model takes."""
    drawn = np.random.default_rng(1)

    structure = model.inputs[0] if isinstance(model, keras.Sequential) else model.input

    def rows(tensor: Any) -> Any:
        shape = (3, *(size or 6 for size in tensor.shape[1:]))
        if tensor.dtype == "int32":
            return drawn.integers(0, 20, shape).astype("int32")
        return drawn.normal(size=shape).astype("float32")

    return keras.tree.map_structure(rows, structure)
