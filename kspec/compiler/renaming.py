"""Renaming of a graph's values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from kspec.compiler.ir import Graph, Node, Value


def renamed(graph: Graph, names: Mapping[str, str], outputs: Iterable[str]) -> Graph:
    """Return the graph with new names for values and constants; ``outputs`` lists the new names of
    the values that become the graph's outputs."""
    nodes = tuple(_renamed(node, names) for node in graph.nodes)
    values = {value.name: value for node in nodes for value in node.outputs}
    constants = {names.get(key, key): array for key, array in graph.constants.items()}
    found = tuple(values[output] for output in outputs)
    return replace(graph, outputs=found, nodes=nodes, constants=constants)


def _renamed(node: Node, names: Mapping[str, str]) -> Node:
    def values(given: tuple[Value, ...]) -> tuple[Value, ...]:
        return tuple(replace(each, name=names.get(each.name, each.name)) for each in given)

    return replace(node, inputs=values(node.inputs), outputs=values(node.outputs))
