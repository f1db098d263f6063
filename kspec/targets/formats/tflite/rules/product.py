"""Matrix products, softmax and normalisation."""

from __future__ import annotations

import math

from kspec.compiler import ops
from kspec.compiler.ir import Node, Value
from kspec.compiler.table import Table
from kspec.targets.formats.tflite.builtins import (
    BatchMatMulOptions,
    FullyConnectedOptions,
    SoftmaxOptions,
)
from kspec.targets.formats.tflite.program import Emitter, Rule
from kspec.targets.formats.tflite.rules.convolution import FUSED, bias_of
from kspec.targets.formats.tflite.rules.elementwise import add, multiply
from kspec.targets.formats.tflite.rules.shape import arranged, reshape, sizes, transpose

rules: Table[Rule] = Table("tflite")

_MATMUL_RANK = 5
"""The greatest rank that the kernel supports."""


@rules(ops.Linear)
def _linear(op: ops.Linear, node: Node, out: Emitter) -> None:
    x, kernel = node.inputs[:2]
    weights = arranged(out, kernel, (1, 0))
    bias = bias_of(out, node, int(kernel.shape[1]))
    options = FullyConnectedOptions(x.type.rank > 2, fused_activation_function=FUSED[op.activation])
    if x.type.rank > 1:
        out.emit("FULLY_CONNECTED", x, weights, bias, options=options, into=node.output)
        return
    row = reshape(out, x, (1, *x.shape))
    type_ = x.type.with_shape(1, *node.output.shape)
    product = out.emit("FULLY_CONNECTED", row, weights, bias, options=options, type_=type_)
    reshape(out, product, node.output.shape, node.output)


@rules(ops.MatMul)
def _matmul(_op: ops.MatMul, node: Node, out: Emitter) -> None:
    """Write a matrix product; the second factor may be read transposed, which saves a transpose."""
    x, y = node.inputs
    if max(x.type.rank, y.type.rank) > _MATMUL_RANK:
        _matmul_flat(out, x, y, node.output)
        return
    moved = _last_two_swapped(out, y)
    options = BatchMatMulOptions(adj_y=moved is not None)
    out.emit("BATCH_MATMUL", x, moved or y, options=options, into=node.output)


def _matmul_flat(out: Emitter, x: Value, y: Value, into: Value) -> None:
    """Write a product with all leading axes merged; both factors are broadcast to them first."""
    lead = sizes(into.shape[:-2])
    flat = [_flattened(out, factor, lead) for factor in (x, y)]
    type_ = into.type.with_shape(math.prod(lead), *into.shape[-2:])
    product = out.emit("BATCH_MATMUL", *flat, options=BatchMatMulOptions(), type_=type_)
    reshape(out, product, into.shape, into)


def _flattened(out: Emitter, factor: Value, lead: tuple[int, ...]) -> Value:
    shape = (*lead, *sizes(factor.shape[-2:]))
    if factor.shape != shape:
        type_ = factor.type.with_shape(*shape)
        factor = out.emit("BROADCAST_TO", factor, out.integers(*shape), type_=type_)
    return reshape(out, factor, (math.prod(lead), *shape[-2:]))


def _last_two_swapped(out: Emitter, y: Value) -> Value | None:
    """Return the transpose of a factor if it is cheaper than the factor itself."""
    before = out.producer(y)
    if before is None or before.code != "TRANSPOSE":
        return None
    *lead, rows, columns = out.numbers(before.inputs[1])
    perm = (*lead, columns, rows)
    if columns == len(perm) - 1 or rows != len(perm) - 1:
        return None
    if perm == tuple(range(len(perm))):
        return before.inputs[0]
    return transpose(out, before.inputs[0], perm)


@rules(ops.Softmax, ops.LogSoftmax)
def _softmax(op: ops.Softmax | ops.LogSoftmax, node: Node, out: Emitter) -> None:
    """Write softmax; the axis is moved to the end, since the kernels use the last axis."""
    (x,) = node.inputs
    code, options = (
        ("SOFTMAX", SoftmaxOptions()) if isinstance(op, ops.Softmax) else ("LOG_SOFTMAX", None)
    )
    axis, last = op.axis % x.type.rank, x.type.rank - 1
    if axis == last:
        out.emit(code, x, options=options, into=node.output)
        return
    perm = list(range(x.type.rank))
    perm[axis], perm[last] = last, axis
    moved = transpose(out, x, perm)
    transpose(out, out.emit(code, moved, options=options), perm, node.output)


@rules(ops.BatchNorm)
def _batch_norm(op: ops.BatchNorm, node: Node, out: Emitter) -> None:
    """Write x · factor + summand, with factor = scale / √(variance + epsilon) and summand = offset
    - mean · factor, for computed statistics; the common passes fold constant ones."""
    x, scale, offset, mean, variance = node.inputs
    safe = add(out, variance, out.number(op.epsilon, x))
    factor = multiply(out, out.emit("RSQRT", safe), scale)
    shift = multiply(out, multiply(out, mean, factor), out.number(-1.0, x))
    shape = [1] * x.type.rank
    shape[op.axis] = sizes(x.shape)[op.axis]
    scaled = multiply(out, x, reshape(out, factor, tuple(shape)))
    add(out, scaled, reshape(out, add(out, shift, offset), tuple(shape)), node.output)
