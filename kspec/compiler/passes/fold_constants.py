"""Constant folding."""

from __future__ import annotations

import numpy as np

from kspec.compiler.ir import Graph, Node, Value
from kspec.compiler.ops import OPS, BroadcastTo, Identity, Recurrent, Scan, Tile
from kspec.compiler.passes.rewrite import Rewrite, RewriteRule, rewrite
from kspec.compiler.reference import RULES
from kspec.compiler.table import Table

_rules: Table[RewriteRule] = Table("fold_constants")


_SPARED = (BroadcastTo, Tile, Identity, Recurrent, Scan)


@_rules(*(op for op in OPS.values() if not issubclass(op, _SPARED)))
def fold(node: Node, graph: Rewrite) -> Value | None:
    """Evaluate a node whose inputs are all constants. BroadcastTo and Tile are excluded: their
    results are larger than their inputs. An Identity of a constant names an output. Loops depend
    on their input."""
    arrays = [graph.array(value) for value in node.inputs]
    if len(node.outputs) > 1 or not arrays or any(array is None for array in arrays):
        return None
    with np.errstate(all="ignore"):  # the node would return the same infinities and NaNs
        result = RULES[type(node.op)](node.op, *arrays)
    return graph.constant(node.name, np.asarray(result, node.output.dtype.numpy))


def fold_constants(graph: Graph) -> Graph:
    """Replace every node whose inputs are all constants by its result."""
    return rewrite(graph, _rules)
