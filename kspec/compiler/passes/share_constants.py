"""Keep one of several equal constants."""

from __future__ import annotations

from dataclasses import replace

from kspec.compiler.ir import Array, Graph, Value


def share_constants(graph: Graph) -> Graph:
    """Let nodes that read equal constants (type, shape and bytes) read the first of them. One that
    is an output stays, for its name."""
    first: dict[tuple[str, tuple[int, ...], bytes], str] = {}
    same = {name: first.setdefault(_key(array), name) for name, array in graph.constants.items()}
    if len(first) == len(same):
        return graph
    public = {value.name for value in graph.outputs}
    nodes = tuple(
        replace(node, inputs=tuple(_shared(value, same) for value in node.inputs))
        for node in graph.nodes
    )
    kept = public.union(first.values())
    constants = {name: array for name, array in graph.constants.items() if name in kept}
    return graph.with_nodes(nodes, constants)


def _key(array: Array) -> tuple[str, tuple[int, ...], bytes]:
    return array.dtype.str, array.shape, array.tobytes()


def _shared(value: Value, same: dict[str, str]) -> Value:
    return replace(value, name=same.get(value.name, value.name))
