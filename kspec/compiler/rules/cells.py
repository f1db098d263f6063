"""Recurrent cells over a sequence: IR operations for Keras' cells, loops for all others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import keras
import numpy as np
from keras import layers, tree
from keras.src.layers.rnn.conv_lstm import ConvLSTMCell
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell

from kspec.compiler import ops
from kspec.compiler.ir import Array, Dim, DType, Graph, Node, TensorType, Value
from kspec.compiler.ops.recurrent import Direction, Gate
from kspec.compiler.rules.arithmetic import as_float, cast

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

_GATES: Mapping[Callable[..., Any], Gate] = {
    keras.activations.linear: "linear",
    keras.activations.tanh: "tanh",
    keras.activations.sigmoid: "sigmoid",
    keras.activations.relu: "relu",
    keras.activations.hard_sigmoid: "hard_sigmoid",
    keras.activations.softsign: "softsign",
    keras.activations.softplus: "softplus",
}


STATEFUL = "stateful=True keeps states from one call to the next, which no artifact does"
STATELESS = (
    "build it with stateful=False, and take the states as inputs (initial_state) and as outputs "
    "(return_state=True)"
)


@dataclass(frozen=True, slots=True)
class Run:
    """The results of a cell on a sequence: the outputs [batch, time, …] in the order of the input,
    the last output [batch, …], and the final states."""

    sequence: Value
    last: Value
    states: tuple[Value, ...]


def over_time(tracer: Tracer, layer: Any, sequences: Value, initial_state: Any, mask: Any) -> Run:
    """Lower a recurrent layer on a sequence; stacked cells become consecutive layers."""
    if layer.stateful:
        raise tracer.error(STATEFUL, help_=STATELESS)
    if mask is not None:
        mask = _boolean(tracer, mask, tracer.value(sequences))
    cell = layer.cell
    cells = cell.cells if isinstance(cell, layers.StackedRNNCells) else [cell]
    x = as_float(tracer, sequences)
    starts = _initial(tracer, layer, cells, initial_state, x.shape[0])
    direction: Direction = "reverse" if layer.go_backwards else "forward"
    loop = _Loop(direction, "zero" if layer.zero_output_for_mask else "hold", mask)
    runs: list[Run] = []
    for each, start in zip(cells, starts, strict=True):
        lower = _NATIVE.get(type(each)) or _custom
        runs.append(lower(tracer, each, x, start, loop))
        x = runs[-1].sequence
    states = tuple(state for run in runs for state in run.states)
    return Run(runs[-1].sequence, runs[-1].last, states)


@dataclass(frozen=True, slots=True)
class _Loop:
    direction: Direction
    masked: Literal["hold", "zero"]
    mask: Value | None


def _boolean(tracer: Tracer, mask: Any, x: Value) -> Value:
    """Return the mask as bool[batch, time]."""
    value = cast(tracer, tracer.value(mask), DType.boolean)
    if value.shape == (*x.shape[:2], 1):
        value = tracer.emit(ops.Reshape(x.shape[:2]), value)
    if value.shape != x.shape[:2]:
        raise tracer.error(f"a mask {value.shape} for steps of {x.shape}")
    return value


def _initial(
    tracer: Tracer, layer: Any, cells: Sequence[Any], given: Any, batch: Dim
) -> list[list[Value]]:
    """Return the initial states of each cell: the given ones, or the layer's own for one row."""
    groups = [_state_count(cell) for cell in cells]
    if given is not None:
        flat = [as_float(tracer, each) for each in tree.flatten(given)]
    else:
        own = (np.asarray(each, np.float32) for each in tree.flatten(layer.get_initial_state(1)))
        flat = [_started(tracer, each, batch) for each in own]
    if len(flat) != sum(groups):
        raise tracer.error(f"{len(flat)} initial states for {sum(groups)}")
    rest = iter(flat)
    return [[next(rest) for _ in range(count)] for count in groups]


def _started(tracer: Tracer, state: Array, batch: Dim) -> Value:
    """Return an initial state as a constant; a uniform image becomes one number."""
    if state.ndim < 3 or np.ptp(state) != 0:
        return tracer.value(state, "state")
    number = tracer.value(state[(slice(1),) * state.ndim], "state")
    return tracer.emit(ops.BroadcastTo((batch, *state.shape[1:])), number)


