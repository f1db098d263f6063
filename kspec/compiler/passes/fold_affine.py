"""Folding of per-channel scales and shifts into the preceding linear operation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array, Graph, Node, Value
from kspec.compiler.passes.rewrite import Rewrite, RewriteRule, rewrite
from kspec.compiler.table import Table

_rules: Table[RewriteRule] = Table("fold_affine")

LINEAR = (ops.Conv, ops.ConvTranspose, ops.Linear)

_OF_OPERAND: dict[type[ops.Op], Callable[[Array], tuple[Array, Array]]] = {
    ops.Add: lambda c: (np.ones_like(c), c),
    ops.Subtract: lambda c: (np.ones_like(c), -c),
    ops.Multiply: lambda c: (c, np.zeros_like(c)),
    ops.Divide: lambda c: (1 / c, np.zeros_like(c)),
}
"""(scale, offset) of ``x ∘ c``, in float64."""


@_rules(ops.MatMul)
def matmul_to_linear(node: Node, graph: Rewrite) -> Value | None:
    kernel = graph.array(node.inputs[1])
    if kernel is None or kernel.ndim != 2 or not node.output.dtype.is_float:
        return None
    return graph.result(node, ops.Linear(), *node.inputs)


@_rules(*_OF_OPERAND)
def fold_operand(node: Node, graph: Rewrite) -> Value | None:
    pairs = [node.inputs]
    if isinstance(node.op, ops.Add | ops.Multiply):
        pairs.append((node.inputs[1], node.inputs[0]))
    for x, operand in pairs:
        vector = _per_channel(graph.array(operand), node.output)
        if vector is not None and x.type == node.output.type:
            with np.errstate(divide="ignore"):
                scale, offset = _OF_OPERAND[type(node.op)](vector.astype(np.float64))
            return _fold(node, x, scale, offset, graph)
    return None


@_rules(ops.BatchNorm)
def fold_batch_norm(node: Node, graph: Rewrite) -> Value | None:
    """Fold scale' = scale / √(variance + epsilon), offset' = offset - mean · scale' into the
    preceding linear operation, or write a product and a sum."""
    op, x = node.op, node.inputs[0]
    assert isinstance(op, ops.BatchNorm)
    arrays = [graph.array(value) for value in node.inputs[1:]]
    if any(array is None for array in arrays):
        return None
    gamma, beta, mean, variance = (np.asarray(array, np.float64) for array in arrays)
    scale = gamma / np.sqrt(variance + op.epsilon)
    offset = beta - mean * scale
    if op.axis in (-1, x.type.rank - 1):
        folded = _fold(node, x, scale, offset, graph)
        if folded is not None:
            return folded
    shape = [1] * x.type.rank
    shape[op.axis] = -1
    dtype = x.dtype.numpy
    factor = graph.constant(f"{node.name}/scale", scale.reshape(shape).astype(dtype))
    summand = graph.constant(f"{node.name}/offset", offset.reshape(shape).astype(dtype))
    scaled = graph.step(node, ops.Multiply(), x, factor, part="scaled")
    return graph.result(node, ops.Add(), scaled, summand)


def fold_affine(graph: Graph) -> Graph:
    """Rewrite products with constant matrices as Linear, and fold BatchNorm and constant
    per-channel sums and products into Conv, ConvTranspose and Linear."""
    return rewrite(graph, _rules)


def _per_channel(array: Array | None, output: Value) -> Array | None:
    """Return the constant as a vector over the last axis, or None if it varies along others."""
    if array is None or not output.dtype.is_float or array.ndim > output.type.rank:
        return None
    channels = output.shape[-1] if output.shape else 1
    if not isinstance(channels, int) or array.size not in (1, channels):
        return None
    if array.size > 1 and array.shape[-1] != channels:
        return None
    return np.broadcast_to(array.reshape(-1), (channels,))


def _fold(node: Node, x: Value, scale: Array, offset: Array, graph: Rewrite) -> Value | None:
    before = graph.producer(x, *LINEAR)
    if before is None or getattr(before.op, "activation", "linear") != "linear":
        return None
    if getattr(before.op, "channels", "last") != "last":
        return None
    arrays = [graph.array(value) for value in before.inputs[1:]]
    if any(array is None for array in arrays):
        return None
    kernel = np.asarray(arrays[0], np.float64)
    bias = np.zeros(1) if len(arrays) == 1 else np.asarray(arrays[1], np.float64)
    column = scale[:, None] if isinstance(before.op, ops.ConvTranspose) else scale
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = (kernel * column).astype(x.dtype.numpy)
        shifted = np.broadcast_to(bias * scale + offset, scale.shape).astype(x.dtype.numpy)
    if not (np.isfinite(scaled).all() and np.isfinite(shifted).all()):
        return None  # an infinite factor would turn the kernel's zeros into NaN
    inputs = list(before.inputs[:2])
    if not (scale == 1).all():
        inputs[1] = graph.constant(f"{node.name}/kernel", scaled)
    inputs.append(graph.constant(f"{node.name}/bias", shifted))
    return graph.result(node, before.op, *inputs)
