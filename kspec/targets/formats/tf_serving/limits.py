"""What a SavedModel cannot hold: it is one protobuf message."""

from __future__ import annotations

from kspec.compiler.ir import Graph
from kspec.targets.formats.format import Refusal

LIMIT = 2**31 - 2**24
"""Bytes of weights in one message, with room left for nodes and names."""


def read_constants(graph: Graph) -> list[str]:
    """The constants that nodes read, in the order in which they are written."""
    names = {value.name for node in graph.nodes for value in node.inputs}
    return sorted(names & graph.constants.keys())


def beyond_limit(graph: Graph, limit: int = LIMIT) -> tuple[Refusal, ...]:
    """A refusal of the node with the most weights, if all do not fit."""
    sizes = {name: graph.constants[name].nbytes for name in read_constants(graph)}
    total = sum(sizes.values())
    if total <= limit:
        return ()
    largest = max(sizes, key=sizes.__getitem__)
    node = graph.consumers()[largest][0]
    reason = f"the network has {total:,} bytes of weights, a SavedModel holds {limit:,}"
    return (Refusal(node.name, type(node.op).__name__, reason),)
