"""Fusion of activations into the preceding convolution or linear operation."""

from __future__ import annotations

from dataclasses import replace

from kspec.compiler import ops
from kspec.compiler.ir import Graph, Node, Value
from kspec.compiler.ops.neural import Activation
from kspec.compiler.passes.rewrite import Rewrite, RewriteRule, rewrite
from kspec.compiler.table import Table

_rules: Table[RewriteRule] = Table("fuse_activations")

_NAMES: dict[ops.Op, Activation] = {ops.Relu(): "relu", ops.Clip(0.0, 6.0): "relu6"}


@_rules(ops.Relu, ops.Clip)
def fuse(node: Node, graph: Rewrite) -> Value | None:
    before = graph.producer(node.inputs[0], ops.Conv, ops.Linear)
    activation = _NAMES.get(node.op)
    if before is None or activation is None:
        return None
    assert isinstance(before.op, ops.Conv | ops.Linear)
    if before.op.activation != "linear":
        return None
    return graph.result(node, replace(before.op, activation=activation), *before.inputs)


def fuse_activations(graph: Graph) -> Graph:
    """Fuse a Relu, or a Clip to [0, 6], into the ``activation`` of a Conv or Linear if nothing else
    reads its output; for formats whose kernels include an activation."""
    return rewrite(graph, _rules)
