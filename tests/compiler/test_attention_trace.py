"""Attention with masks of every origin: traced graphs compared with Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kspec.compiler.ir import Array
from tests.compiler.test_trace import compare

keras = pytest.importorskip("keras")

from kspec.compiler.trace import TraceError, trace  # noqa: E402
from kspec.models.keras_model import randomize  # noqa: E402

layers = keras.layers
pytestmark = pytest.mark.filterwarnings("ignore:.*does not support masking")

WIDTH = 8
CAUSAL = {"use_causal_mask": True}


def words(x: Any) -> Any:
    """The sequence with a mask of its own."""
    return layers.Masking()(x)


def heads(**arguments: Any) -> Any:
    return layers.MultiHeadAttention(2, 4, **arguments)


def grouped(**arguments: Any) -> Any:
    return layers.GroupQueryAttention(4, 4, 2, **arguments)


def to_itself(attention: Any, x: Any, **arguments: Any) -> Any:
    if isinstance(attention, layers.Attention):
        return attention([x, x], **arguments)
    return attention(x, x, **arguments)


def residual(x: Any) -> Any:
    """Attention clears the masks of its inputs: the mean after it has no mask."""
    x = words(x)
    return layers.GlobalAveragePooling1D()(layers.Add()([heads()(x, x), x]))


def read_before(x: Any) -> Any:
    x = words(x)
    mean = layers.GlobalAveragePooling1D()(x)
    return mean + layers.GRU(WIDTH)(heads()(x, x))


# Of a sequence x, another one y, and numbers m and n of which those above 0 are shown: one for each
# step of x, and for each step of x and of y.
ATTENTION: dict[str, Callable[..., Any]] = {
    **{
        f"{name} {how}": lambda x, y, m, n, make=make, mask=mask, call=call: to_itself(
            make(), mask(x), **call
        )
        for name, make in {
            "heads": heads,
            "heads with dropout": lambda: heads(dropout=0.1),
            "heads in a window": lambda: heads(sliding_window=2, dropout=0.1),
            "groups": grouped,
            "groups with dropout": lambda: grouped(dropout=0.1),
            "dot": layers.Attention,
            "additive": layers.AdditiveAttention,
        }.items()
        for how, mask, call in (
            ("plain", lambda x: x, {}),
            ("causal", lambda x: x, CAUSAL),
            ("masked", words, {}),
            ("masked and causal", words, CAUSAL),
        )
    },
    "query is masked": lambda x, y, m, n: heads()(words(x), y),
    "value is masked": lambda x, y, m, n: heads()(y, words(x)),
    "key is masked": lambda x, y, m, n: heads()(y, x, key=words(x)),
    "mask of keys": lambda x, y, m, n: heads()(y, x, key_mask=m > 0),
    "mask of a query is not read": lambda x, y, m, n: heads()(x, y, query_mask=m > 0),
    "mask of pairs": lambda x, y, m, n: heads()(x, y, attention_mask=n > 0),
    "mask of pairs and dropout": lambda x, y, m, n: heads(dropout=0.1)(
        words(x), y, attention_mask=n > 0
    ),
    "mask of pairs and groups": lambda x, y, m, n: grouped()(x, y, attention_mask=n > 0),
    "causal with another": lambda x, y, m, n: heads(sliding_window=3)(x, y, **CAUSAL),
    "causal with another and dropout": lambda x, y, m, n: heads(dropout=0.1)(x, y, **CAUSAL),
    "dot causal with another": lambda x, y, m, n: layers.Attention()([x, y], **CAUSAL),
    "scores": lambda x, y, m, n: heads()(words(x), y, return_attention_scores=True)[1],
    "dot with masks": lambda x, y, m, n: layers.Attention()([x, x], mask=[m > 0, m > 0]),
    "additive with masks": lambda x, y, m, n: layers.AdditiveAttention()(
        [y, x], mask=[None, m > 0]
    ),
    "residual": lambda x, y, m, n: residual(x),
    "read before": lambda x, y, m, n: read_before(x),
    "softmax of pairs": lambda x, y, m, n: layers.Softmax()(n, mask=n > 0),
    "softmax of numbers": lambda x, y, m, n: layers.Softmax()(n, mask=n),
    "softmax over two axes": lambda x, y, m, n: layers.Softmax(axis=(1, 2))(n, mask=n > 0),
}


def rows(batch: int, x_steps: int, y_steps: int) -> dict[str, Array]:
    drawn = np.random.default_rng(batch)
    shapes = {
        "x": (batch, x_steps, WIDTH),
        "y": (batch, y_steps, WIDTH),
        "m": (batch, x_steps),
        "n": (batch, x_steps, y_steps),
    }
    found = {name: drawn.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    found["x"][0, -2:] = 0
    found["n"][0, 0] = -1  # nothing is shown to a step
    return found


@pytest.mark.parametrize("known", [True, False], ids=["known", "open"])
@pytest.mark.parametrize("name", ATTENTION)
def test_attention(name: str, known: bool) -> None:
    """With two lengths, which the model knows or leaves open."""
    x_steps, y_steps = (6, 5) if known else (None, None)
    sizes = {"x": (x_steps, WIDTH), "y": (y_steps, WIDTH), "m": (x_steps,), "n": (x_steps, y_steps)}
    inputs = {each: keras.Input(shape, name=each) for each, shape in sizes.items()}
    model = keras.Model(inputs, {"out": ATTENTION[name](**inputs)})
    randomize(model, seed=1)
    graph = trace(model)
    for batch, *steps in ((1, 6, 5), (3, 6, 5)) if known else ((1, 6, 5), (3, 4, 7)):
        compare(model, graph, rows(batch, *steps))


def test_open_sizes_that_must_be_the_same_have_one_name() -> None:
    x, mask = keras.Input((None, WIDTH), name="x"), keras.Input((None, None), name="mask")
    model = keras.Model([x, mask], heads()(x, x, attention_mask=mask > 0))
    graph = trace(model)
    assert [value.shape for value in graph.inputs] == [
        ("batch", "x_1", WIDTH),
        ("batch", "x_1", "x_1"),
    ]
    shapes = {"x": ("batch", "time", WIDTH), "mask": ("batch", "row", "column")}
    with pytest.raises(TraceError, match="shapes do not broadcast"):
        trace(model, shapes=shapes)
