"""Recurrent layers over whole sequences, step by step. The evaluator itself runs Scan, whose body
is a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array
from kspec.compiler.ops.recurrent import GATES, Direction, Gate
from kspec.compiler.reference import elementwise
from kspec.compiler.table import Table

rules: Table[Callable[..., Any]] = Table("reference")

Cell = Callable[[Array, list[Array]], list[Array]]
"""``cell(input of a step, states)`` → the new states; the first state is the output."""


def steps(direction: Direction, count: int) -> range:
    return range(count) if direction == "forward" else range(count - 1, -1, -1)


@rules(ops.Rnn)
def rnn(
    op: ops.Rnn, x: Array, kernel: Array, recurrent: Array, bias: Array, h: Array, *mask: Array
) -> tuple[Array, ...]:
    def cell(x: Array, states: list[Array]) -> list[Array]:
        return [_gate(op.activation, x @ kernel + states[0] @ recurrent + bias)]

    return _run(op, cell, x, [h], *mask)


@rules(ops.Gru)
def gru(
    op: ops.Gru, x: Array, kernel: Array, recurrent: Array, bias: Array, h: Array, *mask: Array
) -> tuple[Array, ...]:
    units = len(recurrent)
    bias, hidden_bias = bias if op.reset_after else (bias, 0 * bias)

    def cell(x: Array, states: list[Array]) -> list[Array]:
        (h,) = states
        given = x @ kernel + bias
        held = h @ recurrent + hidden_bias
        z, r, _ = np.split(_gate(op.recurrent_activation, given + held), 3, axis=-1)
        reset = r * held[:, -units:] if op.reset_after else (r * h) @ recurrent[:, -units:]
        candidate = _gate(op.activation, given[:, -units:] + reset)
        return [z * h + (1 - z) * candidate]

    return _run(op, cell, x, [h], *mask)


@rules(ops.Lstm)
def lstm(
    op: ops.Lstm,
    x: Array,
    kernel: Array,
    recurrent: Array,
    bias: Array,
    h: Array,
    c: Array,
    *mask: Array,
) -> tuple[Array, ...]:
    def cell(x: Array, states: list[Array]) -> list[Array]:
        h, c = states
        i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
        i, f, o = (_gate(op.recurrent_activation, each) for each in (i, f, o))
        c = f * c + i * _gate(op.activation, g)
        return [o * _gate(op.activation, c), c]

    return _run(op, cell, x, [h, c], *mask)


def _run(
    op: ops.Recurrent, cell: Cell, x: Array, states: list[Array], mask: Array | None = None
) -> tuple[Array, ...]:
    batch, time = x.shape[:2]
    states = [np.broadcast_to(each, (batch, each.shape[1])) for each in states]
    output = np.zeros_like(states[0])
    outputs: list[Array] = [output] * time
    for t in steps(op.direction, time):
        new = cell(x[:, t], states)
        if mask is None:
            states, output = new, new[0]
        else:
            here = mask[:, t, None]
            output = np.where(here, new[0], output if op.masked == "hold" else 0 * output)
            states = [np.where(here, *pair) for pair in zip(new, states, strict=True)]
        outputs[t] = output
    shape = (batch, 0, states[0].shape[1])
    sequence = np.stack(outputs, 1) if outputs else np.zeros(shape, x.dtype)
    return (sequence, *states)


def _gate(name: Gate, x: Array) -> Array:
    op = GATES[name]
    return elementwise.rules[type(op)](op, x)
