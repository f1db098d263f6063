"""Normalisation, products and resampling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kspec.compiler import ops
from kspec.compiler.table import Table
from kspec.targets.formats.tf_serving import lazy as tf
from kspec.targets.formats.tf_serving.rules.window import activate, refuse_channels_first

rules: Table[Callable[..., Any]] = Table("tf_serving")


@rules(ops.BatchNorm)
def batch_norm(op: ops.BatchNorm, x: Any, *statistics: Any) -> Any:
    shape = [1] * (x.shape.rank - 1 - op.axis)
    scale, offset, mean, variance = (
        tf.reshape(each, [-1, *shape]) if shape else each for each in statistics
    )
    return (x - mean) * (scale * tf.math.rsqrt(variance + op.epsilon)) + offset


@rules(ops.LayerNorm)
def layer_norm(op: ops.LayerNorm, x: Any, scale: Any, offset: Any) -> Any:
    centred = x - tf.reduce_mean(x, -1, keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), -1, keepdims=True)
    return centred * tf.math.rsqrt(variance + op.epsilon) * scale + offset


@rules(ops.Softmax)
def softmax(op: ops.Softmax, x: Any) -> Any:
    return tf.nn.softmax(x, op.axis)


@rules(ops.LogSoftmax)
def log_softmax(op: ops.LogSoftmax, x: Any) -> Any:
    return tf.nn.log_softmax(x, op.axis)


@rules(ops.MatMul)
def matmul(_op: ops.MatMul, x: Any, y: Any) -> Any:
    return tf.matmul(x, y)


@rules(ops.Linear)
def linear(op: ops.Linear, x: Any, kernel: Any, bias: Any = None) -> Any:
    lead = x.shape[1:-1]
    rows = tf.reshape(x, [-1, x.shape[-1]]) if lead.rank else x
    product = tf.matmul(rows, kernel)
    result = activate(op.activation, product if bias is None else tf.nn.bias_add(product, bias))
    if not lead.rank:
        return result
    if lead.is_fully_defined():
        return tf.reshape(result, [-1, *lead, kernel.shape[-1]])
    return tf.reshape(result, tf.concat([tf.shape(x)[:-1], kernel.shape[-1:]], 0))


@rules(ops.Resize)
def resize(op: ops.Resize, x: Any) -> Any:
    refuse_channels_first(op)
    rank = len(op.size)
    if rank == 2:
        return _resize(op.interpolation, x, op.size)
    if rank == 1:
        return tf.squeeze(_resize(op.interpolation, tf.expand_dims(x, 2), (*op.size, 1)), 2)
    return _resize_volume(op, x)


def _resize(interpolation: str, x: Any, size: tuple[int, ...]) -> Any:
    methods = {
        "nearest": tf.raw_ops.ResizeNearestNeighbor,
        "bilinear": tf.raw_ops.ResizeBilinear,
    }
    return methods[interpolation](images=x, size=size, half_pixel_centers=True)


def _resize_volume(op: ops.Resize, x: Any) -> Any:
    """Resize depth and height of an image of rows, then the width of the rows."""
    channels = x.shape[-1]
    batch, depth, height, width = (tf.shape(x)[axis] for axis in range(4))
    image = tf.reshape(x, [batch, depth, height, width * channels])
    image = _resize(op.interpolation, image, op.size[:2])
    rows = tf.reshape(image, [batch * op.size[0], op.size[1], width, channels])
    rows = _resize(op.interpolation, rows, op.size[1:])
    return tf.reshape(rows, [-1, *op.size, channels])
