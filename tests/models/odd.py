"""Models of unusual kinds, each with rows that it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

Rows = dict[str, np.ndarray]


@dataclass(frozen=True)
class Odd:
    """A model, with rows that it answers; or the code and words of its diagnostic."""

    id: str
    model: Callable[[], Any]
    rows: Callable[[np.random.Generator], Rows] | None = None
    code: str = ""
    words: tuple[str, ...] = ()


def numbers(*shape: int, name: str = "x") -> Callable[[np.random.Generator], Rows]:
    return lambda drawn: {name: drawn.normal(size=shape).astype(np.float32)}


def of(function: Callable[[Any], Any], *shape: int | None, dtype: str = "float32") -> Any:
    x = keras.Input(shape or (4,), name="x", dtype=dtype)
    return keras.Model(x, function(x))


class Wrapped(keras.Model):
    """A subclassed model around one layer."""

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.inner = layer

    def call(self, x: Any) -> Any:
        return self.inner(x)


def layer_of(function: Callable[[Any], Any], name: str = "odd_one") -> Any:
    class Odd(layers.Layer):
        def call(self, x: Any) -> Any:
            return function(x)

    return Odd(name=name)


def wrapped(function: Callable[[Any], Any], *shape: int) -> Any:
    model = Wrapped(layer_of(function), name="around")
    model(np.ones((2, *(shape or (4,))), np.float32))
    return model


class Dict(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, x: Any) -> Any:
        return self.dense(ops.concatenate([x["a"], x["b"] * 2], -1))


class Several(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, b: Any, a: Any, training: bool = False) -> Any:
        assert not training
        return {"z": self.dense(ops.concatenate([a, b], -1)), "c": a * 2}


class Listed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, xs: Any) -> Any:
        return self.dense(ops.concatenate(list(xs), -1)), xs[0]


def called(model: Any, *given: Any) -> Any:
    model(*given)
    return model


A, B = np.ones((2, 3), np.float32), np.ones((2, 2), np.float32)


def cache(change: Callable[[Any, Any], Any]) -> Callable[[], Any]:
    def model() -> Any:
        held = keras.Input((5, 4), name="held")
        at = keras.Input((), dtype="int32", name="at")
        return keras.Model([held, at], change(held, at))

    return model


def at(place: int) -> Callable[[np.random.Generator], Rows]:
    return lambda drawn: {
        "held": drawn.normal(size=(3, 5, 4)).astype(np.float32),
        "at": np.full(3, place, np.int32),
    }


def mixed(policy: str) -> Callable[[], Any]:
    def model() -> Any:
        keras.config.set_dtype_policy(policy)
        try:
            return keras.Sequential(
                [
                    keras.Input((8, 8, 3), name="x"),
                    layers.Conv2D(4, 3),
                    layers.BatchNormalization(),
                    layers.ReLU(),
                    layers.GlobalAveragePooling2D(),
                    layers.Dense(3, name="last"),
                ]
            )
        finally:
            keras.config.set_dtype_policy("float32")

    return model


def quantised(mode: str) -> Any:
    model = keras.Sequential([keras.Input((8,), name="x"), layers.Dense(4, name="small")])
    model.layers[0].quantize(mode)
    return model


def fixed(function: Callable[[Any], Any]) -> Callable[[], Any]:
    def model() -> Any:
        x = keras.Input(batch_shape=(2, 4), name="x")
        return keras.Model(x, function(x))

    return model


def integers(dtype: str, function: Callable[[Any], Any]) -> Callable[[], Any]:
    return lambda: of(function, 3, dtype=dtype)


def whole(dtype: str, low: int = 0, high: int = 9) -> Callable[[np.random.Generator], Rows]:
    return lambda drawn: {"x": drawn.integers(low, high, (3, 3)).astype(dtype)}


def enlarged(factor: Any, data_format: str, interpolation: str = "bilinear") -> Callable[[], Any]:
    shape = (None, None, 3) if data_format == "channels_last" else (3, None, None)
    made = layers.UpSampling2D(
        factor, interpolation=interpolation, data_format=data_format, name="up"
    )
    return lambda: of(made, *shape)


def lookup(mode: str = "int", size: int = 3, **arguments: Any) -> Callable[[], Any]:
    given = {"vocabulary": [3, 5, -8], "output_mode": mode} | arguments
    return lambda: of(layers.IntegerLookup(**given, name="codes"), size, dtype="int64")


def codes(size: int = 3, *, known: bool = False) -> Callable[[np.random.Generator], Rows]:
    choices = [3, 5, -8] if known else [3, 5, -8, 0, 7, -1, 10**12]
    return lambda drawn: {"x": drawn.choice(np.array(choices, np.int64), (6, size))}


def by_backend(x: Any) -> Any:
    import tensorflow as tf

    return tf.nn.relu(x)


class Counting(layers.Layer):
    """Changes a variable when it is called."""

    def build(self, _shape: Any) -> None:
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")

    def call(self, x: Any) -> Any:
        self.calls.assign_add(1.0)
        return x * self.calls


class Noisy(layers.Layer):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.drawn = keras.random.SeedGenerator(1)

    def call(self, x: Any) -> Any:
        return x + keras.random.normal((4,), seed=self.drawn)


class Trained(keras.Model):
    """A model whose ``training`` argument has no default."""

    def __init__(self) -> None:
        super().__init__()
        self.drop, self.dense = layers.Dropout(0.5), layers.Dense(2)

    def call(self, x: Any, training: bool) -> Any:
        return self.dense(self.drop(x, training=training))


def trained() -> Any:
    model = Trained()
    model(A, training=False)
    return model


def encoder_twice() -> Any:
    shared = layers.Dense(3, name="shared")
    x, y = keras.Input((3,), name="x"), keras.Input((3,), name="y")
    return keras.Model([x, y], [shared(x), shared(shared(y))])


def with_states() -> Any:
    x = keras.Input((5, 3), name="x")
    return keras.Model(x, layers.LSTM(4, return_state=True, name="lstm")(x))


def adapted() -> Any:
    dense = layers.Dense(4, name="dense")
    model = keras.Sequential([keras.Input((8,), name="x"), dense])
    dense.enable_lora(2)
    dense.lora_kernel_b.assign(np.ones(dense.lora_kernel_b.shape))
    return model


def chosen(x: Any) -> Any:
    return ops.cond(ops.max(x) < 9, lambda: x, lambda: -x) + ops.cond(
        ops.max(x) > 9, lambda: x, lambda: 2 * x
    )


def over_steps(x: Any) -> Any:
    """A scan whose results have the steps before the batch."""
    first = ops.zeros_like(x[:, 0])
    return ops.scan(lambda carry, each: (carry + each, carry), first, ops.moveaxis(x, 1, 0))[1]


def broken(_: Any) -> Any:
    raise ZeroDivisionError("the layer's own fault")


def unfinished() -> Any:
    """A model whose layer fails in inference only, when it is traced."""
    failing = False

    def call(x: Any) -> Any:
        return broken(x) if failing else x

    model = wrapped(call)
    failing = True
    return model


COMPILED: tuple[Odd, ...] = (
    Odd("dict of inputs", lambda: called(Dict(), {"b": B, "a": A}), lambda _: {"a": A, "b": B}),
    Odd("list of inputs", lambda: called(Listed(), [A, B]), lambda _: {"xs_0": A, "xs_1": B}),
    Odd("several arguments", lambda: called(Several(), B, A), lambda _: {"a": A, "b": B}),
    Odd(
        "constant before a comparison",
        lambda: of(layer_of(lambda x: ops.where(ops.arange(4, dtype="float32") <= x, x, 0.0))),
        numbers(3, 4),
    ),
    Odd(
        "array before an operator",
        lambda: of(layer_of(lambda x: np.arange(4, dtype="float32") * x)),
        numbers(3, 4),
    ),
    Odd(
        "computed bounds",
        lambda: of(layer_of(lambda x: ops.clip(x, ops.mean(x), ops.max(x, -1, keepdims=True) / 2))),
        numbers(1, 4),
    ),
    Odd(
        "NumPy's numbers as arguments",
        lambda: of(
            lambda x: ops.concatenate(
                [ops.cumsum(x, np.int64(1)), ops.softmax(x * np.float32(2), np.int64(-1))],
                np.int64(-1),
            )
        ),
        numbers(3, 4),
    ),
    *(
        Odd(f"{name} at {place}", cache(change), at(place))
        for name, change in {
            "row placed": lambda c, p: ops.slice_update(c, (0, p[0], 0), c[:, :1] * 2),
            "block placed": lambda c, p: ops.slice_update(
                c, ops.stack([0 * p[0], p[0], p[0]]), c[:, :2, :2] * 2
            ),
        }.items()
        for place in (-2, 0, 3, 9)
    ),
    *(
        Odd(
            f"block read at {place}",
            cache(lambda c, p: ops.slice(c, (0, p[0], 1), (3, 2, 3))),
            at(place),
        )
        for place in (0, 3)
    ),
    Odd("outputs of one layer", lambda: of(lambda x: ops.top_k(x, 2)), numbers(3, 4)),
    Odd(
        "parts of one operation", lambda: wrapped(lambda x: ops.split(x, [1, 3], -1)), numbers(3, 4)
    ),
    Odd("one output twice", lambda: of(lambda x: [layers.Dense(2)(x)] * 2), numbers(3, 4)),
    Odd("states", with_states, numbers(3, 5, 3)),
    Odd("one layer, two outputs", encoder_twice, lambda _: {"x": A, "y": A * 2}),
    Odd("a choice", lambda: of(layer_of(chosen)), numbers(3, 4)),
    Odd("training without a default", trained, lambda _: {"x": A}),
    Odd("LoRA", adapted, numbers(3, 8)),
    Odd("fixed batch", fixed(layers.Dense(3)), numbers(6, 4)),
    Odd("part of a batch", fixed(layers.Dense(3)), numbers(5, 4)),
    *(Odd(each, mixed(each), numbers(2, 8, 8, 3)) for each in ("mixed_float16", "mixed_bfloat16")),
    Odd(
        "int16",
        integers("int16", lambda x: ops.cast(ops.maximum(x, 3), "float32")),
        whole("int16", -9),
    ),
    Odd("uint16", integers("uint16", layers.Embedding(9, 2)), whole("uint16")),
    Odd("uint32", integers("uint32", lambda x: ops.one_hot(x, 9)), whole("uint32")),
    Odd("bfloat16", integers("bfloat16", layers.Dense(2)), whole("float32")),
    Odd("float16", integers("float16", layers.Dense(2)), whole("float16")),
    *(
        Odd(f"enlarged {factor} {form}", enlarged(factor, form), numbers(*shape))
        for factor in (2, (1, 3))
        for form, shape in (("channels_last", (2, 4, 5, 3)), ("channels_first", (2, 3, 4, 5)))
    ),
    Odd("lookup", lookup(), codes()),
    Odd(
        "lookup of int32",
        lambda: of(
            layers.IntegerLookup(vocabulary=[3, 2**40], output_mode="multi_hot"), 3, dtype="int32"
        ),
        whole("int32"),
    ),
    Odd(
        "lookup in a table",
        lookup(vocabulary=[*range(-5, 3000, 2), 2**21], num_oov_indices=2),
        lambda drawn: {"x": drawn.integers(-9, 2**22, (99, 3))},
    ),
    Odd("lookup of one", lookup(size=1), codes(1)),
    Odd("lookup, mask and three others", lookup(mask_token=0, num_oov_indices=3), codes()),
    Odd("lookup backwards", lookup(invert=True), lambda drawn: {"x": drawn.integers(0, 4, (5, 3))}),
    Odd("lookup, all known", lookup(num_oov_indices=0), codes(known=True)),
    Odd("lookup, one hot", lookup("one_hot", 1), codes(1)),
    Odd(
        "lookup, one hot of known codes",
        lookup("one_hot", 1, num_oov_indices=0),
        codes(1, known=True),
    ),
    Odd("lookup, multi hot", lookup("multi_hot", num_oov_indices=2), codes()),
    Odd("lookup, counted", lookup("count", max_tokens=7, pad_to_max_tokens=True), codes()),
    Odd("lookup, weighed", lookup("tf_idf", idf_weights=[0.5, 0.25, 2.0]), codes()),
)