def _state_count(cell: Any) -> int:
    return 2 if isinstance(cell, ConvLSTMCell) else len(tree.flatten(cell.state_size))


def _rnn(tracer: Tracer, cell: Any, x: Value, start: list[Value], loop: _Loop) -> Run:
    return _native(tracer, cell, x, start, loop, ops.Rnn, {"activation": cell.activation})


def _gru(tracer: Tracer, cell: Any, x: Value, start: list[Value], loop: _Loop) -> Run:
    gates = {"activation": cell.activation, "recurrent_activation": cell.recurrent_activation}
    flags = {"reset_after": bool(cell.reset_after)}
    return _native(tracer, cell, x, start, loop, ops.Gru, gates, **flags)


def _lstm(tracer: Tracer, cell: Any, x: Value, start: list[Value], loop: _Loop) -> Run:
    gates = {"activation": cell.activation, "recurrent_activation": cell.recurrent_activation}
    return _native(tracer, cell, x, start, loop, ops.Lstm, gates)


_NATIVE: Mapping[type, Callable[..., Run]] = {
    layers.SimpleRNNCell: _rnn,
    layers.GRUCell: _gru,
    layers.LSTMCell: _lstm,
}


def _native(
    tracer: Tracer,
    cell: Any,
    x: Value,
    start: list[Value],
    loop: _Loop,
    kind: Callable[..., Any],
    gates: Mapping[str, Any],
    **flags: bool,
) -> Run:
    """Emit the IR operation if it supports the activations, otherwise a loop."""
    names = {field: _GATES.get(function) for field, function in gates.items()}
    if None in names.values():
        return _custom(tracer, cell, x, start, loop)
    op = kind(**names, **flags, direction=loop.direction, masked=loop.masked)
    zeros = np.zeros(op.bias_shape(cell.units), np.float32)
    weights = (cell.kernel, cell.recurrent_kernel, zeros if cell.bias is None else cell.bias)
    masks = [] if loop.mask is None else [loop.mask]
    inputs = (x, *(tracer.value(each, "bias") for each in weights), *start, *masks)
    sequence, *states = tracer.emit_all(op, *inputs)
    last = states[0]
    if masks and not (loop.masked == "hold" and _is_zero(tracer, start[0])):
        last = _last(tracer, sequence, loop.direction)
    return Run(sequence, last, tuple(states))


def _custom(tracer: Tracer, cell: Any, x: Value, start: list[Value], loop: _Loop) -> Run:
    """Trace a cell as the body of a loop."""
    start = [_full(tracer, each, x.shape[0]) for each in start]
    initial, sequences = list(start), [x]
    last: list[int] = []  # indices of the states that hold the previous output
    if loop.mask is not None:
        sequences.append(loop.mask)
        if loop.masked == "hold":
            last.append(len(initial))
            initial.append(_before_the_first(tracer, cell, x, start))

    def step(states: list[Value], steps: list[Value]) -> tuple[list[Value], list[Value]]:
        before = states[: len(start)]
        output, new = _called(tracer, cell, steps[0], before)
        if loop.mask is None:
            last[:] = [k for k, each in enumerate(new) if each == output]
            return new, [output]
        held = _zeros(tracer, output) if loop.masked == "zero" else states[-1]
        output = _where(tracer, steps[1], output, held)
        kept = [_where(tracer, steps[1], *pair) for pair in zip(new, before, strict=True)]
        return [*kept, *([output] if loop.masked == "hold" else [])], [output]

    states, (sequence,) = scan(tracer, step, initial, sequences, loop.direction)
    final = states[last[0]] if last else _last(tracer, sequence, loop.direction)
    return Run(sequence, final, tuple(states[: len(start)]))


def _called(tracer: Tracer, cell: Any, x: Value, states: list[Value]) -> tuple[Value, list[Value]]:
    """Return a cell's output and new states."""
    with _without_dropout(cell):
        if isinstance(cell, keras.Layer):
            output, new = tracer.apply(cell, x, states)
        else:
            output, new = tracer.record(cell.call, x, states)
    return tracer.value(output), [tracer.value(each) for each in tree.flatten(new)]


