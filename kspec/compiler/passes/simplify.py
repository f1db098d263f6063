"""Removal of operations without effect, and merging of adjacent operations."""

from __future__ import annotations

from dataclasses import replace

from kspec.compiler import ops
from kspec.compiler.ir import Graph, Node, Value
from kspec.compiler.passes.rewrite import Rewrite, RewriteRule, rewrite
from kspec.compiler.table import Table

_rules: Table[RewriteRule] = Table("simplify")


@_rules(ops.Identity, ops.BroadcastTo, ops.Pad, ops.Slice, ops.Tile, ops.Repeat, ops.Cast)
def drop_unchanged(node: Node, _graph: Rewrite) -> Value | None:
    """Drop an operation that keeps the type; these operations then keep the elements too."""
    (x, *_), output = node.inputs, node.output
    return x if x.type == output.type else None


@_rules(ops.Reshape)
def merge_reshapes(node: Node, graph: Rewrite) -> Value | None:
    (x,) = node.inputs
    before = graph.producers.get(x.name)
    if kept := _kept_axes(node, graph):
        return kept
    merged = before is not None and isinstance(before.op, ops.Reshape)
    if before is not None and merged:
        (x,) = before.inputs
    if x.type == node.output.type:
        return x
    return graph.result(node, node.op, x) if merged else None


def _kept_axes(node: Node, graph: Rewrite) -> Value | None:
    """Rewrite a reduction and the reshape that restores its axes as one with ``keepdims``."""
    before = graph.producer(node.inputs[0], ops.Reduction)
    if before is None:
        return None
    op = before.op
    assert isinstance(op, ops.Reduction)
    kept = replace(op, keepdims=True)
    if kept.infer(*(value.type for value in before.inputs)) != (node.output.type,):
        return None
    return graph.result(node, kept, *before.inputs)


@_rules(ops.Transpose)
def merge_transposes(node: Node, graph: Rewrite) -> Value | None:
    assert isinstance(node.op, ops.Transpose)
    (x,), perm = node.inputs, node.op.perm
    before = graph.producers.get(x.name)
    if before is not None and isinstance(before.op, ops.Transpose):
        x, perm = before.inputs[0], tuple(before.op.perm[axis] for axis in perm)
        if perm != tuple(range(len(perm))):
            return graph.result(node, ops.Transpose(perm), x)
    return x if perm == tuple(range(len(perm))) else None


@_rules(ops.Concat)
def drop_single(node: Node, _graph: Rewrite) -> Value | None:
    return node.inputs[0] if len(node.inputs) == 1 else None


@_rules(ops.Add, ops.Multiply)
def drop_neutral(node: Node, graph: Rewrite) -> Value | None:
    """Drop x + 0 and 1 · x if broadcasting keeps the shape of x."""
    neutral = 0.0 if isinstance(node.op, ops.Add) else 1.0
    for x, other in (node.inputs, reversed(node.inputs)):
        if x.type == node.output.type and graph.scalar(other) == neutral:
            return x
    return None


@_rules(ops.Clip)
def name_clip(node: Node, graph: Rewrite) -> Value | None:
    if node.op == ops.Clip(minimum=0.0):
        return graph.result(node, ops.Relu(), *node.inputs)
    return None


@_rules(ops.Conv)
def merge_padding(node: Node, graph: Rewrite) -> Value | None:
    """Merge a Pad with zeros into the padding of the convolution."""
    op = node.op
    assert isinstance(op, ops.Conv)
    before = graph.producers.get(node.inputs[0].name)
    if before is None or not isinstance(before.op, ops.Pad) or op.channels != "last":
        return None
    pad = before.op
    ends = (pad.low[0], pad.high[0], pad.low[-1], pad.high[-1])
    if op.padding == "same" or pad.mode != "constant" or pad.value != 0 or any(ends):
        return None
    rows = zip(op.padding, pad.low[1:-1], pad.high[1:-1], strict=True)
    merged = replace(op, padding=tuple((a + low, b + high) for (a, b), low, high in rows))
    return graph.result(node, merged, before.inputs[0], *node.inputs[1:])


def simplify(graph: Graph) -> Graph:
    """Drop operations without effect; merge reshapes, transposes, and padding into convolutions."""
    return rewrite(graph, _rules)
