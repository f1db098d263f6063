"""Convolutions. Kernels are laid out as each operator wants them: (output channels, height, width,
input channels / groups) for CONV_2D, (1, height, width, channels) for DEPTHWISE_CONV_2D."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Node, Value
from kspec.compiler.ops.neural import Activation
from kspec.compiler.table import Table
from kspec.targets.formats.tflite.builtins import (
    Conv2DOptions,
    Conv3DOptions,
    DepthwiseConv2DOptions,
    Fused,
    Padding,
)
from kspec.targets.formats.tflite.program import Emitter, Rule
from kspec.targets.formats.tflite.rules.shape import arranged, concatenate, cut, sizes
from kspec.targets.formats.tflite.rules.window import Window, on_images, placed

rules: Table[Rule] = Table("tflite")

FUSED: Mapping[Activation, Fused] = {
    "linear": Fused.none,
    "relu": Fused.relu,
    "relu6": Fused.relu6,
}


def bias_of(out: Emitter, node: Node, channels: int) -> Value:
    """The bias, or zeros: older runtimes want one."""
    if len(node.inputs) > 2:
        return node.inputs[2]
    return out.constant(np.zeros(channels, node.inputs[0].dtype.numpy))


@rules(ops.Conv)
def _conv(op: ops.Conv, node: Node, out: Emitter) -> None:
    x, kernel = node.inputs[:2]
    window = Window.of(op, op.window(kernel.shape), op.dilations)
    bias = bias_of(out, node, int(kernel.shape[-1]))
    fused = FUSED[op.activation]
    if len(window.size) == 3:
        conv_3d(out, x, kernel, bias, window, op.groups, fused, into=node.output)
        return

    def apply(image: Value, into: Value | None) -> Value:
        return convolve(out, image, kernel, bias, window.flat(), op.groups, fused, into)

    on_images(out, x, node.output, apply)


def convolve(
    out: Emitter,
    x: Value,
    kernel: Value,
    bias: Value,
    window: Window,
    groups: int = 1,
    fused: Fused = Fused.none,
    into: Value | None = None,
) -> Value:
    """CONV_2D, or DEPTHWISE_CONV_2D where each channel is a group. The kernel is
    (…window, input channels / groups, output channels)."""
    type_ = x.type.with_shape(x.shape[0], *window.places(x.shape), kernel.shape[-1])
    x, window, padding = placed(out, x, window)
    spatial = tuple(range(kernel.type.rank - 2))
    depth, filters = sizes(kernel.shape[-2:])
    (stride_h, stride_w), (dilation_h, dilation_w) = window.strides, window.dilations
    if groups == x.shape[-1] and groups > 1:
        weights = arranged(out, kernel, range(len(spatial) + 2), (1, *window.size, filters))
        options = DepthwiseConv2DOptions(
            padding,
            stride_h,
            stride_w,
            dilation_h,
            dilation_w,
            filters // groups,
            fused_activation_function=fused,
        )
        return out.emit(
            "DEPTHWISE_CONV_2D", x, weights, bias, options=options, type_=type_, into=into
        )
    perm = (len(spatial) + 1, *spatial, len(spatial))
    weights = arranged(out, kernel, perm, (filters, *window.size, depth))
    options_ = Conv2DOptions(
        padding, stride_h, stride_w, dilation_h, dilation_w, fused_activation_function=fused
    )
    return out.emit("CONV_2D", x, weights, bias, options=options_, type_=type_, into=into)


def conv_3d(
    out: Emitter,
    x: Value,
    kernel: Value,
    bias: Value,
    window: Window,
    groups: int = 1,
    fused: Fused = Fused.none,
    *,
    into: Value,
) -> None:
    """CONV_3D has no groups: each is a convolution of its own."""
    x, window, padding = placed(out, x, window)
    options = options_3d(padding, window, fused)
    if groups == 1:
        out.emit("CONV_3D", x, kernel, bias, options=options, into=into)
        return
    width = int(into.shape[-1]) // groups
    parts = []
    for group in range(groups):
        channels = _channels(out, x, group, int(x.shape[-1]) // groups)
        weights = _channels(out, kernel, group, width)
        offset = _channels(out, bias, group, width)
        type_ = into.type.with_shape(*into.shape[:-1], width)
        parts.append(out.emit("CONV_3D", channels, weights, offset, options=options, type_=type_))
    concatenate(out, parts, into.type.rank - 1, into)


def options_3d(padding: Padding, window: Window, fused: Fused = Fused.none) -> Conv3DOptions:
    (stride_d, stride_h, stride_w), (d, h, w) = window.strides, window.dilations
    return Conv3DOptions(
        padding, stride_d, stride_h, stride_w, d, h, w, fused_activation_function=fused
    )


def _channels(out: Emitter, value: Value, group: int, width: int) -> Value:
    """One group of a tensor's last axis."""
    array = out.array(value)
    if array is not None:
        return out.weights(value, array[..., group * width : (group + 1) * width])
    shape = sizes(value.shape)
    return cut(out, value, (*(0 for _ in shape[:-1]), group * width), (*shape[:-1], width))
