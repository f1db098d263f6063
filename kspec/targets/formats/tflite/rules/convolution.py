"""Convolutions. Kernels have the operators' layouts: (output channels, height, width, input
channels / groups) for CONV_2D, (1, height, width, channels) for DEPTHWISE_CONV_2D."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

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
    Fusing,
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


@dataclass(frozen=True, slots=True)
class Filters:
    """The kernel and bias of a convolution. The kernel is (…window, input channels / groups, output
    channels)."""

    kernel: Value
    bias: Value
    groups: int = 1
    fused: Fused = Fused.none


def bias_of(out: Emitter, node: Node, channels: int) -> Value:
    """Return the bias, or zeros: older runtimes require one."""
    if len(node.inputs) > 2:
        return node.inputs[2]
    return out.constant(np.zeros(channels, node.inputs[0].dtype.numpy))


@rules(ops.Conv)
def _conv(op: ops.Conv, node: Node, out: Emitter) -> None:
    x, kernel = node.inputs[:2]
    bias = bias_of(out, node, int(kernel.shape[-1]))
    filters = Filters(kernel, bias, op.groups, FUSED[op.activation])
    window = Window.of(op, x, op.window(kernel.shape), op.dilations)
    convolve(out, x, filters, window, node.output)


def convolve(out: Emitter, x: Value, filters: Filters, window: Window, into: Value) -> None:
    """Convolve over one, two or three axes."""
    if len(window.size) == 3:
        _convolve_volume(out, x, filters, window, into)
        return
    flat = window.flat()
    on_images(out, x, into, lambda image, to: _convolve_image(out, image, filters, flat, to))


def _convolve_image(
    out: Emitter, x: Value, filters: Filters, window: Window, into: Value | None
) -> Value:
    """Write CONV_2D, or DEPTHWISE_CONV_2D if each channel is a group."""
    *axes, inner, outer = range(filters.kernel.type.rank)
    depth, count = sizes(filters.kernel.shape[-2:])
    type_ = x.type.with_shape(x.shape[0], *window.places(x.shape), count)
    x, window, padding = placed(out, x, window)
    (stride_h, stride_w), (dilation_h, dilation_w) = window.strides, window.dilations
    places = (padding, stride_h, stride_w, dilation_h, dilation_w)
    if filters.groups == x.shape[-1] and filters.groups > 1:
        weights = arranged(out, filters.kernel, (*axes, inner, outer), (1, *window.size, count))
        multiplier = count // filters.groups
        options: Fusing = DepthwiseConv2DOptions(*places, multiplier)
        code = "DEPTHWISE_CONV_2D"
    else:
        weights = arranged(out, filters.kernel, (outer, *axes, inner), (count, *window.size, depth))
        options, code = Conv2DOptions(*places), "CONV_2D"
    options = replace(options, fused_activation_function=filters.fused)
    return out.emit(code, x, weights, filters.bias, options=options, type_=type_, into=into)


def _convolve_volume(out: Emitter, x: Value, filters: Filters, window: Window, into: Value) -> None:
    """Write one CONV_3D per group, since the operator lacks groups."""
    x, window, padding = placed(out, x, window)
    options = Conv3DOptions(padding, *window.strides, *window.dilations)
    options = replace(options, fused_activation_function=filters.fused)
    if filters.groups == 1:
        out.emit("CONV_3D", x, filters.kernel, filters.bias, options=options, into=into)
        return
    depth, width = (int(each.shape[-1]) // filters.groups for each in (x, into))
    parts = []
    for group in range(filters.groups):
        channels = _channels(out, x, group, depth)
        weights = _channels(out, filters.kernel, group, width)
        offset = _channels(out, filters.bias, group, width)
        type_ = into.type.with_shape(*into.shape[:-1], width)
        parts.append(out.emit("CONV_3D", channels, weights, offset, options=options, type_=type_))
    concatenate(out, parts, into.type.rank - 1, into)


def _channels(out: Emitter, value: Value, group: int, width: int) -> Value:
    """Return one group of a tensor's last axis."""
    array = out.array(value)
    if array is not None:
        return out.weights(value, array[..., group * width : (group + 1) * width])
    shape = sizes(value.shape)
    return cut(out, value, (*(0 for _ in shape[:-1]), group * width), (*shape[:-1], width))
