"""Evaluation of a graph with one constant replaced; only nodes that depend on it run again."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from kspec.compiler import ops
from kspec.compiler.ir import Array, Graph, Node
from kspec.compiler.reference import evaluate, run_node
from kspec.compiler.reference.dimensions import Dimensions

NODE = 200_000
"""Overhead of one NumPy call, in multiplications."""


class Replay:
    """A graph evaluated once in float32 on some rows; every value is stored."""

    def __init__(self, graph: Graph, inputs: Mapping[str, Array]) -> None:
        self.graph = graph
        self.values = {**graph.constants, **evaluate(graph, inputs, keep=True)}
        self.outputs = {value.name: self.values[value.name] for value in graph.outputs}
        self._sizes = Dimensions()
        for value in graph.values():
            self._sizes.learn(value, self.values[value.name])

    def with_constant(self, name: str, array: Array) -> dict[str, Array]:
        """Return the outputs with another array for one constant."""
        values = {**self.values, name: array}
        for node in downstream(self.graph, name):
            run_node(node, values, self._sizes)
        return {value.name: values[value.name] for value in self.graph.outputs}


def downstream(graph: Graph, name: str) -> tuple[Node, ...]:
    """Return the nodes that depend on a value, in order."""
    reached, found = {name}, []
    for node in graph.nodes:
        if not reached.isdisjoint(value.name for value in node.inputs):
            reached.update(value.name for value in node.outputs)
            found.append(node)
    return tuple(found)


def cost(graph: Graph, nodes: tuple[Node, ...], values: Mapping[str, Array]) -> float:
    """Estimate the cost of nodes on the rows of ``values``, in multiplications."""
    return float(sum(NODE + _multiplications(graph, node, values) for node in nodes))


def _multiplications(graph: Graph, node: Node, values: Mapping[str, Array]) -> int:
    size = sum(values[value.name].size for value in node.outputs)
    kernels = [graph.constants[v.name] for v in node.inputs if v.name in graph.constants]
    inner = max((prod(each.shape[:-1]) for each in kernels if each.ndim > 1), default=1)
    if isinstance(node.op, ops.Gather):
        return size
    return size * inner
