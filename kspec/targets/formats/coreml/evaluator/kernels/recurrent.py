"""Recurrent layers: x is (time, batch, features), kernels are (gates · units, …)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from kspec.compiler.ir import Array
from kspec.targets.formats.coreml.evaluator.kernels.elementwise import Kernel

_ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "linear": lambda x: x,
}


def _order(x: Array, direction: str) -> range:
    return range(len(x)) if direction == "forward" else range(len(x) - 1, -1, -1)


def _lstm(
    x: Array,
    initial_h: Array,
    initial_c: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias: Array,
    direction: str,
    output_sequence: Array,
    recurrent_activation: str,
    cell_activation: str,
    activation: str,
) -> tuple[Array, ...]:
    """Compute an LSTM with gates in the order i, f, o, z."""
    gate, cell, out = (
        _ACTIVATIONS[name] for name in (recurrent_activation, cell_activation, activation)
    )
    h, c = initial_h, initial_c
    steps = np.zeros((len(x), *h.shape), x.dtype)
    for t in _order(x, direction):
        i, f, o, z = np.split(x[t] @ weight_ih.T + h @ weight_hh.T + bias, 4, axis=1)
        c = gate(f) * c + gate(i) * cell(z)
        h = steps[t] = gate(o) * out(c)
    return (steps if output_sequence else h[None]), h, c


def _rnn(
    x: Array,
    initial_h: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias: Array,
    direction: str,
    output_sequence: Array,
    activation: str,
) -> tuple[Array, ...]:
    h = initial_h
    steps = np.zeros((len(x), *h.shape), x.dtype)
    for t in _order(x, direction):
        h = steps[t] = _ACTIVATIONS[activation](x[t] @ weight_ih.T + h @ weight_hh.T + bias)
    return (steps if output_sequence else h[None]), h


KERNELS: dict[str, Kernel] = {"lstm": _lstm, "rnn": _rnn}
