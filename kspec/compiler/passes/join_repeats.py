"""Joining of repeats along height and width into one nearest resize."""

from __future__ import annotations

from kspec.compiler.ir import Graph, Node, Value
from kspec.compiler.ops import Repeat, Resize
from kspec.compiler.passes.rewrite import Rewrite, RewriteRule, rewrite
from kspec.compiler.table import Table

_rules: Table[RewriteRule] = Table("join_repeats")

_RANK = 4
_SPATIAL = {1, 2}


@_rules(Repeat)
def join(node: Node, graph: Rewrite) -> Value | None:
    before = graph.producer(node.inputs[0], Repeat)
    if before is None:
        return None
    (x,), shape = before.inputs, node.output.shape
    if x.type.rank != _RANK or not x.dtype.is_float:
        return None
    if {_axis(before), _axis(node)} != _SPATIAL:
        return None
    height, width = shape[1:3]
    if not isinstance(height, int) or not isinstance(width, int):
        return None
    return graph.result(node, Resize((height, width), "nearest", "last"), x)


def join_repeats(graph: Graph) -> Graph:
    """Replace two Repeats, along the height and the width of [batch, height, width, channels] of
    known size, by one Resize. For whole factors both are exactly equal. Runtimes resize in one pass
    over the image; a single Repeat becomes a gather."""
    return rewrite(graph, _rules)


def _axis(node: Node) -> int:
    assert isinstance(node.op, Repeat)
    return node.op.axis % node.output.type.rank
