"""Rewriting of channel-wise operations between convolutions so that they work channels-first."""

from __future__ import annotations

import math

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array, Dim, Graph, Node, Value
from kspec.compiler.ops.base import Elementwise
from kspec.compiler.passes.decompose import DECOMPOSITIONS
from kspec.compiler.passes.rewrite import Rewrite, RewriteRule, rewrite
from kspec.compiler.table import Table

SEEDS = (ops.Conv, ops.ConvTranspose, ops.MaxPool, ops.AveragePool, ops.Resize)
"""Operations that start a channels-first region."""
_MIXERS = (ops.Linear, ops.LayerNorm)
_CONTINUING = (*_MIXERS, Elementwise, ops.Concat, ops.Pad, ops.Slice, ops.Cast)
_SEQUENTIAL = (ops.Recurrent, ops.Scan)


def as_convolutions(graph: Graph) -> Graph:
    """Rewrite each Linear after a convolution as a pointwise convolution, and each LayerNorm as
    means and elementwise operations, so that no operation between two convolutions requires
    channels last. If a Reshape turns the output of a Linear into an image, the Linear yields
    channels-first order.

    Sequences that attention or recurrent layers read are not changed.
    """
    behind = _behind_convolutions(graph)
    sequences = sequential(graph)
    rules: Table[RewriteRule] = Table("as_convolutions")

    @rules(*_MIXERS)
    def mix(node: Node, under_way: Rewrite) -> Value | None:
        if node.name not in behind or node.name in sequences:
            return None
        if isinstance(node.op, ops.Linear):
            return _convolution(node, under_way)
        value = DECOMPOSITIONS[ops.LayerNorm](node, under_way)
        assert isinstance(value, Value)
        return value

    rules(ops.Reshape)(_picture)
    return rewrite(graph, rules)


def sequential(graph: Graph) -> set[str]:
    """Return the values of rank 3 that reach attention or a recurrent layer before the next
    convolution: channels last is faster for them."""
    reaching: set[str] = set()
    for node in reversed(graph.nodes):
        product = isinstance(node.op, ops.MatMul) and node.inputs[1].name not in graph.constants
        leads = any(output.name in reaching for output in node.outputs)
        if (
            isinstance(node.op, _SEQUENTIAL)
            or product
            or (leads and not isinstance(node.op, SEEDS))
        ):
            reaching.update(value.name for value in node.inputs)
    return {
        value.name for value in graph.values() if value.type.rank == 3 and value.name in reaching
    }


def _behind_convolutions(graph: Graph) -> set[str]:
    """Return the values that depend on a convolution, pooling or resizing and have its axes. A
    value of rank 3 counts only if no other value was mixed into it."""
    found: set[str] = set()
    computed = {output.name for node in graph.nodes for output in node.outputs}
    for node in graph.nodes:
        rank = node.outputs[0].type.rank
        same = {value.name for value in node.inputs if value.type.rank == rank} & computed
        inherited = same & found if rank > 3 else same and same <= found
        if isinstance(node.op, SEEDS) or (isinstance(node.op, _CONTINUING) and inherited):
            found.add(node.name)
    return found


def _convolution(node: Node, graph: Rewrite) -> Value | None:
    """Rewrite a product along the channels as a pointwise convolution."""
    x, kernel, *bias = node.inputs
    array, axes = graph.array(kernel), x.type.rank - 2
    if array is None or axes < 1:
        return None
    assert isinstance(node.op, ops.Linear)
    wide = graph.constant(f"{node.name}/kernel", array.reshape((1,) * axes + array.shape))
    ones, none = (1,) * axes, ((0, 0),) * axes
    op = ops.Conv(ones, none, "last", ones, activation=node.op.activation)
    return graph.result(node, op, x, wide, *bias)


def _picture(node: Node, graph: Rewrite) -> Value | None:
    """Rewrite a Reshape of (batch, elements) to (batch, …spatial, channels). If a Linear (possibly
    through elementwise operations) produces the elements, permute its columns so that the Reshape
    yields channels-first order."""
    (x,), shape = node.inputs, node.output.shape
    if x.type.rank != 2 or len(shape) < 3 or shape[0] != x.shape[0]:
        return None
    sizes = [dim for dim in shape[1:] if isinstance(dim, int)]
    readers = [each.op for each in graph.graph.consumers().get(node.name, ())]
    if len(sizes) < len(shape) - 1 or not any(isinstance(op, SEEDS) for op in readers):
        return None
    order = np.arange(math.prod(sizes)).reshape(sizes)
    moved = _permuted(x, np.moveaxis(order, -1, 0).reshape(-1), graph)
    if moved is None:
        return None
    first: tuple[Dim, ...] = (shape[0], shape[-1], *shape[1:-1])
    picture = graph.step(node, ops.Reshape(first), moved, part="channels_first")
    return graph.result(node, ops.Transpose((0, *range(2, len(shape)), 1)), picture)


def _permuted(x: Value, order: Array, graph: Rewrite) -> Value | None:
    """Return the value with its last axis permuted, or None if that would add operations."""
    node = graph.producer(x, ops.Linear, Elementwise)
    if node is None:
        return None
    if isinstance(node.op, ops.Linear):
        source, *weights = node.inputs
        arrays = [graph.array(value) for value in weights]
        if any(array is None for array in arrays):
            return None
        ordered = [
            graph.constant(f"{value.name}/channels_first", np.asarray(array)[..., order])
            for value, array in zip(weights, arrays, strict=True)
        ]
        return graph.step(node, node.op, source, *ordered, part="channels_first")
    if len(node.inputs) != 1 or isinstance(node.op, ops.Softmax | ops.LogSoftmax | ops.CumSum):
        return None
    before = _permuted(node.inputs[0], order, graph)
    return before and graph.step(node, node.op, before, part="channels_first")
