"""Recurrent layers and loops over time.

The runtime's layers keep their states in tensors that they change in place and that persist between
calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import DType, Graph, Node, TensorType, Value
from kspec.compiler.ops.recurrent import Gate
from kspec.compiler.passes.bodies import opened
from kspec.compiler.table import Table
from kspec.targets.formats.tflite.builtins import (
    Fused,
    MulOptions,
    SequenceRNNOptions,
    UnidirectionalSequenceLSTMOptions,
    WhileOptions,
)
from kspec.targets.formats.tflite.program import ABSENT, Emitter, Program, Rule
from kspec.targets.formats.tflite.rules.elementwise import add
from kspec.targets.formats.tflite.rules.shape import cut, gather, reshape, sizes

rules: Table[Rule] = Table("tflite")

_FUSED: Mapping[Gate, Fused] = {
    "linear": Fused.none,
    "relu": Fused.relu,
    "tanh": Fused.tanh,
}
"""The activations that the kernels support."""


def is_native(node: Node, graph: Graph) -> bool:
    """Return whether the runtime has the layer: not a GRU, without a mask, with constant weights.
    The final cell state must be unused: delegates reorder operators that read a tensor changed in
    place."""
    op = node.op
    if not isinstance(op, ops.Rnn | ops.Lstm) or op.activation not in _FUSED:
        return False
    if isinstance(op, ops.Lstm) and op.recurrent_activation != "sigmoid":
        return False
    read = {value.name for each in graph.nodes for value in each.inputs}
    read |= {value.name for value in graph.outputs}
    plain = len(node.inputs) == 3 + len(node.outputs)
    plain = plain and not any(value.name in read for value in node.outputs[2:])
    return plain and all(graph.constant(value) is not None for value in node.inputs[1:4])


@rules(ops.Rnn)
def _rnn(op: ops.Rnn, node: Node, out: Emitter) -> None:
    weights = [_gates(out, each, 1)[0] for each in node.inputs[1:4]]
    states = _states(node, out)
    options = SequenceRNNOptions(_FUSED[op.activation])
    _run(node, out, "UNIDIRECTIONAL_SEQUENCE_RNN", [*weights, *states], options)


@rules(ops.Lstm)
def _lstm(op: ops.Lstm, node: Node, out: Emitter) -> None:
    """Write an LSTM without peepholes and projection; the gates are i, f, c, o, as in the IR."""
    kernel, recurrent, bias = (_gates(out, each, 4) for each in node.inputs[1:4])
    states = _states(node, out)
    given = [*kernel, *recurrent, *[ABSENT] * 3, *bias, *[ABSENT] * 2, *states]
    options = UnidirectionalSequenceLSTMOptions(_FUSED[op.activation])
    _run(node, out, "UNIDIRECTIONAL_SEQUENCE_LSTM", given, options)


def _gates(out: Emitter, weights: Value, count: int) -> list[Value]:
    """Split [..., gates · units] into [units, ...] for each gate."""
    array = out.array(weights)
    assert array is not None
    return [out.weights(weights, part.T) for part in np.split(array, count, axis=-1)]


def _states(node: Node, out: Emitter) -> list[Value]:
    starts = node.inputs[4:]
    return [
        out.variable(start, final.type, f"state{k}")
        for k, (start, final) in enumerate(zip(starts, node.outputs[1:], strict=True))
    ]


def _run(
    node: Node,
    out: Emitter,
    code: str,
    given: Sequence[Value],
    options: SequenceRNNOptions | UnidirectionalSequenceLSTMOptions,
) -> None:
    """Write the layer, which runs from the first step to the last; its hidden state is its
    output."""
    op, x, (sequence, final, *_) = node.op, node.inputs[0], node.outputs
    assert isinstance(op, ops.Recurrent)
    if op.direction == "reverse":
        axis = out.integers(1)
        x = out.emit("REVERSE_V2", x, axis)
        found = out.emit(code, x, *given, options=options, type_=sequence.type)
        out.emit("REVERSE_V2", found, axis, into=sequence)
    else:
        found = out.emit(code, x, *given, options=options, into=sequence)
    batch, steps, units = sizes(sequence.shape)
    last = cut(out, found, (0, steps - 1, 0), (batch, 1, units))
    reshape(out, last, final.shape, final)


@rules(ops.Scan)
def _scan(op: ops.Scan, node: Node, out: Emitter) -> None:
    """Write a loop that carries the step index, the states, the outputs of previous steps, and all
    captured values: a function reads its inputs and constants only."""
    body, first = opened(node, out.graph), op.states + op.scanned
    outside = dict(zip((each.name for each in op.body.inputs), node.inputs, strict=True))
    read = [outside[each.name] for each in body.inputs[op.states :]]
    count, backwards = int(read[0].shape[1]), op.direction == "reverse"
    inner = out.inside(body)
    step = inner.value(TensorType(DType.int32, ()), "step")
    made = [inner.value(each.type, "sequence") for each in node.outputs[op.states :]]
    sequences = [inner.value(each.type, "read") for each in read[: op.scanned]]
    for sequence, each in zip(sequences, body.inputs[op.states : first], strict=True):
        gather(inner, sequence, step, 1, each)
    inner.run()
    parts = zip(made, body.outputs[op.states :], strict=True)
    written = [_written(inner, sequence, part, step) for sequence, part in parts]
    following = add(inner, step, inner.number(-1 if backwards else 1, step))
    captured = body.inputs[first:]
    inputs = (step, *body.inputs[: op.states], *made, *sequences, *captured)
    outputs = (following, *body.outputs[: op.states], *written, *sequences, *captured)
    options = WhileOptions(
        out.add_body(_condition(out, inputs, 0 if backwards else count, backwards=backwards)),
        out.add_body(inner.program(inputs, outputs)),
    )
    start = out.number(count - 1 if backwards else 0, step)
    zeros = [_zeros(out, each) for each in node.outputs[op.states :]]
    before, *after = (out.value(each.type, "carried") for each in (step, *read))
    given = (start, *node.inputs[: op.states], *zeros, *read)
    out.emit_all("WHILE", *given, outputs=(before, *node.outputs, *after), options=options)


def _zeros(out: Emitter, sequence: Value) -> Value:
    """Return zeros for the outputs of a loop; a constant would take as many bytes of the file."""
    shape = out.integers(*sizes(sequence.shape))
    return out.emit("BROADCAST_TO", out.number(0, sequence), shape, type_=sequence.type)


def _written(out: Emitter, sequence: Value, part: Value, step: Value) -> Value:
    """Return the sequence with the part written at a step."""
    batch, *rest = sizes(part.shape)
    along = [int(axis == 1) for axis in range(sequence.type.rank)]
    type_ = TensorType(DType.int32, (len(along),))
    place = out.emit("MUL", step, out.integers(*along), options=MulOptions(), type_=type_)
    wide = reshape(out, part, (batch, 1, *rest))
    return out.emit("DYNAMIC_UPDATE_SLICE", sequence, wide, place)


def _condition(out: Emitter, inputs: tuple[Value, ...], end: int, *, backwards: bool) -> Program:
    """Return the function that computes whether the loop continues."""
    test = out.inside(Graph("condition", inputs, (), ()))
    code, boolean = "GREATER_EQUAL" if backwards else "LESS", TensorType(DType.boolean, ())
    goes_on = test.emit(code, inputs[0], test.number(end, inputs[0]), type_=boolean)
    return test.program(inputs, (goes_on,))
