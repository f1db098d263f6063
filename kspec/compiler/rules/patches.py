"""Rules for extracting and combining windows of images, and for adaptive pooling."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops as kops
from keras.src.ops import image, nn

from kspec.compiler import ops
from kspec.compiler.ir import Array, Value
from kspec.compiler.rules.arithmetic import as_float
from kspec.compiler.rules.indexing import picked
from kspec.compiler.rules.neural import last, per_axis
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: patches")


@rules(nn.SpaceToDepth, nn.DepthToSpace)
def block_moves(tracer: Tracer, op: Any, x: Any) -> Any:
    """Move spatial blocks to channels, or back."""
    size = op.block_size

    def gather(x: Any) -> Any:
        _, height, width, channels = x.shape
        x = kops.reshape(x, (-1, height // size, size, width // size, size * channels))
        x = kops.transpose(x, (0, 1, 3, 2, 4))
        return kops.reshape(x, (-1, height // size, width // size, size * size * channels))

    def spread(x: Any) -> Any:
        _, height, width, channels = x.shape
        depth = channels // (size * size)
        x = kops.reshape(x, (-1, height, width, size, size * depth))
        x = kops.transpose(x, (0, 1, 3, 2, 4))
        return kops.reshape(x, (-1, height * size, width * size, depth))

    formula = gather if isinstance(op, nn.SpaceToDepth) else spread
    return last(tracer, op, tracer.value(x), lambda value: tracer.record(formula, value))


@rules(image.ExtractPatches)
def extract_patches(tracer: Tracer, op: Any, images: Any) -> Any:
    """Move windows to channels: a reshape for adjacent windows, otherwise a convolution whose
    kernel has a single 1 per output channel."""
    value = as_float(tracer, images)
    window = per_axis(op.size, 3 if value.type.rank == 5 else 2)
    strides = window if not op.strides else per_axis(op.strides, len(window))
    single = value.type.rank == len(window) + 1
    plain = (
        strides == window
        and op.padding == "valid"
        and per_axis(op.dilation_rate, len(window)) == (1,) * len(window)
    )

    def formula(x: Any) -> Any:
        x = kops.expand_dims(x, 0) if single else x
        spatial, channels = x.shape[1:-1], x.shape[-1]
        if plain and len(window) == 2 and None not in spatial:
            result = side_by_side(x, window)
        else:
            count = math.prod(window) * channels
            kernel = np.eye(count, dtype=np.float32).reshape(*window, channels, count)
            result = kops.conv(
                x, kernel, strides=strides, padding=op.padding, dilation_rate=op.dilation_rate
            )
        return kops.squeeze(result, 0) if single else result

    if op.data_format == "channels_first" and single:
        raise tracer.error("patches of a single image with channels first are not lowered")
    return last(tracer, op, value, lambda each: tracer.record(formula, each))


def side_by_side(x: Any, window: Sequence[int]) -> Any:
    """Move adjacent windows to channels, without overlap."""
    (_, height, width, channels), (tall, wide) = x.shape, window
    rows, columns = height // tall, width // wide
    if (rows * tall, columns * wide) != (height, width):
        x = x[:, : rows * tall, : columns * wide]
    x = kops.reshape(x, (-1, rows, tall, columns, wide * channels))
    x = kops.transpose(x, (0, 1, 3, 2, 4))
    return kops.reshape(x, (-1, rows, columns, tall * wide * channels))


def _windows(op: Any, sizes: Sequence[int]) -> Array:
    """Return the flat index in the image of each window position, or -1 for padding; of shape
    (window, windows)."""
    pairs = [per_axis(each, 2) for each in (op.kernel_size, op.dilation, op.padding, op.stride)]
    lines = []
    for size, k, d, p, s in zip(sizes, *pairs, strict=True):
        count = (size + 2 * p - d * (k - 1) - 1) // s + 1
        places = np.arange(k)[:, None] * d + np.arange(count)[None, :] * s - p
        lines.append(np.where((places >= 0) & (places < size), places, -1))
    rows, columns = lines[0][:, None, :, None], lines[1][None, :, None, :]
    flat = np.where((rows < 0) | (columns < 0), -1, rows * sizes[1] + columns)
    return flat.reshape(lines[0].shape[0] * lines[1].shape[0], -1)


@rules(nn.Unfold)
def unfold(tracer: Tracer, op: Any, x: Any) -> Value:
    """(batch, channels, height, width) → (batch, channels · window, windows)"""
    value = tracer.value(x)
    batch, channels, height, width = value.shape
    places = _windows(op, (int(height), int(width)))
    flat = tracer.emit(ops.Reshape((batch, channels, int(height) * int(width))), value)
    rows = _with_zero(tracer, flat) if (places < 0).any() else flat
    found = picked(tracer, rows, places.ravel(), 2)
    window, count = places.shape
    return tracer.emit(ops.Reshape((batch, int(channels) * window, count)), found)


@rules(nn.Fold)
def fold(tracer: Tracer, op: Any, x: Any) -> Value:
    """(batch, channels · window, windows) → (batch, channels, height, width); overlapping
    windows are summed: one gather for the first window that covers a position, one for the second,
    and so on."""
    value = tracer.value(x)
    height, width = per_axis(op.output_size, 2)
    places = _windows(op, (height, width))
    channels = int(value.shape[1]) // places.shape[0]
    shape = (value.shape[0], channels, places.size)
    rows = _with_zero(tracer, tracer.emit(ops.Reshape(shape), value))
    covering: list[list[int]] = [[] for _ in range(height * width)]
    for source, target in enumerate(places.ravel().tolist()):
        if target >= 0:
            covering[target].append(source)
    total: Value | None = None
    for turn in range(max(map(len, covering))):
        sources = np.array([each[turn] if turn < len(each) else -1 for each in covering])
        found = picked(tracer, rows, sources, 2)
        total = found if total is None else tracer.emit(ops.Add(), total, found)
    assert total is not None
    return tracer.emit(ops.Reshape((value.shape[0], channels, height, width)), total)


def _with_zero(tracer: Tracer, value: Value) -> Value:
    """Append a zero to (…, n), at index -1."""
    low = (0,) * value.type.rank
    return tracer.emit(ops.Pad(low, (*low[:-1], 1)), value)


@rules(nn.AdaptiveAveragePool, nn.AdaptiveMaxPool)
def adaptive_pool(tracer: Tracer, op: Any, inputs: Any) -> Value:
    """Pool per axis; output i of n covers the input from ⌊i · size / n⌋ to ⌈(i + 1) · size / n⌉."""
    made = ops.Mean if isinstance(op, nn.AdaptiveAveragePool) else ops.Max
    pool = ops.AveragePool if made is ops.Mean else ops.MaxPool

    def lower(x: Value) -> Value:
        count = x.type.rank - 2
        wanted = per_axis(op.output_size, count)
        sizes = x.shape[1:-1]
        if not all(isinstance(size, int) for size in sizes):
            raise tracer.error("adaptive pooling needs known sizes")
        window = tuple(int(size) // n for size, n in zip(sizes, wanted, strict=True))
        if all(k * n == size for k, n, size in zip(window, wanted, sizes, strict=True)):
            return tracer.emit(pool(window, ((0, 0),) * count, "last", window), x)
        for axis, n in enumerate(wanted, 1):
            x = _pooled(tracer, made, x, axis, n)
        return x

    return last(tracer, op, as_float(tracer, inputs), lower)


def _pooled(tracer: Tracer, made: type[ops.Reduction], x: Value, axis: int, count: int) -> Value:
    size = int(x.shape[axis])
    if size == count:
        return x
    parts = []
    for place in range(count):
        start, stop = place * size // count, -(-(place + 1) * size // count)
        part = tracer.emit(ops.Slice((axis,), (start,), (stop,), (1,)), x)
        parts.append(tracer.emit(made((axis,), keepdims=True), part))
    return tracer.emit(ops.Concat(axis), *parts)
