"""Replacement of divisions by constants with products."""

from __future__ import annotations

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Graph, Node, Value
from kspec.compiler.passes.rewrite import Rewrite, RewriteRule, rewrite
from kspec.compiler.table import Table

_rules: Table[RewriteRule] = Table("multiply_reciprocals")


@_rules(ops.Divide)
def multiply(node: Node, graph: Rewrite) -> Value | None:
    by = graph.array(node.inputs[1])
    if by is None or by.dtype.kind != "f":
        return None
    with np.errstate(divide="ignore", over="ignore"):
        reciprocal = (1 / by.astype(np.float64)).astype(by.dtype)
    sizes = np.abs(reciprocal)
    if not np.isfinite(sizes).all() or (sizes < np.finfo(by.dtype).tiny).any():
        return None
    factor = graph.constant(f"{node.name}/reciprocal", reciprocal)
    return graph.result(node, ops.Multiply(), node.inputs[0], factor)


def multiply_reciprocals(graph: Graph) -> Graph:
    """Replace each float division by a constant with a product, unless the reciprocal is subnormal
    or infinite; for formats whose division is slow or, on a GPU, wrong."""
    return rewrite(graph, _rules)
