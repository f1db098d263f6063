"""Rewriting of recurrent layers as loops, for formats that lack them. One product before the loop
multiplies the inputs of all steps by the kernel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Graph, Node, TensorType, Value
from kspec.compiler.ops.recurrent import GATES
from kspec.compiler.passes import Pass
from kspec.compiler.passes.remove_dead import remove_dead
from kspec.compiler.passes.rewrite import Rewrite, RewriteRule, rewrite
from kspec.compiler.table import Table

_rules: Table[RewriteRule] = Table("loops")


def loops(native: Callable[[Node, Graph], bool]) -> Pass:
    """Return a pass that writes each recurrent layer as a Scan, except layers for which ``native``
    returns true. A Scan has no sequence that nothing reads."""

    def run(graph: Graph) -> Graph:
        def unless_native(node: Node, made: Rewrite) -> tuple[Value, ...] | None:
            if native(node, graph):
                return None
            found = _rules[type(node.op)](node, made)
            assert isinstance(found, tuple)
            return found

        chosen: Table[RewriteRule] = Table("loops", dict.fromkeys(_rules, unless_native))
        return _without_unread(rewrite(graph, chosen))

    return run


def _without_unread(graph: Graph) -> Graph:
    """Remove unread sequences from the outputs of loops."""
    read = {value.name for node in graph.nodes for value in node.inputs}
    read |= {value.name for value in graph.outputs}
    return graph.with_nodes(tuple(_trimmed(node, read) for node in graph.nodes))


def _trimmed(node: Node, read: set[str]) -> Node:
    op = node.op
    if not isinstance(op, ops.Scan):
        return node
    pairs = list(zip(node.outputs, op.body.outputs, strict=True))
    kept = [pair for k, pair in enumerate(pairs) if k < op.states or pair[0].name in read]
    if not kept or kept == pairs:
        return node
    outputs, inside = zip(*kept, strict=True)
    body = remove_dead(replace(op.body, outputs=inside))
    return replace(node, op=replace(op, body=body), outputs=outputs)


@dataclass(slots=True)
class _Body:
    """The body of a loop under construction; its values are named after the layer."""

    node: Node
    inputs: list[Value] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)

    def input(self, part: str, type_: TensorType) -> Value:
        self.inputs.append(Value(f"{self.node.name}/step/{part}", type_))
        return self.inputs[-1]

    def __call__(self, part: str, op: ops.Op, *inputs: Value) -> Value:
        (type_,) = op.infer(*(value.type for value in inputs))
        output = Value(f"{self.node.name}/step/{part}", type_)
        self.nodes.append(Node(op, inputs, (output,), self.node.origin))
        return output

    def columns(self, part: str, x: Value, units: int, first: int, last: int) -> Value:
        """Return the columns of gates ``first`` to ``last`` - 1."""
        return self(part, ops.Slice((1,), (first * units,), (last * units,), (1,)), x)


Cell = Callable[[_Body, Value, list[Value], list[Value]], list[Value]]
"""``cell(body, product of a step's input, states, captured values)`` → the new states."""


@_rules(ops.Rnn)
def rnn(node: Node, graph: Rewrite) -> tuple[Value, ...]:
    op, (_, _, recurrent, bias, *_) = node.op, node.inputs
    assert isinstance(op, ops.Rnn)

    def cell(body: _Body, z: Value, states: list[Value], captured: list[Value]) -> list[Value]:
        product = body("recurrent", ops.Linear(), states[0], captured[0])
        total = body("sum", ops.Add(), z, product)
        return [body("h", GATES[op.activation], total)]

    return _loop(node, graph, bias, cell, recurrent)


@_rules(ops.Lstm)
def lstm(node: Node, graph: Rewrite) -> tuple[Value, ...]:
    op, (_, _, recurrent, bias, *_) = node.op, node.inputs
    assert isinstance(op, ops.Lstm)
    gate, activation, units = GATES[op.recurrent_activation], GATES[op.activation], _units(node)

    def cell(body: _Body, z: Value, states: list[Value], captured: list[Value]) -> list[Value]:
        h, c = states
        total = body("sum", ops.Add(), z, body("recurrent", ops.Linear(), h, captured[0]))
        parts = [body.columns(f"z{k}", total, units, k, k + 1) for k in range(4)]
        i, f, o = (body(name, gate, parts[k]) for name, k in (("i", 0), ("f", 1), ("o", 3)))
        kept = body("kept", ops.Multiply(), f, c)
        new = body("new", ops.Multiply(), i, body("g", activation, parts[2]))
        c = body("c", ops.Add(), kept, new)
        return [body("h", ops.Multiply(), o, body("squashed", activation, c)), c]

    return _loop(node, graph, bias, cell, recurrent)


@_rules(ops.Gru)
def gru(node: Node, graph: Rewrite) -> tuple[Value, ...]:
    """h' = n + z · (h - n)"""
    op, (_, _, recurrent, bias, *_) = node.op, node.inputs
    assert isinstance(op, ops.Gru)
    gate, units = GATES[op.recurrent_activation], _units(node)
    if op.reset_after:
        captured = [recurrent, _row(node, graph, bias, 1)]
        bias = _row(node, graph, bias, 0)
    else:
        captured = [
            _columns(node, graph, recurrent, 0, 2 * units),
            _columns(node, graph, recurrent, 2 * units, 3 * units),
        ]

    def candidate(body: _Body, r: Value, h: Value, held: Value, captured: list[Value]) -> Value:
        if op.reset_after:
            return body("reset", ops.Multiply(), r, body.columns("hn", held, units, 2, 3))
        reset = body("reset", ops.Multiply(), r, h)
        return body("reset_product", ops.Linear(), reset, captured[1])

    def cell(body: _Body, given: Value, states: list[Value], captured: list[Value]) -> list[Value]:
        (h,) = states
        more = captured[1:] if op.reset_after else []
        held = body("recurrent", ops.Linear(), h, captured[0], *more)
        first = body.columns("hzr", held, units, 0, 2) if op.reset_after else held
        total = body("sum", ops.Add(), body.columns("xzr", given, units, 0, 2), first)
        gates = body("gates", gate, total)
        z, r = (body.columns(name, gates, units, k, k + 1) for name, k in (("z", 0), ("r", 1)))
        reset = candidate(body, r, h, held, captured)
        total = body("candidate", ops.Add(), body.columns("xn", given, units, 2, 3), reset)
        n = body("n", GATES[op.activation], total)
        kept = body("kept", ops.Multiply(), z, body("change", ops.Subtract(), h, n))
        return [body("h", ops.Add(), n, kept)]

    return _loop(node, graph, bias, cell, *captured)


def _loop(
    node: Node, graph: Rewrite, bias: Value, cell: Cell, *captured: Value
) -> tuple[Value, ...]:
    op, (x, kernel), mask = node.op, node.inputs[:2], node.inputs[4 + len(node.outputs) - 1 :]
    assert isinstance(op, ops.Recurrent)
    body, final = _Body(node), node.outputs[1].type
    initial = [_full(node, graph, each) for each in node.inputs[4 : 3 + len(node.outputs)]]
    # A masked step repeats the last output, initially zeros and not the initial state.
    apart = bool(mask) and op.masked == "hold" and graph.scalar(node.inputs[4]) != 0
    zeros = graph.constant(f"{node.name}/zeros", np.zeros((1, _units(node)), final.dtype.numpy))
    if apart:
        initial.append(_full(node, graph, zeros))
    sequences = [graph.step(node, ops.Linear(), x, kernel, bias, part="input")]
    if mask:
        wide = ops.Reshape((*mask[0].shape, 1))
        sequences.append(graph.step(node, wide, *mask, part="mask"))
    states = [body.input(f"state{k}", final) for k, _ in enumerate(initial)]
    steps = [
        body.input(f"input{k}", each.type.with_shape(each.shape[0], *each.shape[2:]))
        for k, each in enumerate(sequences)
    ]
    inside = [body.input(f"captured{k}", each.type) for k, each in enumerate(captured)]
    new = cell(body, steps[0], states[: op.states], inside)
    output = new[0]
    if mask:
        before = states[-1] if apart else states[0]
        if op.masked == "zero":
            before, captured = body.input("zeros", zeros.type), (*captured, zeros)
        output = body("output", ops.Where(), steps[1], new[0], before)
        pairs = enumerate(zip(new, states, strict=False))
        new = [body(f"held{k}", ops.Where(), steps[1], *pair) for k, pair in pairs]
        new += [output] if apart else []
    made = Graph(f"{node.name}/step", tuple(body.inputs), (), tuple(body.nodes))
    made = _with_outputs(made, [*new, output])
    scan = ops.Scan(made, len(new), len(sequences), op.direction)
    names = [f"{node.name}/final{k}" for k, _ in enumerate(new)]
    *finals, sequence = graph.emit_all(
        scan, *initial, *sequences, *captured, names=[*names, node.name], origin=node.origin
    )
    return (sequence, *finals[: op.states])


def _with_outputs(body: Graph, outputs: list[Value]) -> Graph:
    """Return the body with these outputs; a repeated output passes through an Identity."""
    nodes, given = list(body.nodes), list[Value]()
    for value in outputs:
        again = value.name in {each.name for each in given}
        if again:
            copy = Value(f"{value.name}/output", value.type)
            nodes.append(Node(ops.Identity(), (value,), (copy,), nodes[-1].origin))
            value = copy  # noqa: PLW2901
        given.append(value)
    return Graph(body.name, body.inputs, tuple(given), tuple(nodes))


def _units(node: Node) -> int:
    return int(node.inputs[2].shape[0])


def _full(node: Node, graph: Rewrite, state: Value) -> Value:
    """Broadcast an initial state to every row."""
    final = node.outputs[1]
    if state.type == final.type:
        return state
    return graph.step(node, ops.BroadcastTo(final.shape), state, part="initial")


def _row(node: Node, graph: Rewrite, bias: Value, row: int) -> Value:
    array = graph.array(bias)
    if array is not None:
        return graph.constant(f"{bias.name}/{row}", array[row])
    part = graph.step(node, ops.Slice((0,), (row,), (row + 1,), (1,)), bias, part="bias")
    return graph.step(node, ops.Reshape(part.shape[1:]), part, part="bias_row")


def _columns(node: Node, graph: Rewrite, kernel: Value, start: int, stop: int) -> Value:
    array: Any = graph.array(kernel)
    if array is not None:
        return graph.constant(f"{kernel.name}/{start}", np.ascontiguousarray(array[:, start:stop]))
    return graph.step(node, ops.Slice((1,), (start,), (stop,), (1,)), kernel, part="columns")
