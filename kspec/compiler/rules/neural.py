"""Rules for convolutions, pooling, normalisation and products of ``keras.ops``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops as kops
from keras.src.ops import nn
from keras.src.ops import numpy as knp

from kspec.compiler import ops
from kspec.compiler.ir import Shape, Value
from kspec.compiler.ops import same_padding
from kspec.compiler.ops.neural import Padding
from kspec.compiler.rules.arithmetic import as_float, promoted
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: neural")


def per_axis(given: Any, count: int) -> tuple[int, ...]:
    return (int(given),) * count if isinstance(given, int) else tuple(int(each) for each in given)


def last(tracer: Tracer, op: Any, x: Value, lower: Callable[[Value], Value]) -> Value:
    """Lower on (batch, …spatial, channels) for either data format of the operation."""
    if op.data_format != "channels_first":
        return lower(x)
    rank = x.type.rank
    x = tracer.emit(ops.Transpose((0, *range(2, rank), 1)), x)
    return tracer.emit(ops.Transpose((0, rank - 1, *range(1, rank - 1))), lower(x))


def padding_of(
    op: Any, spatial: Shape, window: tuple[int, ...], strides: tuple[int, ...], dilations: Any
) -> Padding:
    if op.padding.lower() == "same":
        return same_padding(spatial, window, strides, dilations)
    return ((0, 0),) * len(window)


@rules(nn.Conv)
def conv(tracer: Tracer, op: Any, inputs: Any, kernel: Any) -> Value:
    value = tracer.value(kernel, "kernel")
    return last(tracer, op, tracer.value(inputs), lambda x: _conv(tracer, op, x, value))


@rules(nn.DepthwiseConv)
def depthwise_conv(tracer: Tracer, op: Any, inputs: Any, kernel: Any) -> Value:
    return last(tracer, op, tracer.value(inputs), lambda x: _depthwise(tracer, op, x, kernel))


@rules(nn.SeparableConv)
def separable_conv(
    tracer: Tracer, op: Any, inputs: Any, depthwise_kernel: Any, pointwise_kernel: Any
) -> Value:
    def lower(x: Value) -> Value:
        spread = _depthwise(tracer, op, x, depthwise_kernel)
        ones = (1,) * (x.type.rank - 2)
        pointwise = ops.Conv(ones, ((0, 0),) * len(ones), "last", ones)
        return tracer.emit(pointwise, spread, tracer.value(pointwise_kernel, "pointwise_kernel"))

    return last(tracer, op, tracer.value(inputs), lower)


@rules(nn.ConvTranspose)
def conv_transpose(tracer: Tracer, op: Any, inputs: Any, kernel: Any) -> Value:
    value = tracer.value(kernel, "kernel")

    def lower(x: Value) -> Value:
        count = x.type.rank - 2
        strides, dilations = per_axis(op.strides, count), per_axis(op.dilation_rate, count)
        window = [int(dim) for dim in value.shape[:-2]]
        extra = op.output_padding
        extras = [None] * count if extra is None else list(per_axis(extra, count))
        rows = zip(window, strides, dilations, extras, strict=True)
        cuts = [_transposed_padding(op.padding.lower(), *row) for row in rows]
        padding, output_padding = (tuple(each) for each in zip(*cuts, strict=True))
        made = ops.ConvTranspose(strides, padding, "last", dilations, output_padding)
        return tracer.emit(made, x, value)

    return last(tracer, op, tracer.value(inputs), lower)


@rules(nn.MaxPool, nn.AveragePool)
def pool(tracer: Tracer, op: Any, inputs: Any) -> Value:
    made = ops.MaxPool if isinstance(op, nn.MaxPool) else ops.AveragePool

    def lower(x: Value) -> Value:
        count = x.type.rank - 2
        window = per_axis(op.pool_size, count)
        strides = window if op.strides is None else per_axis(op.strides, count)
        padding = padding_of(op, x.shape[1:-1], window, strides, (1,) * count)
        return tracer.emit(made(strides, padding, "last", window), x)

    return last(tracer, op, tracer.value(inputs), lower)


@rules(nn.BatchNorm)
def batch_norm(
    tracer: Tracer,
    op: Any,
    x: Any,
    mean: Any,
    variance: Any,
    offset: Any = None,
    scale: Any = None,
) -> Value:
    value, mean = as_float(tracer, x), tracer.value(mean, "mean")
    ones = np.ones([int(dim) for dim in mean.shape], np.float32)
    scale = tracer.value(ones if scale is None else scale, "scale")
    offset = tracer.value(0 * ones if offset is None else offset, "offset")
    made = ops.BatchNorm(op.axis % value.type.rank, float(op.epsilon))
    return tracer.emit(made, value, scale, offset, mean, tracer.value(variance, "variance"))


@rules(nn.LayerNorm)
def layer_norm(tracer: Tracer, op: Any, x: Any, gamma: Any = None, beta: Any = None) -> Any:
    value = as_float(tracer, x)
    rank = value.type.rank
    given = [op.axis] if isinstance(op.axis, int) else op.axis
    axes = sorted(axis % rank for axis in given)
    epsilon = float(keras.config.epsilon() if op.epsilon is None else op.epsilon)
    if axes == [rank - 1] and not op.rms_scaling:
        ones = np.ones(int(value.shape[-1]), np.float32)
        scale = tracer.value(ones if gamma is None else gamma, "scale")
        offset = tracer.value(0 * ones if beta is None else beta, "offset")
        return tracer.emit(ops.LayerNorm(epsilon), value, scale, offset)
    shape = [value.shape[axis] if axis in axes else 1 for axis in range(rank)]

    def formula(x: Any) -> Any:
        mean = kops.mean(x, axis=axes, keepdims=True)
        variance = kops.mean(kops.square(x - mean), axis=axes, keepdims=True)
        result = (x if op.rms_scaling else x - mean) * kops.rsqrt(variance + epsilon)
        result = result if gamma is None else result * kops.reshape(gamma, shape)
        return result if beta is None or op.rms_scaling else result + kops.reshape(beta, shape)

    return tracer.record(formula, value)


@rules(nn.RMSNorm)
def rms_norm(tracer: Tracer, op: Any, x: Any, scale: Any = None) -> Any:
    """x / √(mean(x²) + epsilon) · scale (Zhang and Sennrich 2019)"""
    epsilon = 1e-7 if op.epsilon is None else op.epsilon

    def formula(x: Any) -> Any:
        square = kops.mean(kops.square(x), axis=op.axis, keepdims=True)
        result = x * kops.rsqrt(square + epsilon)
        return result if scale is None else result * scale

    return tracer.record(formula, as_float(tracer, x))


@rules(nn.Normalize)
def normalize(tracer: Tracer, op: Any, x: Any) -> Any:
    epsilon = 1e-7 if op.epsilon is None else op.epsilon

    def formula(x: Any) -> Any:
        if op.order == 2:
            square = kops.sum(kops.square(x), axis=op.axis, keepdims=True)
            return x * kops.minimum(kops.rsqrt(square), 1.0 / epsilon)
        power = kops.sum(kops.power(kops.abs(x), op.order), axis=op.axis, keepdims=True)
        return x / kops.maximum(kops.power(power, 1.0 / op.order), epsilon)

    return tracer.record(formula, as_float(tracer, x))


@rules(nn.Moments)
def moments(tracer: Tracer, op: Any, x: Any) -> Any:
    axes = [op.axes] if isinstance(op.axes, int) else list(op.axes)

    def formula(x: Any) -> Any:
        mean = kops.mean(x, axis=axes, keepdims=True)
        variance = kops.mean(kops.square(x - mean), axis=axes, keepdims=op.keepdims)
        return (mean if op.keepdims else kops.squeeze(mean, axis=axes)), variance

    return tracer.record(formula, as_float(tracer, x))


@rules(knp.Matmul)
def matmul(tracer: Tracer, _op: Any, x1: Any, x2: Any) -> Value:
    """Multiply matrices; a vector becomes one row or column, which is removed again, as in
    NumPy."""
    left, right = promoted(tracer, x1, x2)
    row, column = left.type.rank == 1, right.type.rank == 1
    if row:
        left = tracer.emit(ops.Reshape((1, *left.shape)), left)
    if column:
        right = tracer.emit(ops.Reshape((*right.shape, 1)), right)
    product = tracer.emit(ops.MatMul(), left, right)
    *lead, height, width = product.shape
    kept = [dim for dim, gone in ((height, row), (width, column)) if not gone]
    return tracer.emit(ops.Reshape((*lead, *kept)), product) if row or column else product


def _conv(tracer: Tracer, op: Any, x: Value, kernel: Value, groups: int | None = None) -> Value:
    count = x.type.rank - 2
    strides, dilations = per_axis(op.strides, count), per_axis(op.dilation_rate, count)
    window = tuple(int(dim) for dim in kernel.shape[:-2])
    padding = padding_of(op, x.shape[1:-1], window, strides, dilations)
    if groups is None:
        groups = int(x.shape[-1]) // int(kernel.shape[-2])
    return tracer.emit(ops.Conv(strides, padding, "last", dilations, groups), x, kernel)


def _depthwise(tracer: Tracer, op: Any, x: Value, kernel: Any) -> Value:
    """Lower with Keras' kernel (…window, channels, multiplier); outputs are ordered by channel,
    then by multiplier."""
    given = tracer.value(kernel, "depthwise_kernel")
    *window, channels, multiplier = (int(dim) for dim in given.shape)
    wide = tracer.emit(ops.Reshape((*window, 1, channels * multiplier)), given)
    return _conv(tracer, op, x, wide, groups=channels)


def _transposed_padding(
    padding: str, window: int, stride: int, dilation: int, extra: int | None
) -> tuple[tuple[int, int], int]:
    """Return the cropping of the full result and the padding after it, for one axis.

    Keras' size is n·s + max(k - s, 0) for ``valid`` and n·s for ``same``; with output padding p it
    is (n - 1)·s + k - 2·⌊k/2⌋·[same] + p, where k is the dilated kernel size. TensorFlow cuts the
    extra element at the end.
    """
    reach = (window - 1) * dilation + 1
    if extra is not None:
        cut = 2 * (reach // 2) - extra if padding == "same" else -extra
    else:
        cut = reach - stride if padding == "same" else min(reach - stride, 0)
    if cut < 0:
        return (0, 0), -cut
    return (cut // 2, cut - cut // 2), 0
