"""Convolutions and pooling: a sum, or a maximum, over the taps of a window.

The elements that one tap reads at all window positions are a strided slice of the padded input. The
loop over taps supports any rank, stride, dilation and number of groups, needs no copy of all
windows, and computes one matrix product per tap.
"""

# NumPy types arithmetic on arrays of any element type as Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import reduce

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array
from kspec.compiler.ops.neural import Pairs
from kspec.compiler.table import Table

rules: Table[Callable[..., Array]] = Table("reference")

Tap = tuple[int, ...]
Index = tuple[slice, ...]


def activate(activation: str, x: Array) -> Array:
    match activation:
        case "linear":
            return x
        case "relu":
            return np.maximum(x, x.dtype.type(0))
        case "relu6":
            return np.clip(x, x.dtype.type(0), x.dtype.type(6))
    raise ValueError(f"no activation {activation}")


@rules(ops.Conv)
def conv(op: ops.Conv, x: Array, kernel: Array, bias: Array | None = None) -> Array:
    x = _channels_last(op, x)
    if op.channels == "first":
        kernel = np.moveaxis(kernel, (0, 1), (-1, -2))
    window, filters = kernel.shape[:-2], kernel.shape[-1]
    padded = _pad(x, op.pads(x.shape[1:-1], window, op.dilations), 0)
    spatial = _places(padded, window, op.strides, op.dilations)
    out = np.zeros((x.shape[0], *spatial, filters), x.dtype)
    for tap, index in _taps(window, spatial, op.strides, op.dilations):
        out += _multiply(padded[index], kernel[tap], op.groups)
    return _finish(op, activate(op.activation, out if bias is None else out + bias))


@rules(ops.ConvTranspose)
def conv_transpose(
    op: ops.ConvTranspose, x: Array, kernel: Array, bias: Array | None = None
) -> Array:
    x = _channels_last(op, x)
    if op.channels == "first":
        kernel = np.moveaxis(kernel, (0, 1), (-1, -2))
    window, filters = kernel.shape[:-2], kernel.shape[-2]
    spatial = x.shape[1:-1]
    rows = zip(spatial, window, op.strides, op.dilations, op.output_padding, strict=True)
    full = tuple((n - 1) * s + (k - 1) * d + 1 + extra for n, k, s, d, extra in rows)
    out = np.zeros((x.shape[0], *full, filters), x.dtype)
    for tap, index in _taps(window, spatial, op.strides, op.dilations):
        out[index] += _multiply(x, kernel[tap].T, 1)
    kept = (slice(low, n - high) for n, (low, high) in zip(full, op.padding, strict=True))
    out = out[(slice(None), *kept)]
    return _finish(op, out if bias is None else out + bias)


@rules(ops.MaxPool)
def max_pool(op: ops.MaxPool, x: Array) -> Array:
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    x = _channels_last(op, x)
    padded = _pad(x, op.pads(x.shape[1:-1], op.window), lowest)
    taps = _pool_taps(op, padded)
    out = next(taps).copy()
    for tap in taps:
        np.maximum(out, tap, out=out)
    return _finish(op, out)


@rules(ops.AveragePool)
def average_pool(op: ops.AveragePool, x: Array) -> Array:
    x = _channels_last(op, x)
    pads = op.pads(x.shape[1:-1], op.window)
    inside = np.ones((1, *x.shape[1:-1], 1), x.dtype)
    total, count = (reduce(np.add, _pool_taps(op, _pad(each, pads, 0))) for each in (x, inside))
    return _finish(op, total / count)


def _multiply(x: Array, matrix: Array, groups: int) -> Array:
    """Multiply x[…, inputs] by matrix[inputs / groups, outputs] per group, by matrix products; a
    depthwise tap is an elementwise product."""
    depth, filters = matrix.shape
    if groups == 1:
        return (x.reshape(-1, depth) @ matrix).reshape(*x.shape[:-1], filters)
    if depth == 1:
        return np.repeat(x, filters // groups, axis=-1) * matrix[0]
    rows = np.moveaxis(x.reshape(-1, groups, depth), 1, 0)
    columns = np.moveaxis(matrix.reshape(depth, groups, -1), 1, 0)
    return np.moveaxis(rows @ columns, 0, 1).reshape(*x.shape[:-1], filters)


def _pool_taps(op: ops.Pooling, padded: Array) -> Iterator[Array]:
    still = (1,) * len(op.window)
    spatial = _places(padded, op.window, op.strides, still)
    for _, index in _taps(op.window, spatial, op.strides, still):
        yield padded[index]


def _taps(window: Tap, spatial: Tap, strides: Tap, dilations: Tap) -> Iterator[tuple[Tap, Index]]:
    """Yield each tap with the slice of the (batch, …spatial, channels) array that it reads."""
    for tap in itertools.product(*map(range, window)):
        rows = zip(tap, spatial, strides, dilations, strict=True)
        yield (
            tap,
            (
                slice(None),
                *(slice(t * d, t * d + (n - 1) * s + 1, s) for t, n, s, d in rows),
            ),
        )


def _places(padded: Array, window: Tap, strides: Tap, dilations: Tap) -> Tap:
    rows = zip(padded.shape[1:-1], window, strides, dilations, strict=True)
    return tuple((n - (k - 1) * d - 1) // s + 1 for n, k, s, d in rows)


def _pad(x: Array, pads: Pairs, value: float) -> Array:
    if not any(map(any, pads)):
        return x
    return np.pad(x, ((0, 0), *pads, (0, 0)), constant_values=value)


def _channels_last(op: ops.Windowed, x: Array) -> Array:
    return x if op.channels == "last" else np.moveaxis(x, 1, -1)


def _finish(op: ops.Windowed, x: Array) -> Array:
    return x if op.channels == "last" else np.moveaxis(x, -1, 1)
