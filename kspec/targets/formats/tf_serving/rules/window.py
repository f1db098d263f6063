"""Convolutions and pooling, channels last.

TensorFlow has different limits for each rank: one spatial axis has no kernel and becomes two; for
three axes, explicit padding, groups and dilation are missing on a CPU without oneDNN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from kspec.compiler import ops
from kspec.compiler.ops.neural import Padding, Pairs
from kspec.compiler.table import Table
from kspec.targets.formats.tf_serving import lazy as tf

rules: Table[Callable[..., Any]] = Table("tf_serving")


@rules(ops.Conv)
def conv(op: ops.Conv, x: Any, kernel: Any, bias: Any = None) -> Any:
    refuse_channels_first(op)
    if len(op.strides) == 1:
        wide = replace(op, **_widened(op), dilations=(*op.dilations, 1))
        return tf.squeeze(conv(wide, tf.expand_dims(x, 2), tf.expand_dims(kernel, 1), bias), 2)
    result = _convolve(op, x, kernel)
    if bias is not None:
        # Grappler fuses BiasAdd, unlike Add, into kernels without groups (without oneDNN).
        result = tf.nn.bias_add(result, bias) if op.groups == 1 else tf.add(result, bias)
    return activate(op.activation, result)


def _convolve(op: ops.Conv, x: Any, kernel: Any) -> Any:
    if len(op.strides) == 3:
        return _convolve_volume(op, x, kernel)
    plain = len(set(op.strides)) == 1 and set(op.dilations) == {1}
    if op.groups > 1 and op.groups == x.shape[-1] and plain:
        *window, _, filters = kernel.shape
        depthwise = tf.reshape(kernel, [*window, op.groups, filters // op.groups])
        # With explicit padding, the process aborts when Grappler fuses an activation.
        x, padding = _padded(op, window, x)
        return tf.nn.depthwise_conv2d(x, depthwise, [1, *op.strides, 1], padding)
    padding = "SAME" if _is_same(op, kernel.shape[:2], x) else _explicit(op.padding)
    return tf.nn.conv2d(x, kernel, op.strides, padding, dilations=op.dilations)


def _convolve_volume(op: ops.Conv, x: Any, kernel: Any) -> Any:
    if op.groups > 1:
        parts = zip(tf.split(x, op.groups, -1), tf.split(kernel, op.groups, -1), strict=True)
        one = replace(op, groups=1)
        return tf.concat([_convolve_volume(one, *each) for each in parts], -1)
    spread = _dilated(kernel, op.dilations)
    x, padding = _padded(op, kernel.shape[:3], x)
    return tf.nn.conv3d(x, spread, [1, *op.strides, 1], padding)


@rules(ops.ConvTranspose)
def conv_transpose(op: ops.ConvTranspose, x: Any, kernel: Any, bias: Any = None) -> Any:
    refuse_channels_first(op)
    if len(op.strides) == 1:
        wide = replace(
            op,
            **_widened(op),
            dilations=(*op.dilations, 1),
            output_padding=(*op.output_padding, 0),
        )
        x, kernel = tf.expand_dims(x, 2), tf.expand_dims(kernel, 1)
        return tf.squeeze(conv_transpose(wide, x, kernel, bias), 2)
    kernel = _dilated(kernel, op.dilations)
    sizes = [tf.shape(x)[axis + 1] if n is None else n for axis, n in enumerate(x.shape[1:-1])]
    rows = zip(sizes, kernel.shape[:-2], op.strides, strict=True)
    full = [(size - 1) * stride + reach for size, reach, stride in rows]
    transpose = tf.nn.conv2d_transpose if len(full) == 2 else tf.nn.conv3d_transpose
    shape = tf.stack([tf.shape(x)[0], *full, kernel.shape[-2]])
    product = transpose(x, kernel, shape, [1, *op.strides, 1], "VALID")
    product = _cut(product, op, full)
    return product if bias is None else tf.nn.bias_add(product, bias)


def _cut(x: Any, op: ops.ConvTranspose, full: list[Any]) -> Any:
    """Crop the full result by the padding; positions beyond it, from output_padding, are zeros."""
    rows = zip(full, op.padding, op.output_padding, strict=True)
    ends = [(low, size + extra - high) for size, (low, high), extra in rows]
    beyond = [
        (0, max(extra - high, 0))
        for (_, high), extra in zip(op.padding, op.output_padding, strict=True)
    ]
    index = (slice(None), *(slice(low, end) for low, end in ends))
    return pad(x, tuple(beyond))[index]


@rules(ops.MaxPool)
def max_pool(op: ops.MaxPool, x: Any) -> Any:
    refuse_channels_first(op)
    if len(op.strides) == 1:
        return tf.squeeze(max_pool(_widened_pool(op), tf.expand_dims(x, 2)), 2)
    if len(op.strides) == 2:
        return tf.nn.max_pool2d(x, op.window, op.strides, _explicit(op.padding))
    x, padding = _padded(op, op.window, x, x.dtype.min)
    return tf.nn.max_pool3d(x, op.window, op.strides, padding)


@rules(ops.AveragePool)
def average_pool(op: ops.AveragePool, x: Any) -> Any:
    refuse_channels_first(op)
    if len(op.strides) == 1:
        return tf.squeeze(average_pool(_widened_pool(op), tf.expand_dims(x, 2)), 2)
    mean = tf.nn.avg_pool2d if len(op.strides) == 2 else tf.nn.avg_pool3d
    if op.padding == "same" or _is_same(op, op.window, x):
        return mean(x, op.window, op.strides, "SAME")
    if not any(map(any, op.padding)):
        return mean(x, op.window, op.strides, "VALID")
    # The mean including zeros, divided by the share of each window inside the input.
    inside = tf.ones_like(x[:1, ..., :1])
    total, share = (
        mean(pad(each, op.padding), op.window, op.strides, "VALID") for each in (x, inside)
    )
    return total / share


def activate(activation: str, x: Any) -> Any:
    """Apply the activation of a Conv or Linear."""
    return {"linear": lambda x: x, "relu": tf.nn.relu, "relu6": tf.nn.relu6}[activation](x)


def refuse_channels_first(op: ops.Windowed | ops.Resize) -> None:
    if op.channels != "last":
        raise ValueError(f"{op}: TensorFlow on a CPU wants channels last")


def pad(x: Any, padding: Pairs, value: float = 0) -> Any:
    if not any(map(any, padding)):
        return x
    rows = [(0, 0), *padding, (0, 0)]
    return tf.pad(x, rows, constant_values=value)


def _padded(
    op: ops.Conv | ops.Pooling, window: Iterable[int], x: Any, value: float = 0
) -> tuple[Any, str]:
    """Return the input and the padding for kernels with SAME and VALID only; other padding is
    applied to the input."""
    if op.padding == "same" or _is_same(op, window, x):
        return x, "SAME"
    return pad(x, op.padding, value), "VALID"


def _explicit(padding: Padding) -> Any:
    if padding == "same":
        return "SAME"
    return [[0, 0], *map(list, padding), [0, 0]] if any(map(any, padding)) else "VALID"


def _is_same(op: ops.Conv | ops.Pooling, window: Iterable[int], x: Any) -> bool:
    """Return whether this padding equals TensorFlow's SAME."""
    spatial = tuple("?" if size is None else size for size in x.shape[1:-1])
    known = all(size != "?" for size in spatial) or set(op.strides) == {1}
    dilations = op.dilations if isinstance(op, ops.Conv) else (1,) * len(op.window)
    return known and op.padding == ops.same_padding(spatial, (*window,), op.strides, dilations)


def _widened(op: ops.Windowed) -> dict[str, Any]:
    padding = op.padding if op.padding == "same" else (*op.padding, (0, 0))
    return {"strides": (*op.strides, 1), "padding": padding}


def _widened_pool(op: ops.Pooling) -> ops.Pooling:
    return replace(op, **_widened(op), window=(*op.window, 1))


def _dilated(kernel: Any, dilations: tuple[int, ...]) -> Any:
    """Return the kernel with zeros between its taps."""
    for axis, dilation in enumerate(dilations):
        if dilation > 1:
            shape = kernel.shape.as_list()
            taps = tf.expand_dims(kernel, axis + 1)
            rows = [(0, dilation - 1) if at == axis + 1 else (0, 0) for at in range(len(shape) + 1)]
            reach = shape[axis] * dilation
            spread = tf.reshape(tf.pad(taps, rows), [*shape[:axis], reach, *shape[axis + 1 :]])
            kernel = spread[(slice(None),) * axis + (slice(0, reach - dilation + 1),)]
    return kernel
