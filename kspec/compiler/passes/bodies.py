"""Application of passes to the bodies of loops."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from kspec.compiler.ir import Array, Graph, Node, TensorType, Value
from kspec.compiler.names import Names
from kspec.compiler.ops import Scan


def within_bodies(graph: Graph, each: Callable[[Graph], Graph]) -> Graph:
    """Apply a pass to the body of every loop, at any depth. The pass reads the constants that the
    body captures; the body captures the constants that the pass adds."""
    if not any(isinstance(node.op, Scan) for node in graph.nodes):
        return graph
    constants = dict(graph.constants)
    names = Names((*(value.name for value in graph.values()), *constants))
    nodes = []
    for node in graph.nodes:
        if isinstance(node.op, Scan):
            body = within_bodies(opened(node, graph), each)
            node = _closed(node, each(body), constants, names)  # noqa: PLW2901
        nodes.append(node)
    return graph.with_nodes(tuple(nodes), constants)


def every_node(graph: Graph) -> Iterator[tuple[str, Node]]:
    """Yield all nodes, including nodes of bodies, each with the name of its outermost node."""
    for node in graph.nodes:
        yield node.name, node
        if isinstance(node.op, Scan):
            for _, inner in every_node(node.op.body):
                yield node.name, inner


def opened(node: Node, graph: Graph) -> Graph:
    """Return the body of a loop with its captured constants as constants of the body."""
    assert isinstance(node.op, Scan)
    pairs = list(zip(node.op.body.inputs, node.inputs, strict=True))
    first = node.op.states + node.op.scanned
    constants = {
        inside.name: graph.constants[outside.name]
        for inside, outside in pairs[first:]
        if outside.name in graph.constants
    }
    inputs = tuple(inside for inside, _ in pairs if inside.name not in constants)
    return replace(node.op.body, inputs=inputs, constants=constants)


def renamed(body: Graph, names: Mapping[str, Value]) -> Graph:
    """Return the graph with its values replaced."""

    def values(given: tuple[Value, ...]) -> tuple[Value, ...]:
        return tuple(names[value.name] for value in given)

    nodes = tuple(
        replace(node, inputs=values(node.inputs), outputs=values(node.outputs))
        for node in body.nodes
    )
    return Graph(body.name, values(body.inputs), values(body.outputs), nodes)


def _closed(node: Node, body: Graph, constants: dict[str, Array], names: Names) -> Node:
    """Return the loop with a rewritten body; the body's constants move to the outer graph."""
    op = node.op
    assert isinstance(op, Scan)
    outside = {
        inside.name: value for inside, value in zip(op.body.inputs, node.inputs, strict=True)
    }
    inputs, given = list(body.inputs), [outside[value.name] for value in body.inputs]
    for name, array in body.constants.items():
        inputs.append(Value(name, TensorType.of(array)))
        same = outside.get(name)
        if same is None or same.name not in constants or constants[same.name] is not array:
            same = Value(names.fresh(name), inputs[-1].type)
            constants[same.name] = np.asarray(array)
        given.append(same)
    closed = replace(body, inputs=tuple(inputs), constants={})
    return replace(node, op=replace(op, body=closed), inputs=tuple(given))
