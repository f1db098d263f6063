"""What calls the backend directly, and the ``keras.ops`` that do the same and trace: activations,
and the layers that bring a backend along, so that a pipeline of data may run them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
from keras.src.layers.preprocessing.data_layer import DataLayer


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
    """``keras.ops`` in the modules of a backend."""

    __name__ = "keras.ops"
    core = math = nn = numpy = keras.ops
    image = keras.ops.image

    def __getattr__(self, name: str) -> Any:
        return getattr(keras.ops, name)


@contextmanager
def traceable(layer: keras.Layer) -> Iterator[None]:
    """The layer with activations and a backend that trace, for as long as the block runs."""
    own = {name: getattr(layer, name, None) for name in ("activation", "recurrent_activation")}
    replaced = {name: each for name, each in own.items() if callable(each) and each in SUBSTITUTES}
    substitutes: dict[str, Any] = {name: SUBSTITUTES[each] for name, each in replaced.items()}
    if isinstance(layer, DataLayer):
        replaced["backend"], substitutes["backend"] = layer.backend, Operations()
    for name, substitute in substitutes.items():
        setattr(layer, name, substitute)
    try:
        yield
    finally:
        for name, before in replaced.items():
            setattr(layer, name, before)
