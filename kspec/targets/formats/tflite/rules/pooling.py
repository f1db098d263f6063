"""Pooling and resampling over one, two or three axes. The kernels support images only: three
spatial axes are processed as two axes, then the third."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array, Node, Value
from kspec.compiler.table import Table
from kspec.targets.formats.tflite.builtins import (
    Padding,
    Pool2DOptions,
    ResizeBilinearOptions,
    ResizeNearestNeighborOptions,
)
from kspec.targets.formats.tflite.program import Emitter, Rule
from kspec.targets.formats.tflite.rules.elementwise import multiply
from kspec.targets.formats.tflite.rules.shape import reshape, sizes
from kspec.targets.formats.tflite.rules.window import Window, on_images, placed

rules: Table[Rule] = Table("tflite")

Pool = Callable[[Emitter, Value, Window, Value | None], Value]


@rules(ops.MaxPool, ops.AveragePool)
def _pool(op: ops.Pooling, node: Node, out: Emitter) -> None:
    (x,) = node.inputs
    pool = max_pool if isinstance(op, ops.MaxPool) else average_pool
    window = Window.of(op, x, op.window)
    if len(window.size) == 3:
        _pool_3d(out, x, window, pool, node.output)
        return
    on_images(out, x, node.output, lambda image, into: pool(out, image, window.flat(), into))


def max_pool(out: Emitter, x: Value, window: Window, into: Value | None) -> Value:
    lowest = float(np.finfo(x.dtype.numpy).min)
    return _emit(out, "MAX_POOL_2D", x, window, into, lowest)


def average_pool(out: Emitter, x: Value, window: Window, into: Value | None) -> Value:
    """Write an average. SAME counts elements inside the input, as the IR does. For other padding
    the kernel divides by the size of the window, which a product corrects."""
    padded, bare, padding = placed(out, x, window)
    if padded is x:
        return _emit(out, "AVERAGE_POOL_2D", x, window, into)
    correction = _window_by_inside(window, sizes(x.shape[1:-1])).astype(x.dtype.numpy)
    mean = _emit_placed(out, "AVERAGE_POOL_2D", padded, bare, padding, None)
    return multiply(out, mean, out.constant(correction), into)


def _emit(
    out: Emitter, code: str, x: Value, window: Window, into: Value | None, value: float = 0.0
) -> Value:
    """Resolve the window of an input before its padding becomes a separate operator."""
    x, window, padding = placed(out, x, window, value)
    return _emit_placed(out, code, x, window, padding, into)


def _emit_placed(
    out: Emitter, code: str, x: Value, window: Window, padding: Padding, into: Value | None
) -> Value:
    (stride_h, stride_w), (height, width) = window.strides, window.size
    options = Pool2DOptions(padding, stride_h, stride_w, height, width)
    type_ = x.type.with_shape(x.shape[0], *window.places(x.shape), x.shape[-1])
    return out.emit(code, x, options=options, type_=type_, into=into)


def _window_by_inside(window: Window, spatial: tuple[int, ...]) -> Array:
    """Return the size of the window divided by its number of elements inside the input, per
    position."""
    factors = []
    for axis, (n, k, s) in enumerate(zip(spatial, window.size, window.strides, strict=True)):
        low, high = window.padding[axis]
        starts = np.arange((n + low + high - k) // s + 1) * s - low
        inside = np.minimum(starts + k, n) - np.maximum(starts, 0)
        factors.append(k / inside)
    return np.multiply.outer(*factors)[None, :, :, None]


def _pool_3d(out: Emitter, x: Value, window: Window, pool: Pool, into: Value) -> None:
    """Pool over height and width, then over depth. A maximum and a mean over a box are separable,
    and so is the number of elements inside the input."""
    batch, depth, *image, channels = sizes(x.shape)
    slices = reshape(out, x, (batch * depth, *image, channels))
    flat = pool(out, slices, window.over(1, 2), None)
    area = int(flat.shape[1]) * int(flat.shape[2])
    columns = reshape(out, flat, (batch, depth, area, channels))
    along = Window((window.size[0], 1), (window.strides[0], 1), (1, 1), (window.padding[0], (0, 0)))
    reshape(out, pool(out, columns, along, None), into.shape, into)


@rules(ops.Resize)
def _resize(op: ops.Resize, node: Node, out: Emitter) -> None:
    (x,) = node.inputs
    if len(op.size) == 3:
        _resize_3d(out, x, op, node.output)
        return
    size = op.size if len(op.size) == 2 else (1, *op.size)
    on_images(out, x, node.output, lambda image, into: _resample(out, image, op, size, into))


def _resize_3d(out: Emitter, x: Value, op: ops.Resize, into: Value) -> None:
    batch, depth, *image, channels = sizes(x.shape)
    slices = reshape(out, x, (batch * depth, *image, channels))
    flat = _resample(out, slices, op, op.size[1:], None)
    area = op.size[1] * op.size[2]
    columns = reshape(out, flat, (batch, depth, area, channels))
    reshape(out, _resample(out, columns, op, (op.size[0], area), None), into.shape, into)


def _resample(
    out: Emitter, x: Value, op: ops.Resize, size: tuple[int, ...], into: Value | None
) -> Value:
    type_ = x.type.with_shape(x.shape[0], *size, x.shape[-1])
    code, options = (
        ("RESIZE_BILINEAR", ResizeBilinearOptions())
        if op.interpolation == "bilinear"
        else ("RESIZE_NEAREST_NEIGHBOR", ResizeNearestNeighborOptions())
    )
    return out.emit(code, x, out.integers(*size), options=options, type_=type_, into=into)
