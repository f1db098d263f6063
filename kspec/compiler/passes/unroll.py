"""Loops written out step by step, for formats that have none."""

from __future__ import annotations

from collections.abc import Iterable

from kspec.compiler import ops
from kspec.compiler.ir import Graph, Node, Value
from kspec.compiler.passes.remove_dead import remove_dead
from kspec.compiler.passes.rewrite import Rewrite, RewriteRule, rewrite
from kspec.compiler.table import Table

_rules: Table[RewriteRule] = Table("unroll")


def unroll(graph: Graph) -> Graph:
    """Write out every Scan over a known number of steps: the same operations, in the same order.
    One over a symbolic dimension stays."""
    while any(_is_static(node) for node in graph.nodes):
        graph = rewrite(graph, _rules)
    return remove_dead(graph)


def _is_static(node: Node) -> bool:
    return isinstance(node.op, ops.Scan) and isinstance(_steps(node), int)


def _steps(node: Node) -> int | str:
    assert isinstance(node.op, ops.Scan)
    return node.inputs[node.op.states].shape[1]


@_rules(ops.Scan)
def scan(node: Node, graph: Rewrite) -> tuple[Value, ...] | None:
    op, count = node.op, _steps(node)
    assert isinstance(op, ops.Scan)
    if not isinstance(count, int):
        return None
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
    """The outputs of a body for the inputs that are given."""
    names = (value.name for value in body.inputs)
    known = dict(zip(names, given, strict=True))
    for node in body.nodes:
        inputs = (known[value.name] for value in node.inputs)
        fresh = [graph.fresh(f"{name}/{value.name.rpartition('/')[2]}") for value in node.outputs]
        made = graph.emit_all(node.op, *inputs, names=fresh, origin=node.origin)
        known |= {old.name: new for old, new in zip(node.outputs, made, strict=True)}
    return tuple(known[value.name] for value in body.outputs)
