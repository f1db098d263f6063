"""The rule for group normalisation, with unchanged axes. Keras splits the groups into a new axis,
which channels-first formats must move, and which exceeds the greatest rank for volumes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import layers

from kspec.compiler import ops
from kspec.compiler.ir import DType, Value
from kspec.compiler.rules.arithmetic import cast
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: normalization")


@rules(layers.GroupNormalization)
def group_normalization(tracer: Tracer, layer: Any, inputs: Value) -> Value:
    """(x - μ) / √(σ² + ε) · γ + β, with mean and variance over a group of channels and all other
    axes except the batch axis (Wu and He 2018)"""
    x = cast(tracer, tracer.value(inputs), DType.float32)
    axis = layer.axis % x.type.rank
    centred = tracer.emit(ops.Subtract(), x, _mean(tracer, x, axis, layer.groups))
    variance = _mean(tracer, tracer.emit(ops.Square(), centred), axis, layer.groups)
    epsilon = tracer.value(np.float32(layer.epsilon), "epsilon")
    inverse = tracer.emit(ops.Rsqrt(), tracer.emit(ops.Add(), variance, epsilon))
    shape = [x.shape[axis] if each == axis else 1 for each in range(x.type.rank)]
    if layer.scale:
        gamma = tracer.emit(ops.Reshape(tuple(shape)), tracer.value(layer.gamma))
        inverse = tracer.emit(ops.Multiply(), inverse, gamma)
    result = tracer.emit(ops.Multiply(), centred, inverse)
    if layer.center:
        beta = tracer.emit(ops.Reshape(tuple(shape)), tracer.value(layer.beta))
        result = tracer.emit(ops.Add(), result, beta)
    return cast(tracer, result, DType(layer.compute_dtype))


def _mean(tracer: Tracer, x: Value, axis: int, groups: int) -> Value:
    """Return each group's mean, for each of its channels: the mean of the channels' means, since
    all channels have equally many elements."""
    channels = int(x.shape[axis])
    each = channels // groups
    others = tuple(a for a in range(1, x.type.rank) if a != axis or groups == 1)
    means = tracer.emit(ops.Mean(others, keepdims=True), x) if others else x
    if 1 in (groups, each):
        return means
    rows = tracer.emit(ops.Reshape((x.shape[0], groups, each)), means)
    wide = tracer.emit(ops.Repeat(each, 1), tracer.emit(ops.Mean((2,)), rows))
    return tracer.emit(ops.Reshape(means.shape), wide)
