"""Merging of nodes that compute the same values."""

from __future__ import annotations

from dataclasses import replace

from kspec.compiler.ir import Graph, Value
from kspec.compiler.ops import Op, Scan


def merge_equal(graph: Graph) -> Graph:
    """Replace a node that repeats another (the same operation on the same inputs) by the first.
    Nodes with a public output stay, for the name; loops stay too."""
    public = {value.name for value in graph.outputs}
    given: dict[tuple[Op, tuple[str, ...]], tuple[Value, ...]] = {}
    same: dict[str, Value] = {}
    nodes = []
    for old in graph.nodes:
        node = replace(old, inputs=tuple(same.get(value.name, value) for value in old.inputs))
        if not isinstance(node.op, Scan):
            key = node.op, tuple(value.name for value in node.inputs)
            known = given.setdefault(key, node.outputs)
            if known != node.outputs and public.isdisjoint(v.name for v in node.outputs):
                same |= {v.name: first for v, first in zip(node.outputs, known, strict=True)}
                continue
        nodes.append(node)
    return graph.with_nodes(tuple(nodes)) if same else graph
