"""Transposed convolutions. A kernel of the IR is (…window, output channels, input channels)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array, Node, Value
from kspec.compiler.ops.neural import same_padding
from kspec.compiler.table import Table
from kspec.targets.formats.tflite.builtins import Conv3DOptions, Padding, TransposeConvOptions
from kspec.targets.formats.tflite.program import Emitter, Rule
from kspec.targets.formats.tflite.rules.convolution import Filters, bias_of, convolve
from kspec.targets.formats.tflite.rules.shape import arranged, cut, sizes
from kspec.targets.formats.tflite.rules.window import Window, on_images

rules: Table[Rule] = Table("tflite")


@rules(ops.ConvTranspose)
def _conv_transpose(op: ops.ConvTranspose, node: Node, out: Emitter) -> None:
    x, kernel = node.inputs[:2]
    bias = bias_of(out, node, int(kernel.shape[-2]))
    window = Window.of(op, x, op.window(kernel.shape), op.dilations)
    array = out.array(kernel)
    if array is not None and (mirrored := _mirrored(op, window)):
        turned = Filters(out.weights(kernel, _turned(array)), bias)
        convolve(out, x, turned, mirrored, node.output)
        return
    if array is not None and max(op.dilations) > 1:
        kernel = out.weights(kernel, _spread(array, op.dilations))
        window = replace(window, size=window.reach, dilations=(1,) * len(window.size))
    filters = Filters(kernel, bias)
    if x.type.rank == 5:
        _scatter(out, x, filters, window, node.output)
        return
    flat, spatial = window.flat(), sizes(node.output.shape[1:-1])
    type_ = x.type.with_shape(x.shape[0], *(1, *spatial)[-2:], kernel.shape[-2])
    on_images(
        *(out, x, node.output),
        lambda image, to: _scatter(out, image, filters, flat, to or out.value(type_)),
    )


def _mirrored(op: ops.ConvTranspose, window: Window) -> Window | None:
    """Return the convolution equal to a transposed one with stride 1; the kernel is reversed."""
    rows = zip(window.reach, window.padding, op.output_padding, strict=True)
    padding = tuple((r - 1 - low, r - 1 - high + extra) for r, (low, high), extra in rows)
    if max(op.strides) > 1 or min(map(min, padding)) < 0:
        return None
    return replace(window, padding=padding)


def _scatter(out: Emitter, x: Value, filters: Filters, window: Window, into: Value) -> Value:
    """Write the operator. It crops as SAME does; for other padding the full result is cropped."""
    before, after = sizes(x.shape[1:-1]), sizes(into.shape[1:-1])
    halved = tuple(-(-n // s) for n, s in zip(after, window.strides, strict=True))
    if before == halved and window.padding == same_padding(
        after, window.size, window.strides, window.dilations
    ):
        return _emit(out, x, filters, window, Padding.same, into)
    low = tuple(low for low, _ in window.padding)
    rows = zip(before, window.strides, window.size, after, low, strict=True)
    whole = tuple(max((n - 1) * s + k, size + start) for n, s, k, size, start in rows)
    if whole == after:
        return _emit(out, x, filters, window, Padding.valid, into)
    result = out.value(into.type.with_shape(into.shape[0], *whole, into.shape[-1]))
    _emit(out, x, filters, window, Padding.valid, result)
    return cut(out, result, (0, *low, 0), sizes(into.shape), into)


def _emit(
    out: Emitter, x: Value, filters: Filters, window: Window, padding: Padding, into: Value
) -> Value:
    """Write CONV_3D_TRANSPOSE, with the IR's kernel, or TRANSPOSE_CONV, with output channels
    first."""
    shape = out.integers(*sizes(into.shape))
    kernel, bias = filters.kernel, filters.bias
    if x.type.rank == 5:
        volume = Conv3DOptions(padding, *window.strides, *window.dilations)
        return out.emit("CONV_3D_TRANSPOSE", shape, kernel, x, bias, options=volume, into=into)
    *axes, outer, inner = range(kernel.type.rank)
    count, depth = sizes(kernel.shape[-2:])
    weights = arranged(out, kernel, (outer, *axes, inner), (count, *window.size, depth))
    image = TransposeConvOptions(padding, *window.strides)
    return out.emit("TRANSPOSE_CONV", shape, weights, x, bias, options=image, into=into)


def _turned(kernel: Array) -> Array:
    """Return the kernel reversed along its window, with channels in a convolution's order."""
    return np.swapaxes(np.flip(kernel, tuple(range(kernel.ndim - 2))), -1, -2)


def _spread(kernel: Array, dilations: tuple[int, ...]) -> Array:
    """Return the kernel with zeros between its elements: the operators lack dilation."""
    size = ((k - 1) * d + 1 for k, d in zip(kernel.shape, dilations, strict=False))
    spread = np.zeros((*size, *kernel.shape[-2:]), kernel.dtype)
    spread[tuple(slice(None, None, d) for d in dilations)] = kernel
    return spread
