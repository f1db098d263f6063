"""Passes: pure functions from graph to graph, listed in literal tuples."""

from __future__ import annotations

from collections.abc import Callable

from kspec.compiler.ir import Graph

Pass = Callable[[Graph], Graph]


def run_passes(graph: Graph, passes: tuple[Pass, ...]) -> Graph:
    for each in passes:
        graph = each(graph)
    return graph
