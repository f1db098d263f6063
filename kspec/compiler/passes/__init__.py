"""Passes: pure functions from graph to graph, listed in literal tuples."""

from __future__ import annotations

from collections.abc import Callable

from kspec.compiler.ir import Graph
from kspec.compiler.passes.bodies import within_bodies

Pass = Callable[[Graph], Graph]


def run_passes(graph: Graph, passes: tuple[Pass, ...]) -> Graph:
    """The graph with each pass applied in turn, to the bodies of its loops as well."""
    for each in passes:
        graph = within_bodies(each(graph), each)
    return graph
