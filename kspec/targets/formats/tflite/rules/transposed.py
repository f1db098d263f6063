"""Transposed convolutions. A kernel comes as (…window, output channels, input channels)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array, Node, Value
from kspec.compiler.ops.neural import same_padding
from kspec.compiler.table import Table
from kspec.targets.formats.tflite.builtins import Padding, TransposeConvOptions
from kspec.targets.formats.tflite.program import Emitter, Rule
from kspec.targets.formats.tflite.rules.convolution import bias_of, conv_3d, convolve, options_3d
from kspec.targets.formats.tflite.rules.shape import arranged, cut, sizes
from kspec.targets.formats.tflite.rules.window import Window, on_images

rules: Table[Rule] = Table("tflite")


@rules(ops.ConvTranspose)
def _conv_transpose(op: ops.ConvTranspose, node: Node, out: Emitter) -> None:
    x, kernel = node.inputs[:2]
    bias = bias_of(out, node, int(kernel.shape[-2]))
    window = Window.of(op, op.window(kernel.shape), op.dilations)
    array = out.array(kernel)
    if array is not None and (mirrored := _mirrored(op, window)):
        _convolve(out, x, out.weights(kernel, _turned(array)), bias, mirrored, node.output)
        return
    if array is not None and max(op.dilations) > 1:
        kernel = out.weights(kernel, _spread(array, op.dilations))
    window = replace(window, size=window.reach, dilations=(1,) * len(window.size))
    if x.type.rank == 5:
        _scatter(out, x, kernel, bias, window, node.output)
        return
    spatial = sizes(node.output.shape[1:-1])
    type_ = x.type.with_shape(x.shape[0], *(1, *spatial)[-2:], kernel.shape[-2])

    def apply(image: Value, into: Value | None) -> Value:
        return _scatter(out, image, kernel, bias, window.flat(), into or out.value(type_))

    on_images(out, x, node.output, apply)


def _mirrored(op: ops.ConvTranspose, window: Window) -> Window | None:
    """The convolution that a transposed one with stride 1 is, over the kernel turned round."""
    rows = zip(window.reach, op.padding, op.output_padding, strict=True)
    padding = tuple((r - 1 - low, r - 1 - high + extra) for r, (low, high), extra in rows)
    if max(op.strides) > 1 or min(map(min, padding)) < 0:
        return None
    return replace(window, padding=padding)


def _convolve(
    out: Emitter, x: Value, kernel: Value, bias: Value, window: Window, into: Value
) -> None:
    if x.type.rank == 5:
        conv_3d(out, x, kernel, bias, window, into=into)
        return
    on_images(
        out, x, into, lambda image, to: convolve(out, image, kernel, bias, window.flat(), into=to)
    )


def _scatter(
    out: Emitter, x: Value, kernel: Value, bias: Value, window: Window, into: Value
) -> Value:
    """TRANSPOSE_CONV or CONV_3D_TRANSPOSE. Both cut off what SAME or VALID cuts off; for other
    padding the whole result is computed, and cut."""
    spatial = sizes(into.shape[1:-1])
    if window.padding == same_padding(
        spatial, window.size, window.strides, window.dilations
    ) and sizes(x.shape[1:-1]) == tuple(
        -(-n // s) for n, s in zip(spatial, window.strides, strict=True)
    ):
        return _emit(out, x, kernel, bias, window, Padding.same, into)
    low = tuple(low for low, _ in window.padding)
    full = tuple(
        max((n - 1) * s + k, size + begin)
        for n, s, k, size, begin in zip(
            sizes(x.shape[1:-1]), window.strides, window.size, spatial, low, strict=True
        )
    )
    if full == spatial:
        return _emit(out, x, kernel, bias, window, Padding.valid, into)
    whole = out.value(into.type.with_shape(into.shape[0], *full, into.shape[-1]))
    _emit(out, x, kernel, bias, window, Padding.valid, whole)
    return cut(out, whole, (0, *low, 0), sizes(into.shape), into)


def _emit(
    out: Emitter,
    x: Value,
    kernel: Value,
    bias: Value,
    window: Window,
    padding: Padding,
    into: Value,
) -> Value:
    shape = out.integers(*sizes(into.shape))
    if x.type.rank == 5:
        options = options_3d(padding, window)
        inputs = (shape, kernel, x, bias)
        return out.emit("CONV_3D_TRANSPOSE", *inputs, options=options, into=into)
    height, width = window.size
    filters, depth = sizes(kernel.shape[-2:])
    perm = (kernel.type.rank - 2, *range(kernel.type.rank - 2), kernel.type.rank - 1)
    weights = arranged(out, kernel, perm, (filters, height, width, depth))
    return out.emit(
        "TRANSPOSE_CONV",
        *(shape, weights, x, bias),
        options=TransposeConvOptions(padding, *window.strides),
        into=into,
    )


def _turned(kernel: Array) -> Array:
    """The kernel backwards along its window, its channels as a convolution's."""
    return np.swapaxes(np.flip(kernel, tuple(range(kernel.ndim - 2))), -1, -2)


def _spread(kernel: Array, dilations: tuple[int, ...]) -> Array:
    """The kernel with zeros between its elements: the operators have no dilation."""
    size = ((k - 1) * d + 1 for k, d in zip(kernel.shape, dilations, strict=False))
    spread = np.zeros((*size, *kernel.shape[-2:]), kernel.dtype)
    spread[tuple(slice(None, None, d) for d in dilations)] = kernel
    return spread
