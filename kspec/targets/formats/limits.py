"""The nodes that a format refuses: ops without a rule, limits node by node, and too many bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kspec.compiler.ir import Graph, Node
from kspec.compiler.ops import Scan
from kspec.compiler.passes.bodies import opened
from kspec.targets.formats.format import Format, Refusal


def beyond_limits(format_: Format[Any], graph: Graph) -> Iterator[Refusal]:
    """A refusal for each node without a rule or beyond a limit. A node in the body of a loop is
    reported under the name of the outermost loop."""
    for node in graph.nodes:
        if isinstance(node.op, Scan):
            body = replace(opened(node, graph), inputs=graph.inputs)
            yield from (replace(each, node=node.name) for each in beyond_limits(format_, body))
        if reason := _reason(format_, node, graph):
            yield Refusal(node.name, type(node.op).__name__, reason)


def _reason(format_: Format[Any], node: Node, graph: Graph) -> str | None:
    kind = type(node.op)
    if kind not in format_.rules:
        return format_.rules.refused.get(kind, f"{format_.name} has no rule for it")
    checks = (format_.limits[each] for each in reversed(kind.__mro__) if each in format_.limits)
    return next(filter(None, (check(node, graph) for check in checks)), None)


def read_constants(graph: Graph) -> list[str]:
    """The names of the constants that nodes read, sorted."""
    names = {value.name for node in graph.nodes for value in node.inputs}
    return sorted(names & graph.constants.keys())


def beyond_bytes(name: str, graph: Graph, limit: int | None) -> tuple[Refusal, ...]:
    """A refusal of the node with the largest weights if all weights together exceed the limit."""
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
