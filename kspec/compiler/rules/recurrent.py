"""Rules for layers that run over time: Keras' loop is part of the backend and cannot be traced."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import layers, tree
from keras import ops as kops
from keras.src.layers.rnn.conv_lstm import ConvLSTMCell

from kspec.compiler import ops
from kspec.compiler.ir import Value
from kspec.compiler.rules.cells import over_time, scan
from kspec.compiler.rules.shape import reshaped
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: recurrent")


@rules(
    layers.LSTM,
    layers.GRU,
    layers.SimpleRNN,
    layers.RNN,
    layers.ConvLSTM1D,
    layers.ConvLSTM2D,
    layers.ConvLSTM3D,
)
def recurrent(
    tracer: Tracer, layer: Any, sequences: Value, initial_state: Any = None, mask: Any = None
) -> Any:
    """Lower a recurrent layer; with ``go_backwards`` the sequence is in computation order."""
    run = over_time(tracer, layer, sequences, initial_state, mask)
    output = run.sequence if layer.return_sequences else run.last
    if layer.return_sequences and layer.go_backwards:
        output = tracer.emit(ops.Reverse((1,)), output)
    return (output, *run.states) if layer.return_state else output


@rules(ConvLSTMCell)
def conv_lstm_cell(tracer: Tracer, cell: Any, inputs: Value, states: list[Value]) -> Any:
    """Lower Keras' cell with one convolution of the input and one of the state for all four
    gates."""

    axis = 1 if cell.data_format == "channels_first" else cell.rank + 1
    sizes = [4 * cell.filters if each == axis else 1 for each in range(cell.rank + 2)]

    def step(x: Any, h: Any, c: Any) -> Any:
        given = cell.input_conv(x, cell.kernel, padding=cell.padding)
        if cell.use_bias:
            given = given + kops.reshape(cell.bias, sizes)
        total = given + cell.recurrent_conv(h, cell.recurrent_kernel)
        i, f, g, o = kops.split(total, 4, axis=axis)
        i, f, o = (cell.recurrent_activation(each) for each in (i, f, o))
        c = f * c + i * cell.activation(g)
        h = o * cell.activation(c)
        return h, [h, c]

    return tracer.record(step, inputs, *states)


@rules(layers.Bidirectional)
def bidirectional(
    tracer: Tracer, layer: Any, sequences: Value, initial_state: Any = None, mask: Any = None
) -> Any:
    states = tree.flatten(initial_state) if initial_state is not None else []
    half = len(states) // 2
    outputs: list[Value] = []
    finals: list[Value] = []
    halves = ((layer.forward_layer, states[:half]), (layer.backward_layer, states[half:]))
    for backward, (each, start) in enumerate(halves):
        with tracer.inside(each.name):
            run = over_time(tracer, each, sequences, start or None, mask)
            output = run.sequence if layer.return_sequences else run.last
            if layer.return_sequences and each.go_backwards != bool(backward):
                output = tracer.emit(ops.Reverse((1,)), output)
        outputs.append(output)
        finals.extend(run.states)
    merged = _merged(tracer, layer.merge_mode, outputs)
    return (*merged, *finals) if layer.return_state or len(merged) > 1 else merged[0]


def _merged(tracer: Tracer, mode: str | None, outputs: list[Value]) -> tuple[Value, ...]:
    if mode is None:
        return tuple(outputs)
    if mode == "concat":
        return (tracer.emit(ops.Concat(outputs[0].type.rank - 1), *outputs),)
    merged = tracer.emit(ops.Multiply() if mode == "mul" else ops.Add(), *outputs)
    if mode == "ave":
        merged = tracer.emit(ops.Multiply(), merged, tracer.value(np.float32(0.5), "half"))
    return (merged,)


@rules(layers.TimeDistributed)
def time_distributed(tracer: Tracer, layer: Any, inputs: Value, mask: Any = None) -> Any:
    """Apply a layer to each time step. Keras' layers treat batch rows independently, so the steps
    become rows; a third-party layer is called step by step."""
    wrapped, x = layer.layer, tracer.value(inputs)
    masks = [mask] if mask is not None and "mask" in wrapped._call_signature.parameters else []  # noqa: SLF001
    of_keras = all(_is_of_keras(each) for each in wrapped._flatten_layers())  # noqa: SLF001
    if not of_keras:
        return _scanned(tracer, wrapped, x, masks)
    batch, time = x.shape[:2]
    rows = [reshaped(tracer, each, (-1, *_sizes(tracer, each, 2))) for each in (x, *masks)]
    result = _call(tracer, wrapped, *rows)
    shape = (batch, time, *result.shape[1:])
    return tracer.emit(ops.Reshape(shape), result)


def _is_of_keras(layer: Any) -> bool:
    return type(layer).__module__.startswith("keras.src.")


def _sizes(tracer: Tracer, value: Value, first: int) -> tuple[int, ...]:
    """Return the sizes of the axes from ``first`` on, which must be known."""
    sizes = tuple(dim for dim in value.shape[first:] if isinstance(dim, int))
    if len(sizes) != len(value.shape[first:]):
        raise tracer.error(f"the sizes of the steps of {value.shape} must be known")
    return sizes


def _call(tracer: Tracer, layer: Any, x: Value, *mask: Value) -> Value:
    (result,) = tree.flatten(tracer.apply(layer, x, **({"mask": mask[0]} if mask else {})))
    return tracer.value(result)


def _scanned(tracer: Tracer, layer: Any, x: Value, masks: list[Value]) -> Value:
    def step(_states: list[Value], steps: list[Value]) -> tuple[list[Value], list[Value]]:
        return [], [_call(tracer, layer, *steps)]

    _, (sequence,) = scan(tracer, step, [], [x, *masks], "forward")
    return sequence