def _before_the_first(tracer: Tracer, cell: Any, x: Value, states: list[Value]) -> Value:
    """Return zeros of the cell's output type, which a call of the cell determines."""
    with tracer.body():
        step = tracer.placeholder("step", _step_type(x))
        before = [tracer.placeholder("state", each.type) for each in states]
        output, _ = _called(tracer, cell, step, before)
    return _full(tracer, _zeros(tracer, output), x.shape[0])


def _zeros(tracer: Tracer, like: Value) -> Value:
    """Return zeros for one row, with the value's known sizes."""
    shape = [dim if isinstance(dim, int) else 1 for dim in like.shape[1:]]
    return tracer.value(np.zeros((1, *shape), like.dtype.numpy), "zeros")


def _full(tracer: Tracer, state: Value, batch: Dim) -> Value:
    shape = (batch, *state.shape[1:])
    return state if state.shape == shape else tracer.emit(ops.BroadcastTo(shape), state)


def _where(tracer: Tracer, mask: Value, new: Value, old: Value) -> Value:
    """Select between two values of any rank, per row, by a mask [batch]."""
    wide = ops.Reshape((*mask.shape, *(1,) * (new.type.rank - 1)))
    here = tracer.emit(wide, mask) if new.type.rank > 1 else mask
    return tracer.emit(ops.Where(), here, new, old)


def _last(tracer: Tracer, sequence: Value, direction: Direction) -> Value:
    """Return the step that was computed last."""
    start, stop = (-1, None) if direction == "forward" else (0, 1)
    step = tracer.emit(ops.Slice((1,), (start,), (stop,), (1,)), sequence)
    return tracer.emit(ops.Reshape((sequence.shape[0], *sequence.shape[2:])), step)


def _is_zero(tracer: Tracer, value: Value) -> bool:
    array = tracer.constants.get(value.name)
    return array is not None and not array.any()


@contextmanager
def _without_dropout(cell: Any) -> Iterator[None]:
    """Disable a cell's dropout, which draws a mask at every call even if the mask is unused."""
    if not isinstance(cell, DropoutRNNCell):
        yield
        return
    rates = cell.dropout, cell.recurrent_dropout
    cell.dropout = cell.recurrent_dropout = 0.0
    try:
        yield
    finally:
        cell.dropout, cell.recurrent_dropout = rates


Step = Callable[[list[Value], list[Value]], tuple[list[Value], list[Value]]]
"""``step(states, one step of each sequence)`` → the new states, and the outputs."""


def scan(
    tracer: Tracer,
    step: Step,
    initial: list[Value],
    sequences: list[Value],
    direction: Direction,
) -> tuple[list[Value], list[Value]]:
    """Emit a loop over sequences; return the final states and the output sequences."""
    with tracer.body() as nodes:
        states = [tracer.placeholder("state", each.type) for each in initial]
        steps = [tracer.placeholder("step", _step_type(each)) for each in sequences]
        new, outputs = step(states, steps)
        results: list[Value] = []
        for each in (*new, *outputs):
            own = any(each in node.outputs for node in nodes) and each not in results
            results.append(each if own else tracer.emit(ops.Identity(), each))
    captured = _captured(nodes, [*states, *steps])
    body = Graph("body", (*states, *steps, *captured), tuple(results), tuple(nodes))
    op = ops.Scan(body, len(initial), len(sequences), direction)
    given = tracer.emit_all(op, *initial, *sequences, *captured)
    return list(given[: len(initial)]), list(given[len(initial) :])


def _step_type(sequence: Value) -> TensorType:
    return sequence.type.with_shape(sequence.shape[0], *sequence.shape[2:])


def _captured(nodes: list[Node], inputs: list[Value]) -> list[Value]:
    """Return the outer values that the body of a loop reads."""
    inside = {each.name for each in inputs} | {each.name for node in nodes for each in node.outputs}
    read = dict.fromkeys(each for node in nodes for each in node.inputs)
    return [each for each in read if each.name not in inside]
