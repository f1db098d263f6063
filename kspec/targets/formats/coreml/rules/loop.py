"""Loops over time, as MIL's ``while_loop``, whose blocks read outer values by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Dim, DType, Graph, Node, Value
from kspec.compiler.passes.bodies import renamed
from kspec.compiler.table import Table
from kspec.targets.formats.coreml.emission import Emission, Rule, Var

RULES: Table[Rule] = Table("coreml")

_ONE = np.array([1], np.int32)


@RULES(ops.Scan)
def scan(op: ops.Scan, node: Node, emit: Emission) -> tuple[Var, ...]:
    """Write a loop that carries the step index, the states and the outputs of the previous
    steps."""
    name = node.name
    body, last = _inside(node), op.states + op.scanned
    whole = [_numbers(emit, each) for each in node.inputs[op.states : last]]
    sequences = list(zip(whole, body.inputs[op.states : last], strict=True))
    backwards = op.direction == "reverse"
    count = _extent(node, emit, node.inputs[op.states].shape[1])
    zero = np.array([0], np.int32)
    first = emit("sub", f"{name}/last", x=count, y=_ONE) if backwards else emit.parameter(zero)

    def goes_on(step: Var, *carried: Var) -> Var:
        for number, var in enumerate((step, *carried)):
            var.name = emit.identifiers[f"{name}/carried/{number}"]
        with emit.inside():
            if backwards:
                return emit("greater_equal", f"{name}/goes_on", x=step, y=zero)
            return emit("less", f"{name}/goes_on", x=step, y=count)

    def turn(step: Var, *carried: Var) -> list[Var]:
        with emit.inside():
            for value, var in zip(body.inputs[: op.states], carried, strict=False):
                emit.bind(value, var)
            for sequence, value in sequences:
                emit.bind(value, _step(emit, sequence, value, step))
            for each in body.nodes:
                emit.run(each)
            parts = zip(carried[op.states :], body.outputs[op.states :], strict=True)
            written = [_written(emit, made, part, step) for made, part in parts]
            kind = "sub" if backwards else "add"
            following = emit(kind, f"{name}/next", x=step, y=_ONE)
            return [following, *(emit[each] for each in body.outputs[: op.states]), *written]

    room = [_room(node, emit, each) for each in node.outputs[op.states :]]
    carried = (first, *(emit[each] for each in node.inputs[: op.states]), *room)
    functions = {"_cond": goes_on, "_body": turn}
    results = emit.several("while_loop", f"{name}/loop", loop_vars=carried, **functions)
    finals = zip(node.outputs[: op.states], results[1:], strict=False)
    stacked = zip(node.outputs[op.states :], results[1 + op.states :], strict=True)
    return (
        *(emit("identity", value.name, x=var) for value, var in finals),
        *(_given(emit, value, var) for value, var in stacked),
    )


def _inside(node: Node) -> Graph:
    """Return the body with unique names; captured values have the names of the outer values."""
    op = node.op
    assert isinstance(op, ops.Scan)
    first = op.states + op.scanned
    pairs = zip(op.body.inputs[first:], node.inputs[first:], strict=True)
    names = {inside.name: outside for inside, outside in pairs}
    made = (*op.body.inputs[:first], *(v for each in op.body.nodes for v in each.outputs))
    taken: set[str] = set()
    for value in made:
        short = f"{node.name}/{value.name.rpartition('/')[2]}"
        name = f"{node.name}/{value.name}" if short in taken else short
        taken.add(name)
        names[value.name] = replace(value, name=name)
    return renamed(op.body, names)


def _extent(node: Node, emit: Emission, dim: Dim) -> Var:
    """Return the size of a dimension, int32[1]."""
    if isinstance(dim, int):
        return emit.parameter(np.array([dim], np.int32))
    if emit.measurable(dim):
        return emit.measure(dim)
    value = next(each for each in node.inputs if dim in each.shape)
    shape = emit("shape", f"{node.name}/shape/{dim}", x=emit[value])
    at = np.array([value.shape.index(dim)], np.int32)
    return emit("gather", f"{node.name}/size/{dim}", x=shape, indices=at, axis=0)


def _numbers(emit: Emission, value: Value) -> Var:
    """Cast a sequence of booleans to int32: MIL gathers numbers only."""
    if value.dtype is not DType.boolean:
        return emit[value]
    return emit.cast(emit[value], DType.int32, f"{value.name}/numbers")


def _step(emit: Emission, sequence: Var, value: Value, step: Var) -> Var:
    wide = emit("gather", f"{value.name}/wide", x=sequence, indices=step, axis=1)
    if value.dtype is not DType.boolean:
        return emit("squeeze", value.name, x=wide, axes=[1])
    numbers = emit("squeeze", f"{value.name}/numbers", x=wide, axes=[1])
    return emit.cast(numbers, DType.boolean, value.name)


def _room(node: Node, emit: Emission, sequence: Value) -> Var:
    """Return zeros in the shape of a sequence; each step replaces its part."""
    dtype = DType.int32 if sequence.dtype is DType.boolean else sequence.dtype
    zero, name = emit.scalar(0, dtype), f"{sequence.name}/room"
    if all(isinstance(dim, int) for dim in sequence.shape):
        return emit("fill", name, shape=np.array(sequence.shape, np.int32), value=zero)
    sizes = [_extent(node, emit, dim) for dim in sequence.shape]
    shape = emit("concat", f"{name}/shape", values=sizes, axis=0, interleave=False)
    return emit("fill", name, shape=shape, value=zero)


def _written(emit: Emission, sequence: Var, part: Value, step: Var) -> Var:
    """Return the sequence with the part written at a step."""
    wide = emit("expand_dims", f"{part.name}/wide", x=_numbers(emit, part), axes=[1])
    name = f"{part.name}/written"
    return emit("scatter", name, data=sequence, indices=step, updates=wide, axis=1, mode="update")


def _given(emit: Emission, value: Value, var: Var) -> Var:
    """Return a sequence under its name."""
    if value.dtype is DType.boolean:
        return emit.cast(var, DType.boolean, value.name)
    return emit("identity", value.name, x=var)
