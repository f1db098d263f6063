"""Builders of the networks that people deploy, with random weights and statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from kspec.compiler.ir import Array


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network to compile: ``build(size)`` makes it for pictures of that many pixels a side (or
    ignores the size, if inputs are not pictures)."""

    build: Callable[[int], Any]
    small: int = 96
    """The side that tests take."""
    full: int = 224
    """The side that benchmarks take, as the network was published."""
    vocabulary: int = 2
    """Whole numbers among the inputs are below it."""
    cnn: bool = False
    """Whether all but its head is convolutional: no transpose may be left inside."""
    heavy: bool = False
    """Whether its weights or its arithmetic are too large for every format in an ordinary run."""

    def model(self, size: int) -> Any:
        import keras

        from kspec.models.keras_model import randomize, settle

        keras.utils.clear_session()
        keras.utils.set_random_seed(0)
        model = self.build(size)
        randomize(model)
        given = list(self.rows(model, 4, seed=1).values())
        settle(model, given if len(given) > 1 else given[0])
        return model

    def rows(self, model: Any, count: int, seed: int = 0) -> dict[str, Array]:
        """Inputs of so many rows by name."""
        drawn = np.random.default_rng(seed)
        rows = {}
        for tensor in model.inputs:
            shape = (count, *tensor.shape[1:])
            if "int" in str(tensor.dtype):
                rows[tensor.name] = drawn.integers(0, self.vocabulary, shape).astype(tensor.dtype)
            else:
                rows[tensor.name] = drawn.uniform(-1, 1, shape).astype(np.float32)
        return rows


def application(name: str, **arguments: Any) -> Callable[[int], Any]:
    """A network of ``keras.applications``, nothing downloaded."""

    def build(size: int) -> Any:
        import keras

        make = getattr(keras.applications, name)
        return make(weights=None, input_shape=(size, size, 3), classes=100, **arguments)

    return build


def text_transformer(_size: int) -> Any:
    from keras import Input, Model, layers

    words = Input((32,), dtype="int32", name="words")
    positions = layers.Embedding(32, 64, name="positions")
    x = layers.Embedding(1000, 64)(words) + positions(np.arange(32))
    for _ in range(2):
        x = transformer_block(x, heads=4, width=64)
    x = layers.GlobalAveragePooling1D()(x)
    return Model(words, layers.Dense(4, activation="softmax", name="topic")(x), name="transformer")


