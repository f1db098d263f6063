"""The nodes that a format refuses: ops without a rule, nodes beyond a limit, and too large
weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kspec.compiler.ir import Graph, Node
from kspec.compiler.ops import Scan
from kspec.compiler.passes.bodies import opened
from kspec.compiler.table import Table
from kspec.targets.formats.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Language:
    """The ops that a format can express: its rules by op, and its limits by op or base class."""

    name: str
    rules: Table[Any]
    limits: Mapping[type, Callable[[Node, Graph], str | None]]


def beyond_limits(language: Language, graph: Graph) -> Iterator[Refusal]:
    """Yield a refusal for each node without a rule or beyond a limit. A node in the body of a loop
    is reported under the name of the outermost loop."""
    for node in graph.nodes:
        if isinstance(node.op, Scan):
            body = replace(opened(node, graph), inputs=graph.inputs)
            yield from (replace(each, node=node.name) for each in beyond_limits(language, body))
        if reason := _reason(language, node, graph):
            yield Refusal(node.name, type(node.op).__name__, reason)


def _reason(language: Language, node: Node, graph: Graph) -> str | None:
    kind = type(node.op)
    if kind not in language.rules:
        return language.rules.refused.get(kind, f"{language.name} has no rule for it")
    checks = (language.limits[each] for each in reversed(kind.__mro__) if each in language.limits)
    return next(filter(None, (check(node, graph) for check in checks)), None)


def read_constants(graph: Graph) -> list[str]:
    """Return the names of the constants that nodes read, sorted."""
    names = {value.name for node in graph.nodes for value in node.inputs}
    return sorted(names & graph.constants.keys())


def beyond_bytes(name: str, graph: Graph, limit: int | None) -> tuple[Refusal, ...]:
    """Return a refusal of the node with the largest weights if all weights exceed the limit."""
    if limit is None:
        return ()
    sizes = {each: graph.constants[each].nbytes for each in read_constants(graph)}
    total = sum(sizes.values())
    if total <= limit:
        return ()
    largest = max(sizes, key=sizes.__getitem__)
    node = graph.consumers()[largest][0]
    reason = f"the network has {total:,} bytes of weights; a {name} artifact holds {limit:,}"
    return (Refusal(node.name, type(node.op).__name__, reason),)
