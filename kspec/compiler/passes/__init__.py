"""Passes: pure functions from graph to graph, listed in literal tuples."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kspec.compiler.ir import Graph
from kspec.compiler.passes.bodies import within_bodies

Pass = Callable[[Graph], Graph]

_FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)


class PassError(ValueError):
    """A pass that failed. The message names it and the passes that ran before; the cause is the
    error that the pass raised."""

    def __init__(self, name: str, before: Sequence[str], reason: str) -> None:
        ran = f" (after {', '.join(before)})" if before else ""
        super().__init__(f"the pass {name} failed{ran}: {reason}")
        self.name = name
        self.before = tuple(before)


def run_passes(graph: Graph, passes: tuple[Pass, ...]) -> Graph:
    """Apply each pass in turn to a graph and the bodies of its loops. Raises PassError if a pass
    raises an error or changes the names of inputs or outputs."""
    before: list[str] = []
    for each in passes:
        name = pass_name(each)
        try:
            changed = within_bodies(each(graph), each)
        except _FAULTS as error:
            reason = str(error) or type(error).__name__
            raise PassError(name, before, reason) from error
        if _public(changed) != _public(graph):
            raise PassError(name, before, "it changed the names of inputs or outputs")
        graph = changed
        before.append(name)
    return graph


def pass_name(each: Pass) -> str:
    """Return the name of a pass: the name of its function, or of the function that created it."""
    name: str = getattr(each, "__qualname__", type(each).__qualname__)
    return name.partition(".")[0]


def _public(graph: Graph) -> tuple[list[str], list[str]]:
    return [value.name for value in graph.inputs], [value.name for value in graph.outputs]
