"""Normalisation, products and resampling; for windowed operations see ``window``."""

# NumPy types arithmetic on arrays of any element type as Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array
from kspec.compiler.reference.window import activate
from kspec.compiler.table import Table

rules: Table[Callable[..., Array]] = Table("reference")


@rules(ops.BatchNorm)
def batch_norm(
    op: ops.BatchNorm, x: Array, scale: Array, offset: Array, mean: Array, variance: Array
) -> Array:
    shape = [1] * x.ndim
    shape[op.axis] = -1
    factor = scale / np.sqrt(variance + op.epsilon)
    return (x - mean.reshape(shape)) * factor.reshape(shape) + offset.reshape(shape)


@rules(ops.LayerNorm)
def layer_norm(op: ops.LayerNorm, x: Array, scale: Array, offset: Array) -> Array:
    wide = x.astype(np.float64)
    centred = wide - wide.mean(axis=-1, keepdims=True)
    deviation = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + op.epsilon)
    return (centred / deviation * scale + offset).astype(x.dtype)


@rules(ops.Softmax)
def softmax(op: ops.Softmax, x: Array) -> Array:
    powers = np.exp(x - x.max(axis=op.axis, keepdims=True))
    return powers / powers.sum(axis=op.axis, keepdims=True)


@rules(ops.LogSoftmax)
def log_softmax(op: ops.LogSoftmax, x: Array) -> Array:
    shifted = x - x.max(axis=op.axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=op.axis, keepdims=True))


@rules(ops.MatMul)
def matmul(_op: ops.MatMul, x: Array, y: Array) -> Array:
    return x @ y


@rules(ops.Linear)
def linear(op: ops.Linear, x: Array, kernel: Array, bias: Array | None = None) -> Array:
    product = np.tensordot(x, kernel, axes=1)
    return activate(op.activation, product if bias is None else product + bias)


@rules(ops.Resize)
def resize(op: ops.Resize, x: Array) -> Array:
    first = 1 if op.channels == "last" else 2
    resample = _nearest if op.interpolation == "nearest" else _linear
    for axis, size in enumerate(op.size, first):
        if size != x.shape[axis]:
            x = resample(x, axis, size)
    return x


def _nearest(x: Array, axis: int, size: int) -> Array:
    count = x.shape[axis]
    # Integers compute ⌊(i + 1/2) · count / size⌋ without rounding errors.
    return np.take(x, (2 * np.arange(size) + 1) * count // (2 * size), axis=axis)


def _linear(x: Array, axis: int, size: int) -> Array:
    count = x.shape[axis]
    place = ((np.arange(size) + 0.5) * (count / size) - 0.5).clip(0, count - 1)
    low = place.astype(np.intp)
    high = np.minimum(low + 1, count - 1)
    shape = [1] * x.ndim
    shape[axis] = -1
    share = (place - low).astype(x.dtype).reshape(shape)
    return np.take(x, low, axis=axis) * (1 - share) + np.take(x, high, axis=axis) * share
