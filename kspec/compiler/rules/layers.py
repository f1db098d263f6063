"""Rules for layers that cannot be traced: they branch on the backend or call it directly."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers
from keras.src.activations import activations

from kspec.compiler import ops
from kspec.compiler.ir import DType, Value
from kspec.compiler.rules.arithmetic import add, as_float, cast
from kspec.compiler.rules.neural import last, padding_of, per_axis
from kspec.compiler.substitutes import softmax, traceable
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: layers")

rules.refuse(
    "it runs Python code of its own that cannot be lowered; write a layer in keras.ops instead",
    layers.Lambda,
    layers.TFSMLayer,
    layers.TorchModuleWrapper,
    layers.JaxLayer,
    layers.FlaxLayer,
)


@rules(
    layers.Identity,
    layers.Dropout,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    layers.SpatialDropout3D,
    layers.AlphaDropout,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.ActivityRegularization,
    layers.RandomBrightness,
    layers.RandomContrast,
    layers.RandomSaturation,
    layers.RandomHue,
    layers.RandomColorDegeneration,
    layers.RandomColorJitter,
    layers.RandomGrayscale,
    layers.RandomInvert,
    layers.RandomPosterization,
    layers.RandomSharpness,
    layers.Solarization,
    layers.RandomGaussianBlur,
    layers.RandomErasing,
    layers.RandomFlip,
    layers.RandomRotation,
    layers.RandomTranslation,
    layers.RandomZoom,
    layers.RandomShear,
    layers.RandomPerspective,
    layers.RandomElasticTransform,
    layers.RandAugment,
    layers.AugMix,
)
def identity(_tracer: Tracer, _layer: Any, inputs: Value, **_: Any) -> Value:
    """Return the inputs: these layers act during training only."""
    return inputs


@rules(layers.Conv1D, layers.Conv2D, layers.Conv3D)
def conv(tracer: Tracer, layer: Any, inputs: Value) -> Any:
    """Lower without tracing: Keras' check of a grouped convolution's kernel fails on symbols.
    ``causal`` is zero padding on the left. With channels first, Keras adds the bias along the last
    axis if that has the same length: see ``bias_shape``."""
    count, x = layer.rank, tracer.value(inputs)
    dilations = per_axis(layer.dilation_rate, count)
    if layer.padding == "causal":
        before = (0, dilations[0] * (layer.kernel_size[0] - 1), 0)
        x = tracer.emit(ops.Pad(before, (0, 0, 0)), x)

    def lower(x: Value, *bias: Value) -> Value:
        strides, spatial = per_axis(layer.strides, count), x.shape[1:-1]
        padding = padding_of(layer, spatial, tuple(layer.kernel_size), strides, dilations)
        made = ops.Conv(strides, padding, "last", dilations, layer.groups)
        return tracer.emit(made, x, tracer.value(layer.kernel), *bias)

    bias = [tracer.value(layer.bias)] if layer.use_bias else []
    result = last(tracer, layer, x, lambda x: lower(x, *bias))
    if bias and layer.data_format == "channels_first" and result.shape[-1] == layer.filters:
        result = add(tracer, None, last(tracer, layer, x, lower), *bias)
    with traceable(layer):
        return tracer.record(layer.activation, result) if layer.activation else result


@rules(layers.BatchNormalization)
def batch_normalization(tracer: Tracer, layer: Any, inputs: Value, **_: Any) -> Value:
    """Normalise by the moving statistics. Keras cannot record this layer with an offset but no
    scale; a mask affects training only."""
    x = cast(tracer, tracer.value(inputs), DType.float32)
    mean, variance = tracer.value(layer.moving_mean), tracer.value(layer.moving_variance)
    ones = np.ones([int(dim) for dim in mean.shape], np.float32)
    scale = tracer.value(layer.gamma if layer.scale else ones, "scale")
    offset = tracer.value(layer.beta if layer.center else 0 * ones, "offset")
    made = ops.BatchNorm(layer.axis % x.type.rank, float(layer.epsilon))
    result = tracer.emit(made, x, scale, offset, mean, variance)
    return cast(tracer, result, DType(layer.compute_dtype))


@rules(
    layers.Add,
    layers.Subtract,
    layers.Multiply,
    layers.Average,
    layers.Maximum,
    layers.Minimum,
)
def merge(tracer: Tracer, layer: Any, inputs: Any) -> Any:
    """Insert axes after the batch axis for smaller ranks; Keras needs ranks that symbols lack."""
    values = [tracer.value(each) for each in inputs]
    rank = max(each.type.rank for each in values)
    wide = [
        each
        if each.type.rank == rank
        else tracer.emit(
            ops.Reshape((each.shape[0], *(1,) * (rank - each.type.rank), *each.shape[1:])), each
        )
        for each in values
    ]
    masks = [tracer.masks(each) for each in inputs]
    if (
        isinstance(layer, layers.Multiply)
        and any(masks)
        and all(each.type.rank == rank for each in values)
    ):
        return tracer.record(_masked_product, wide, masks)
    return tracer.record(layer._merge_function, wide)  # noqa: SLF001


def _masked_product(values: list[Any], masks: list[Any]) -> Any:
    """Multiply as Keras does: masked elements count as 1, or as 0 if all factors are masked."""
    wide = [None if mask is None else keras.ops.expand_dims(mask, -1) for mask in masks]
    ones = [
        x if mask is None else keras.ops.where(mask, x, keras.ops.cast(1, x.dtype))
        for x, mask in zip(values, wide, strict=True)
    ]
    product = reduce(keras.ops.multiply, ones)
    if any(mask is None for mask in wide):
        return product
    return keras.ops.where(
        reduce(keras.ops.logical_or, wide), product, keras.ops.cast(0, product.dtype)
    )


@rules(layers.Rescaling)
def rescaling(tracer: Tracer, layer: Any, inputs: Value) -> Value:
    """x · scale + offset"""
    scale, offset = np.float32(layer.scale), np.float32(layer.offset)
    scaled = tracer.emit(ops.Multiply(), as_float(tracer, inputs), tracer.value(scale, "scale"))
    if not offset.any():
        return scaled
    return tracer.emit(ops.Add(), scaled, tracer.value(offset, "offset"))


@rules(layers.Normalization)
def normalization(tracer: Tracer, layer: Any, inputs: Value) -> Value:
    """(x - mean) / max(√variance, epsilon), or its inverse with ``invert``"""
    x = as_float(tracer, inputs)
    mean = np.asarray(layer.mean, np.float32)
    deviation = np.maximum(np.sqrt(np.asarray(layer.variance, np.float32)), keras.config.epsilon())
    if layer.invert:
        scaled = tracer.emit(ops.Multiply(), x, tracer.value(deviation, "deviation"))
        return tracer.emit(ops.Add(), scaled, tracer.value(mean, "mean"))
    centred = tracer.emit(ops.Subtract(), x, tracer.value(mean, "mean"))
    return tracer.emit(ops.Divide(), centred, tracer.value(deviation, "deviation"))


@rules(layers.Softmax)
def softmax_layer(tracer: Tracer, layer: Any, inputs: Value, mask: Any = None) -> Any:
    """Softmax with probability 0 for masked elements, also if a whole axis is masked."""
    axis = layer.axis if isinstance(layer.axis, int) else tuple(layer.axis)

    def formula(x: Any, shown: Any) -> Any:
        shares = softmax(keras.ops.where(shown, x, -1e9), axis)
        return keras.ops.where(shown, shares, 0.0)

    x = as_float(tracer, inputs)
    if mask is None:
        return tracer.record(softmax, x, axis=axis)
    shown = tracer.value(mask, "mask")
    if shown.dtype is not DType.boolean:
        half = tracer.value(np.asarray(0.5).astype(shown.dtype.numpy), "half")
        shown = tracer.emit(ops.Greater(), shown, half)
    return tracer.record(formula, x, shown)


@rules(layers.ReLU, activations.ReLU)
def relu(tracer: Tracer, layer: Any, inputs: Value) -> Any:
    """min(x, max_value) for x ≥ threshold, negative_slope · (x - threshold) below"""
    x = as_float(tracer, inputs)
    slope, top, threshold = layer.negative_slope, layer.max_value, layer.threshold
    if threshold == 0 and slope == 0:
        return tracer.emit(ops.Relu() if top is None else ops.Clip(0.0, float(top)), x)
    if threshold == 0 and top is None:
        return tracer.emit(ops.LeakyRelu(float(slope)), x)

    def formula(x: Any) -> Any:
        below = slope * (x - threshold)
        above = x if top is None else keras.ops.minimum(x, float(top))
        return keras.ops.where(x > threshold, above, below)

    return tracer.record(formula, x)