def transformer_block(x: Any, *, heads: int, width: int) -> Any:
    from keras import layers

    y = layers.LayerNormalization(epsilon=1e-6)(x)
    x = x + layers.MultiHeadAttention(heads, width // heads)(y, y)
    y = layers.LayerNormalization(epsilon=1e-6)(x)
    return x + layers.Dense(width)(layers.Dense(2 * width, activation="gelu")(y))


def bidirectional_lstm(_size: int) -> Any:
    from keras import Input, Model, layers

    words = Input((40,), dtype="int32", name="words")
    x = layers.Embedding(500, 32)(words)
    x = layers.Bidirectional(layers.LSTM(32, return_sequences=True))(x)
    x = layers.Bidirectional(layers.LSTM(16))(x)
    return Model(words, layers.Dense(3, activation="softmax", name="mood")(x), name="bi_lstm")


def gru_forecaster(_size: int) -> Any:
    from keras import Input, Model, layers

    series = Input((48, 6), name="series")
    x = layers.GRU(64, return_sequences=True)(series)
    x = layers.GRU(32)(layers.LayerNormalization()(x))
    return Model(series, layers.Dense(12, name="forecast")(x), name="forecaster")


def keyword_spotting(_size: int) -> Any:
    from keras import Input, Model, layers

    sound = Input((98, 40), name="spectrogram")
    x = sound
    for filters, stride in ((64, 2), (64, 1), (96, 2)):
        x = layers.Conv1D(filters, 5, stride, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.GRU(64)(x)
    return Model(sound, layers.Dense(12, activation="softmax", name="word")(x), name="keywords")


def u_net(size: int) -> Any:
    from keras import Input, Model, layers

    def double(x: Any, filters: int) -> Any:
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
            x = layers.ReLU()(layers.BatchNormalization()(x))
        return x

    pixels = x = Input((size, size, 3), name="pixels")
    skipped = []
    for filters in (16, 32, 64):
        x = double(x, filters)
        skipped.append(x)
        x = layers.MaxPooling2D()(x)
    x = layers.UpSampling2D(interpolation="bilinear")(double(x, 128))
    x = double(layers.Concatenate()([x, skipped[2]]), 64)
    for filters, skip in ((32, skipped[1]), (16, skipped[0])):
        x = layers.Conv2DTranspose(filters, 3, strides=2, padding="same")(x)
        x = double(layers.Concatenate()([x, skip]), filters)
    return Model(pixels, layers.Conv2D(4, 1, activation="softmax", name="mask")(x), name="u_net")


def u_net_of_pixels(size: int) -> Any:
    """A U-Net whose way up repeats pixels: the commonest form of all."""
    from keras import Input, Model, layers

    def block(x: Any, filters: int) -> Any:
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        return x

    pixels = x = Input((size, size, 3), name="pixels")
    skipped = []
    for filters in (16, 32, 64):
        x = block(x, filters)
        skipped.append(x)
        x = layers.MaxPooling2D()(x)
    x = block(x, 128)
    for filters, skip in zip((64, 32, 16), reversed(skipped), strict=True):
        x = layers.Concatenate()([layers.UpSampling2D()(x), skip])
        x = block(x, filters)
    return Model(pixels, layers.Conv2D(1, 1, activation="sigmoid", name="mask")(x), name="u_net_2")


def temporal_convolutions(_size: int) -> Any:
    from keras import Input, Model, layers

    series = x = Input((64, 8), name="series")
    for depth in range(4):
        short = x if depth else layers.Conv1D(32, 1)(x)
        for _ in range(2):
            x = layers.Conv1D(32, 3, padding="causal", dilation_rate=2**depth)(x)
            x = layers.SpatialDropout1D(0.1)(layers.ReLU()(layers.LayerNormalization()(x)))
        x = layers.ReLU()(layers.Add()([short, x]))
    return Model(series, layers.Dense(2, name="next")(x[:, -1]), name="tcn")


def vision_transformer(size: int) -> Any:
    from keras import Input, Model, layers, ops

    class Token(layers.Layer):
        """Puts the class token before the patches, and adds the places of all."""

        def build(self, shape: Any) -> None:
            self.token = self.add_weight((1, 1, shape[-1]), name="token")
            self.place = self.add_weight((1, shape[1] + 1, shape[-1]), name="place")

        def call(self, x: Any) -> Any:
            token = ops.broadcast_to(self.token, (ops.shape(x)[0], 1, x.shape[-1]))
            return ops.concatenate([token, x], axis=1) + self.place

    pixels = Input((size, size, 3), name="pixels")
    x = layers.Conv2D(96, 16, 16)(pixels)
    x = Token()(layers.Reshape((-1, 96))(x))
    for _ in range(4):
        x = transformer_block(x, heads=3, width=96)
    x = layers.LayerNormalization(epsilon=1e-6)(x)[:, 0]
    return Model(pixels, layers.Dense(10, name="kind")(x), name="vit")


def wide_and_deep(_size: int) -> Any:
    from keras import Input, Model, layers

    numbers = Input((13,), name="numbers")
    kinds = {f"kind_{k}": Input((1,), dtype="int32", name=f"kind_{k}") for k in range(4)}
    embedded = [layers.Flatten()(layers.Embedding(50, 8)(each)) for each in kinds.values()]
    deep = layers.Concatenate()([layers.BatchNormalization()(numbers), *embedded])
    for units in (128, 64):
        deep = layers.Dense(units, activation="relu")(deep)
    crossed = [layers.Flatten()(layers.Embedding(50, 1)(each)) for each in kinds.values()]
    x = layers.Concatenate()([deep, numbers, *crossed])
    click = layers.Dense(1, activation="sigmoid", name="click")(x)
    return Model([numbers, *kinds.values()], click, name="wide_and_deep")


def vae_decoder(_size: int) -> Any:
    from keras import Input, Model, layers

    code = Input((16,), name="code")
    x = layers.Dense(7 * 7 * 64, activation="relu")(code)
    x = layers.Reshape((7, 7, 64))(x)
    for filters in (64, 32):
        x = layers.Conv2DTranspose(filters, 3, strides=2, padding="same", use_bias=False)(x)
        x = layers.LeakyReLU(0.1)(layers.BatchNormalization()(x))
    x = layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="picture")(x)
    return Model(code, x, name="decoder")


def siamese(_size: int) -> Any:
    from keras import Input, Model, Sequential, layers, ops

    twin = Sequential(
        [
            Input((48, 48, 1)),
            layers.Conv2D(16, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("silu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(32),
            layers.UnitNormalization(),
        ],
        name="twin",
    )
    left, right = Input((48, 48, 1), name="left"), Input((48, 48, 1), name="right")
    apart = ops.abs(twin(left) - twin(right))
    same = layers.Dense(1, activation="sigmoid", name="same")(apart)
    return Model([left, right], same, name="siamese")


def picture(
    name: str, *, small: int = 96, full: int = 224, heavy: bool = False, **arguments: Any
) -> Architecture:
    return Architecture(application(name, **arguments), small, full, cnn=True, heavy=heavy)


ARCHITECTURES: Mapping[str, Architecture] = {
    "mobilenet": picture("MobileNet"),
    "mobilenet-v2": picture("MobileNetV2"),
    "mobilenet-v3-small": picture("MobileNetV3Small"),
    "efficientnet-b0": picture("EfficientNetB0", small=64),
    "efficientnet-v2-b0": picture("EfficientNetV2B0", small=64),
    "densenet-121": picture("DenseNet121", small=64),
    "resnet-50": picture("ResNet50", small=64, heavy=True),
    "resnet-50-v2": picture("ResNet50V2", small=64, heavy=True),
    "inception-v3": picture("InceptionV3", full=299, heavy=True),
    "xception": picture("Xception", full=299, heavy=True),
    "nasnet-mobile": picture("NASNetMobile", small=64, heavy=True),
    "vgg-16": picture("VGG16", small=32, heavy=True),
    "text-transformer": Architecture(text_transformer, vocabulary=1000),
    "bidirectional-lstm": Architecture(bidirectional_lstm, vocabulary=500),
    "gru-forecaster": Architecture(gru_forecaster),
    "keyword-spotting": Architecture(keyword_spotting),
    "u-net": Architecture(u_net, small=32, full=128, cnn=True),
    "u-net-of-pixels": Architecture(u_net_of_pixels, small=32, full=128, cnn=True),
    "temporal-convolutions": Architecture(temporal_convolutions),
    "vision-transformer": Architecture(vision_transformer, small=64),
    "wide-and-deep": Architecture(wide_and_deep, vocabulary=50),
    "vae-decoder": Architecture(vae_decoder, cnn=True),
    "siamese": Architecture(siamese, cnn=True),
}
