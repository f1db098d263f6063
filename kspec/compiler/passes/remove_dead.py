"""Dead-code elimination."""

from __future__ import annotations

from kspec.compiler.ir import Graph


def remove_dead(graph: Graph) -> Graph:
    """Drop nodes and constants that no output depends on. Public inputs stay, used or not."""
    needed = {value.name for value in graph.outputs}
    kept = []
    for node in reversed(graph.nodes):
        if any(output.name in needed for output in node.outputs):
            kept.append(node)
            needed.update(value.name for value in node.inputs)
    constants = {name: array for name, array in graph.constants.items() if name in needed}
    return graph.with_nodes(tuple(reversed(kept)), constants)
