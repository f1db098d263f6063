"""Models of unusual kinds that are refused, each with words of its diagnostic."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

from tests.models.odd import (
    A,
    B,
    Counting,
    Dict,
    Noisy,
    Odd,
    Several,
    by_backend,
    called,
    enlarged,
    fixed,
    integers,
    layer_of,
    lookup,
    mixed,
    numbers,
    of,
    over_steps,
    quantised,
    unfinished,
    whole,
    wrapped,
)

REFUSED: tuple[Odd, ...] = (
    Odd(
        "reads numbers",
        lambda: wrapped(lambda x: x if x[0, 0] > 0 else -x),
        numbers(3, 4),
        "KS711",
        ("odd_one", "refused.py:", "keras.ops"),
    ),
    Odd("calls NumPy", lambda: wrapped(np.sin), None, "KS711", ("odd_one", "keras.ops")),
    Odd(
        "calls the backend",
        lambda: wrapped(by_backend),
        None,
        "KS711",
        ("odd_one", "odd.py:", "keras.ops"),
    ),
    Odd(
        "computed shift",
        lambda: wrapped(lambda x: ops.roll(x, ops.cast(x[0, 0], "int32"))),
        None,
        "KS711",
        ("odd_one", "`shift`"),
    ),
    Odd(
        "computed count",
        lambda: wrapped(lambda x: ops.one_hot(ops.cast(x, "int32"), ops.cast(ops.max(x), "int32"))),
        None,
        "KS711",
        ("`num_classes`",),
    ),
    Odd(
        "computed shape",
        lambda: wrapped(lambda x: ops.reshape(x, (ops.cast(ops.sum(0 * x), "int32") + 2, 4))),
        None,
        "KS711",
        ("`newshape`",),
    ),
    Odd("raises", unfinished, None, "KS711", ("odd_one", "odd.py:", "the layer's own fault")),
    Odd("open size", enlarged(2, "channels_last", "bicubic"), None, "KS711", ("up", "x_1")),
    Odd(
        "several arguments, no rows",
        lambda: called(Several(), B, A),
        None,
        "KS711",
        ("rows", "b, a"),
    ),
    Odd("not called", Dict, None, "KS711", ("call it once",)),
    Odd("no model", lambda: "model.keras", None, "KS711", ("str", "Keras model")),
    *(
        Odd(
            f"input of {each}",
            integers(each, lambda x: ops.cast(x, "float32")),
            None,
            "KS742",
            ("'x'", each),
        )
        for each in ("uint64", "complex64")
    ),
    Odd("input of text", integers("string", layers.Hashing(5)), None, "KS742", ("'x'", "text")),
    Odd(
        "int16 overflows",
        integers("int16", lambda x: ops.cast(x * 300, "float32")),
        None,
        "KS742",
        ("Multiply", "int16"),
    ),
    Odd(
        "cast to int16",
        lambda: of(lambda x: ops.cast(x, "int16")),
        None,
        "KS742",
        ("Cast", "int16"),
    ),
    *(Odd(each, mixed(each), None, "KS742", ("conv2d", each)) for each in ("float16", "bfloat16")),
    *(
        Odd(f"quantised, {each}", lambda each=each: quantised(each), None, "KS743", ("small", each))
        for each in ("int8", "int4", "float8")
    ),
    Odd(
        "rows of a batch mixed",
        fixed(lambda x: layers.Dense(3)(x) - ops.mean(x)),
        numbers(6, 4),
        "KS744",
        ("2 rows",),
    ),
    Odd(
        "rows of a batch added",
        fixed(lambda x: ops.cumsum(x, axis=0)),
        numbers(6, 4),
        "KS744",
        ("2 rows",),
    ),
    Odd(
        "id too large",
        integers("int32", layers.Embedding(9, 2)),
        whole("int32", 50, 60),
        "KS741",
        ("embedding",),
    ),
    Odd(
        "hashing",
        integers("int64", layers.Hashing(7, name="mixer")),
        None,
        "KS711",
        ("mixer", "IntegerLookup"),
    ),
    Odd(
        "hashed crossing",
        lambda: of(
            lambda x: layers.HashedCrossing(5, name="mixer")([x[:, 0], x[:, 1]]), dtype="int64"
        ),
        None,
        "KS711",
        ("mixer",),
    ),
    Odd(
        "lookup by hash",
        lookup(num_oov_indices=3, oov_method="farmhash"),
        None,
        "KS711",
        ("codes", "hash"),
    ),
    Odd(
        "state of its own",
        lambda: of(Counting(name="counter")),
        None,
        "KS711",
        ("counter", "odd.py:", "'calls'", "output"),
    ),
    Odd(
        "random numbers",
        lambda: of(Noisy(name="noisy")),
        None,
        "KS711",
        ("noisy", "random numbers"),
    ),
    Odd(
        "open size",
        lambda: of(layer_of(lambda x: ops.repeat(x, ops.shape(x)[1], axis=2)), None, 3),
        None,
        "KS711",
        ("odd_one", "give the input a known shape"),
    ),
    Odd(
        "stateful",
        lambda: keras.Sequential(
            [keras.Input(batch_shape=(2, 3, 4)), layers.GRU(3, stateful=True, name="gru")]
        ),
        None,
        "KS711",
        ("gru", "stateful=True", "initial_state"),
    ),
    Odd(
        "time first",
        lambda: of(layer_of(over_steps), 4, 3),
        None,
        "KS746",
        ("odd_one", "[4, batch"),
    ),
    Odd("one number", lambda: of(layer_of(ops.mean)), None, "KS746", ("odd_one", "[]", "batch")),
    Odd("nothing", lambda: of(layer_of(lambda x: x[:, :0])), None, "KS746", ("without elements",)),
    Odd(
        "power of integers", integers("int32", lambda x: x**2), None, "KS711", ("Pow", "keras.ops")
    ),
    Odd("no rows", lambda: of(layers.Dense(2)), lambda _: {}, "KS739", ("'x'", "no rows")),
    Odd("another name", lambda: of(layers.Dense(2)), numbers(3, 4, name="y"), "KS739", ("'y'",)),
    Odd("another shape", lambda: of(layers.Dense(2)), numbers(3, 5), "KS739", ("(3, 5)",)),
    Odd(
        "text as rows",
        lambda: of(layers.Dense(2)),
        lambda _: {"x": np.array([["a"] * 4])},
        "KS739",
        ("not of numbers",),
    ),
    Odd(
        "fractions as ids",
        integers("int32", layers.Embedding(9, 2)),
        lambda _: {"x": np.full((2, 3), 0.5)},
        "KS739",
        ("fractions",),
    ),
)
