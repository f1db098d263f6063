"""Recurrent layers, and loops over time. In ONNX, time precedes the batch axis, and directions have
an axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array, Graph, Node, Value
from kspec.compiler.table import Table
from kspec.targets.formats.onnx.directions import Bidirectional
from kspec.targets.formats.onnx.emission import Attribute, Emission, Operand, Rule

rules: Table[Rule] = Table("onnx")

_GATES: Mapping[str, tuple[str, tuple[float, float] | None]] = {
    "linear": ("Affine", (1.0, 0.0)),
    "tanh": ("Tanh", None),
    "sigmoid": ("Sigmoid", None),
    "relu": ("Relu", None),
    "hard_sigmoid": ("HardSigmoid", (1 / 6, 0.5)),
    "softsign": ("Softsign", None),
    "softplus": ("Softplus", None),
}
"""The ONNX activation of each gate, with its alpha and beta if it has them."""

_ORDERS: Mapping[type[ops.Op], tuple[int, ...]] = {
    ops.Rnn: (0,),
    ops.Gru: (0, 1, 2),
    ops.Lstm: (0, 3, 1, 2),
}
"""The index in the IR of each gate of the operator; the gates of LSTM are i, o, f, c."""

_OPERATORS: Mapping[type[ops.Op], str] = {ops.Rnn: "RNN", ops.Gru: "GRU", ops.Lstm: "LSTM"}


def is_native(node: Node, graph: Graph) -> bool:
    """Return whether the operator is equivalent: it supports masks at the end of a row only."""
    weights = [graph.constant(value) for value in node.inputs[1:4]]
    plain = len(node.inputs) == 3 + len(node.outputs)
    return plain and not any(array is None for array in weights)


@rules(ops.Rnn, ops.Gru, ops.Lstm)
def recurrent(op: ops.Recurrent, node: Node, emit: Emission) -> None:
    x, *inputs = node.inputs
    outputs = _layer(op, emit, x, [inputs], op.direction)
    for number, name in enumerate(outputs):
        if name and number:
            emit.give(number, "Squeeze", name, np.array([0], np.int64))
        elif name:
            one = emit("Squeeze", name, np.array([1], np.int64))
            emit.give(0, "Transpose", one, perm=(1, 0, 2))


@rules(Bidirectional)
def bidirectional(op: Bidirectional, node: Node, emit: Emission) -> None:
    """Write both directions; their axis is moved before the units and merged with them."""
    x, *inputs = node.inputs
    half = len(inputs) // 2
    outputs = _layer(op.layer, emit, x, [inputs[:half], inputs[half:]], "bidirectional")
    units = 2 * int(inputs[1].shape[0])
    for number, name in enumerate(outputs):
        if name and number:
            rows = emit("Transpose", name, perm=(1, 0, 2))
            emit.give(number, "Reshape", rows, np.array([0, units], np.int64))
        elif name:
            rows = emit("Transpose", name, perm=(2, 0, 1, 3))
            emit.give(0, "Reshape", rows, np.array([0, 0, units], np.int64))


def _layer(
    op: ops.Recurrent,
    emit: Emission,
    x: Value,
    directions: Sequence[Sequence[Value]],
    name: str,
) -> list[str]:
    """Write the operator with the weights and the initial states of each direction."""
    units = int(directions[0][1].shape[0])
    weights = zip(*(_weights(op, emit, each[:3]) for each in directions), strict=True)
    states = zip(*(each[3:] for each in directions), strict=True)
    return emit.wanted(
        _OPERATORS[type(op)],
        emit("Transpose", x, perm=(1, 0, 2)),
        *(np.stack(each) for each in weights),
        None,
        *(_starts(emit, each, x) for each in states),
        hidden_size=units,
        direction=name,
        **_activations(op, len(directions)),
    )


def _weights(op: ops.Recurrent, emit: Emission, given: Sequence[Value]) -> tuple[Array, ...]:
    """Return kernel, recurrent kernel and biases of one direction in the operator's layout."""
    kernel, recurrent_kernel, bias = (_constant(emit, each) for each in given)
    order = _ORDERS[type(op)]
    biases = bias if bias.ndim == 2 else np.stack([bias, 0 * bias])
    both = np.concatenate([_rows(each, order) for each in biases])
    return _rows(kernel, order), _rows(recurrent_kernel, order), both


def _constant(emit: Emission, value: Value) -> Array:
    array = emit.array(value)
    if array is None:
        raise ValueError(f"{value} is not constant")
    return array


def _rows(weights: Array, order: tuple[int, ...]) -> Array:
    """Convert [..., gates · units] to [gates · units, ...] with gates in another order."""
    parts = np.split(weights, len(order), axis=-1)
    return np.ascontiguousarray(np.concatenate([parts[k] for k in order], axis=-1).T)


def _starts(emit: Emission, states: Sequence[Value], x: Value) -> Operand:
    """Return the initial states of all directions as [directions, batch, units]; None if they are
    zeros."""
    arrays = [emit.array(state) for state in states]
    if all(array is not None and not array.any() for array in arrays):
        return None
    found = [_start(emit, state, x) for state in states]
    return emit("Concat", *found, axis=0) if len(found) > 1 else found[0]


def _start(emit: Emission, state: Value, x: Value) -> Operand:
    first = np.array([0], np.int64)
    if state.shape[0] == x.shape[0]:
        return emit("Unsqueeze", state, first)
    one, units = np.array([1], np.int64), np.array(state.shape[1:], np.int64)
    shape = emit("Concat", one, emit.extent(x.shape[0]), units, axis=0)
    return emit("Expand", emit("Unsqueeze", state, first), shape)


def _activations(op: ops.Recurrent, directions: int) -> dict[str, Attribute]:
    names = [op.activation]
    if isinstance(op, ops.Gru | ops.Lstm):
        names.insert(0, op.recurrent_activation)
    if isinstance(op, ops.Lstm):
        names.append(op.activation)
    functions, numbers = zip(*(_GATES[name] for name in names * directions), strict=True)
    attributes: dict[str, Attribute] = {"activations": functions}
    # Each function takes the next numbers, if it has parameters.
    if taken := [each for each in numbers if each is not None]:
        alphas, betas = zip(*taken, strict=True)
        attributes |= {"activation_alpha": alphas, "activation_beta": betas}
    if isinstance(op, ops.Gru):
        attributes["linear_before_reset"] = int(op.reset_after)
    return attributes


@rules(ops.Scan)
def scan(op: ops.Scan, node: Node, emit: Emission) -> None:
    """Write a loop along the IR's time axis; the body reads captured values by name."""
    inputs = node.inputs
    first = op.states + op.scanned
    sequences = len(op.body.outputs) - op.states
    backwards = int(op.direction == "reverse")
    attributes: dict[str, Attribute] = {
        "num_scan_inputs": op.scanned,
        "scan_input_axes": (1,) * op.scanned,
        "scan_input_directions": (backwards,) * op.scanned,
    }
    if sequences:
        attributes |= {
            "scan_output_axes": (1,) * sequences,
            "scan_output_directions": (backwards,) * sequences,
        }
    body = emit.body(op, inputs[first:])
    emit.all_results("Scan", *inputs[:first], body=body, **attributes)
