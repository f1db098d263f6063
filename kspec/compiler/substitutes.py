"""Replacements for code that calls the backend directly: activations, methods that make masks, and
preprocessing layers that carry their own backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras
from keras.src.layers.preprocessing.data_layer import DataLayer

from kspec.compiler.stand_ins import Band


def mish(x: Any) -> Any:
    """x · tanh(softplus(x)) (Misra 2019)"""
    return x * keras.ops.tanh(keras.ops.softplus(x))


def softmax(x: Any, axis: int | tuple[int, ...] = -1) -> Any:
    """exp(x) / Σ exp(x), over several axes too"""
    if isinstance(axis, int):
        return keras.ops.softmax(x, axis=axis)
    exp = keras.ops.exp(x - keras.ops.max(x, axis=axis, keepdims=True))
    return exp / keras.ops.sum(exp, axis=axis, keepdims=True)


SUBSTITUTES: Mapping[Callable[..., Any], Callable[..., Any]] = {
    keras.activations.hard_silu: keras.ops.hard_silu,
    keras.activations.mish: mish,
    keras.activations.softmax: softmax,
    keras.activations.sparsemax: keras.ops.sparsemax,
}


class Operations:
    """``keras.ops`` with the module layout of a backend."""

    __name__ = "keras.ops"
    core = math = nn = numpy = keras.ops
    image = keras.ops.image

    def __getattr__(self, name: str) -> Any:
        return getattr(keras.ops, name)


def causal_mask(_layer: Any, query: Any, value: Any = None) -> Any:
    return Band(1, 1, None, 0)(query, query if value is None else value)


def window_mask(layer: Any, query: Any, value: Any = None) -> Any:
    named = isinstance(layer, keras.layers.GroupQueryAttention)
    reach = (layer.sliding_window if named else layer._sliding_window) - 1  # noqa: SLF001
    return Band(1, 1, reach, reach)(query, query if value is None else value)


def score_mask(_layer: Any, scores: Any, v_mask: Any, use_causal_mask: bool) -> Any:  # noqa: FBT001
    if not use_causal_mask:
        return v_mask
    past = Band(-2, -1, None, 0)(scores, scores)
    if v_mask is None:
        return past
    return keras.ops.logical_and(keras.ops.expand_dims(v_mask, axis=-2), past)


_ATTENTION = (keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention)
METHODS: Mapping[Callable[..., Any], Callable[..., Any]] = {
    **{each._compute_causal_mask: causal_mask for each in _ATTENTION},  # noqa: SLF001
    **{each._compute_sliding_window_mask: window_mask for each in _ATTENTION},  # noqa: SLF001
    keras.layers.Attention._calculate_score_mask: score_mask,  # noqa: SLF001
}
"""Methods that create a mask whose shape may be symbolic."""


@contextmanager
def traceable(layer: keras.Layer) -> Iterator[None]:
    """Replace the layer's activations, methods and backend by traceable ones while the block
    runs."""
    own = {name: getattr(layer, name, None) for name in ("activation", "recurrent_activation")}
    replaced = {name: each for name, each in own.items() if callable(each) and each in SUBSTITUTES}
    substitutes: dict[str, Any] = {name: SUBSTITUTES[each] for name, each in replaced.items()}
    if isinstance(layer, DataLayer):
        replaced["backend"], substitutes["backend"] = layer.backend, Operations()
    methods = {
        method.__name__: partial(substitute, layer)
        for method, substitute in METHODS.items()
        if getattr(type(layer), method.__name__, None) is method
    }
    for name, substitute in (substitutes | methods).items():
        setattr(layer, name, substitute)
    try:
        yield
    finally:
        for name in methods:
            delattr(layer, name)
        for name, before in replaced.items():
            setattr(layer, name, before)
