"""Unrolling of short loops."""

from __future__ import annotations

import math
from collections.abc import Iterable

from kspec.compiler import ops
from kspec.compiler.ir import Graph, Node, Value
from kspec.compiler.passes import Pass
from kspec.compiler.passes.remove_dead import remove_dead
from kspec.compiler.passes.rewrite import Rewrite, rewrite
from kspec.compiler.table import Table

SHORT = 64
"""Greatest number of unrolled nodes of a short loop; a call of the loop takes about as many
bytes."""


def unroll(most: float = math.inf) -> Pass:
    """Return a pass that unrolls each Scan over a known number of steps into at most ``most``
    nodes: the same operations, in the same order. A Scan over a symbolic dimension stays."""

    def is_short(node: Node) -> bool:
        return isinstance(node.op, ops.Scan) and _length(node) <= most

    def written_out(node: Node, graph: Rewrite) -> tuple[Value, ...] | None:
        return _written_out(node, graph) if is_short(node) else None

    def run(graph: Graph) -> Graph:
        while any(is_short(node) for node in graph.nodes):
            graph = rewrite(graph, Table("unroll", {ops.Scan: written_out}))
        return remove_dead(graph)

    return run


def _length(node: Node) -> float:
    """Return the number of nodes of an unrolled loop."""
    assert isinstance(node.op, ops.Scan)
    count = _steps(node)
    return count * len(node.op.body.nodes) if isinstance(count, int) else math.nan


def _steps(node: Node) -> int | str:
    assert isinstance(node.op, ops.Scan)
    return node.inputs[node.op.states].shape[1]


def _written_out(node: Node, graph: Rewrite) -> tuple[Value, ...]:
    op, count = node.op, _steps(node)
    assert isinstance(op, ops.Scan)
    assert isinstance(count, int)
    states, rest = node.inputs[: op.states], node.inputs[op.states :]
    sequences, captured = rest[: op.scanned], rest[op.scanned :]
    parts = [list(_taken_apart(node, graph, each, count)) for each in sequences]
    kept: list[tuple[Value, ...]] = [()] * count
    for t in range(count) if op.direction == "forward" else range(count - 1, -1, -1):
        given = (*states, *(each[t] for each in parts), *captured)
        results = _inlined(op.body, given, graph, f"{node.name}/{t}")
        states, kept[t] = results[: op.states], results[op.states :]
    outputs = node.outputs[op.states :]
    rows = zip(outputs, zip(*kept, strict=True), strict=True)
    return (*states, *(_put_together(node, graph, output, each) for output, each in rows))


def _taken_apart(node: Node, graph: Rewrite, sequence: Value, count: int) -> Iterable[Value]:
    shape = (sequence.shape[0], *sequence.shape[2:])
    for t in range(count):
        part = sequence
        if count > 1:
            part = graph.step(node, ops.Slice((1,), (t,), (t + 1,), (1,)), sequence, part="part")
        yield graph.step(node, ops.Reshape(shape), part, part="step")


def _put_together(node: Node, graph: Rewrite, output: Value, steps: tuple[Value, ...]) -> Value:
    wide = [
        graph.step(node, ops.Reshape((each.shape[0], 1, *each.shape[1:])), each, part="wide")
        for each in steps
    ]
    return graph.emit(ops.Concat(1), *wide, name=output.name, origin=node.origin)


def _inlined(body: Graph, given: tuple[Value, ...], graph: Rewrite, name: str) -> tuple[Value, ...]:
    """Add the nodes of a body with the given inputs and return its outputs."""
    names = (value.name for value in body.inputs)
    known = dict(zip(names, given, strict=True))
    for node in body.nodes:
        inputs = (known[value.name] for value in node.inputs)
        fresh = [graph.fresh(f"{name}/{value.name.rpartition('/')[2]}") for value in node.outputs]
        made = graph.emit_all(node.op, *inputs, names=fresh, origin=node.origin)
        known |= {old.name: new for old, new in zip(node.outputs, made, strict=True)}
    return tuple(known[value.name] for value in body.outputs)
