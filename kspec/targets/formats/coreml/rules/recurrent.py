"""Recurrent layers. In MIL, time precedes the batch axis, and kernels are stored by rows.

MIL's GRU is not used: before iOS 18 it lacks the bias that Keras adds to the product with the
state. The PyTorch front end of coremltools writes a loop for the same reason.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array, DType, Graph, Node, Value
from kspec.compiler.table import Table
from kspec.targets.formats.coreml.emission import Emission, Rule, Var
from kspec.targets.formats.coreml.rules.shape import vector

RULES: Table[Rule] = Table("coreml")

_GATES = ("tanh", "sigmoid", "relu", "linear")
"""Activations with the same meaning in MIL, which does not state the slope of its hard sigmoid."""

_ORDERS: Mapping[type[ops.Op], tuple[int, ...]] = {ops.Rnn: (0,), ops.Lstm: (0, 1, 3, 2)}
"""The index in the IR of each gate of the MIL operation, whose LSTM has gates i, f, o, z."""


def is_native(node: Node, graph: Graph) -> bool:
    """Return whether Core ML has the layer: not a GRU, without a mask, with constant weights."""
    op = node.op
    if not isinstance(op, ops.Rnn | ops.Lstm):
        return False
    gates = [op.activation, *([op.recurrent_activation] if isinstance(op, ops.Lstm) else [])]
    weights = [graph.constant(value) for value in node.inputs[1:4]]
    plain = len(node.inputs) == 3 + len(node.outputs)
    return plain and set(gates) <= set(_GATES) and all(each is not None for each in weights)


@RULES(ops.Rnn, ops.Lstm)
def recurrent(op: ops.Rnn | ops.Lstm, node: Node, emit: Emission) -> tuple[Var, ...]:
    """Write a recurrent layer: in single precision before iOS 17, which added half precision."""
    (x, *weights), name = node.inputs[:4], node.name
    narrow = emit.computed_as(x.dtype) is DType.float16 and emit.minimum != "iOS16"
    kernel, hidden, bias = (_rows(emit.graph.constants[each.name], op) for each in weights)
    wide = {each: _wide(node, emit, each, narrow=narrow) for each in dict.fromkeys(node.inputs[4:])}
    states = [wide[each] for each in node.inputs[4:]]
    steps = _wide(node, emit, x, narrow=narrow)
    given = emit("transpose", f"{name}/steps", x=steps, perm=[1, 0, 2])
    parameters = {
        "x": given,
        "weight_ih": _weights(emit, f"{name}/kernel", kernel, narrow=narrow),
        "weight_hh": _weights(emit, f"{name}/recurrent", hidden, narrow=narrow),
        "bias": _weights(emit, f"{name}/bias", bias, narrow=narrow),
        "direction": op.direction,
        "output_sequence": True,
        "activation": op.activation,
    }
    parameters |= dict(zip(("initial_h", "initial_c"), states, strict=False))
    if isinstance(op, ops.Lstm):
        gates = {"recurrent_activation": op.recurrent_activation, "cell_activation": op.activation}
        parameters |= gates
    sequence, *finals = emit.several(type(op).__name__.lower(), f"{name}/loop", **parameters)
    turned = emit("transpose", f"{name}/turned", x=sequence, perm=[1, 0, 2])
    pairs = zip(node.outputs, (turned, *finals), strict=True)
    return tuple(_named(emit, value, var) for value, var in pairs)


def _rows(weights: Array, op: ops.Rnn | ops.Lstm) -> Array:
    """Convert [..., gates · units] to [gates · units, ...], with gates in MIL's order."""
    order = _ORDERS[type(op)]
    parts = np.split(weights, len(order), axis=-1)
    return np.ascontiguousarray(np.concatenate([parts[k] for k in order], axis=-1).T)


def _weights(emit: Emission, name: str, array: Array, *, narrow: bool) -> Var:
    return emit.constant(name, array) if narrow else emit.exact(name, array)


def _wide(node: Node, emit: Emission, value: Value, *, narrow: bool) -> Var:
    """Return a value in the operation's precision; repeat a state for each row of the batch."""
    var, batch = emit[value], node.inputs[0].shape[0]
    name = f"{node.name}/{value.name}"
    if value.type.rank == 2 and value.shape[0] != batch:
        var = emit("tile", f"{name}/rows", x=var, reps=_repeats(node, emit, name))
    if not narrow and emit.computed_as(value.dtype) is DType.float16:
        var = emit("cast", f"{name}/single", x=var, dtype="fp32")
    return var


def _repeats(node: Node, emit: Emission, name: str) -> Array | Var:
    """Return the repeats that turn one row into the batch; a batch size that no input has is
    measured on the sequence."""
    x, part = node.inputs[0], f"{name}/repeats".removeprefix(f"{node.name}/")
    batch = x.shape[0]
    if isinstance(batch, int) or emit.measurable(batch):
        return vector(node, emit, (batch, 1), part)
    shape = emit("shape", f"{name}/shape", x=emit[x])
    first = np.array([0], np.int32)
    rows = emit("gather", f"{name}/count", x=shape, indices=first, axis=0)
    values = [rows, emit.parameter(np.array([1], np.int32))]
    return emit("concat", f"{node.name}/{part}", values=values, axis=0, interleave=False)


def _named(emit: Emission, value: Value, var: Var) -> Var:
    """Return the result under the value's name, in the chosen precision."""
    if emit.computed_as(value.dtype) is DType.float16:
        return emit.cast(var, value.dtype, value.name)
    return emit("identity", value.name, x=var)
