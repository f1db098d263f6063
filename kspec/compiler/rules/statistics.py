"""Rules for reductions and accumulations composed of simpler ones; operations named ``nan…`` ignore
NaN."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops as kops
from keras.src.ops import numpy as knp

from kspec.compiler import ops
from kspec.compiler.ir import DType, Value
from kspec.compiler.rules.arithmetic import as_float, cast
from kspec.compiler.rules.reduction import axes_of
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: statistics")


def present(x: Any) -> Any:
    return kops.cast(kops.logical_not(kops.isnan(x)), x.dtype)


def without_nan(x: Any, number: float = 0.0) -> Any:
    return kops.where(kops.isnan(x), number, x)


def nan_mean(op: Any, x: Any, *, keepdims: bool) -> Any:
    total = kops.sum(without_nan(x), axis=op.axis, keepdims=keepdims)
    return total / kops.sum(present(x), axis=op.axis, keepdims=keepdims)


def nan_variance(op: Any, x: Any) -> Any:
    away = kops.square(without_nan(x - nan_mean(op, x, keepdims=True)))
    total = kops.sum(away, axis=op.axis, keepdims=op.keepdims)
    return total / kops.sum(present(x), axis=op.axis, keepdims=op.keepdims)


def nan_extreme(op: Any, x: Any) -> Any:
    """The extreme element that is not NaN; NaN if all elements are NaN"""
    greatest = isinstance(op, knp.Nanmax)
    reduce = kops.max if greatest else kops.min
    found = reduce(
        without_nan(x, -math.inf if greatest else math.inf), axis=op.axis, keepdims=op.keepdims
    )
    missing = kops.all(kops.isnan(x), axis=op.axis, keepdims=op.keepdims)
    return kops.where(missing, math.nan, found)


def nan_place(op: Any, x: Any) -> Any:
    """The index of the extreme element that is not NaN; -1 if all elements are NaN"""
    greatest = isinstance(op, knp.Nanargmax)
    find = kops.argmax if greatest else kops.argmin
    found = find(
        without_nan(x, -math.inf if greatest else math.inf), axis=op.axis, keepdims=op.keepdims
    )
    missing = kops.all(kops.isnan(x), axis=op.axis, keepdims=op.keepdims)
    return kops.where(missing, -1, found)


_NAN: Mapping[type, Callable[[Any, Any], Any]] = {
    knp.Nanargmax: nan_place,
    knp.Nanargmin: nan_place,
    knp.Nancumprod: lambda op, x: kops.cumprod(without_nan(x, 1.0), op.axis, op.dtype),
    knp.Nancumsum: lambda op, x: kops.cumsum(without_nan(x), op.axis, op.dtype),
    knp.Nanmax: nan_extreme,
    knp.Nanmean: lambda op, x: nan_mean(op, x, keepdims=op.keepdims),
    knp.Nanmin: nan_extreme,
    knp.Nanprod: lambda op, x: kops.prod(without_nan(x, 1.0), op.axis, op.keepdims),
    knp.Nanstd: lambda op, x: kops.sqrt(nan_variance(op, x)),
    knp.Nansum: lambda op, x: kops.sum(without_nan(x), op.axis, op.keepdims),
    knp.Nanvar: nan_variance,
}
_OF_INTEGERS: Mapping[type, Callable[[Any, Any], Any]] = {
    knp.Nanargmax: lambda op, x: kops.argmax(x, op.axis, op.keepdims),
    knp.Nanargmin: lambda op, x: kops.argmin(x, op.axis, op.keepdims),
    knp.Nancumprod: lambda op, x: kops.cumprod(x, op.axis, op.dtype),
    knp.Nancumsum: lambda op, x: kops.cumsum(x, op.axis, op.dtype),
    knp.Nanmax: lambda op, x: kops.max(x, op.axis, op.keepdims),
    knp.Nanmin: lambda op, x: kops.min(x, op.axis, op.keepdims),
    knp.Nanprod: lambda op, x: kops.prod(x, op.axis, op.keepdims),
    knp.Nansum: lambda op, x: kops.sum(x, op.axis, op.keepdims),
}
"""The equivalent operations for integers, which have no NaN; their mean is a float."""


@rules(*_NAN)
def ignoring_nan(tracer: Tracer, op: Any, x: Any) -> Any:
    value = tracer.value(x)
    if not value.dtype.is_float and type(op) in _OF_INTEGERS:
        return tracer.record(_OF_INTEGERS[type(op)], op, value)
    return tracer.record(_NAN[type(op)], op, as_float(tracer, value))


@rules(knp.Cumprod)
def cumulative_product(tracer: Tracer, op: Any, x: Any) -> Any:
    """The running product by doubling: multiply by the element 1 position before, then 2, then 4"""
    value = tracer.value(x)
    if op.dtype is not None:
        value = cast(tracer, value, DType(op.dtype))
    if op.axis is None and any(isinstance(dim, str) for dim in value.shape):
        raise tracer.error("a running product over all axes would mix the rows of a batch")

    def formula(x: Any) -> Any:
        if op.axis is None:
            x = kops.reshape(x, (-1,))
        axis = (op.axis or 0) % len(x.shape)
        size, distance = x.shape[axis], 1
        while distance < size:
            widths = [(distance, 0) if each == axis else (0, 0) for each in range(len(x.shape))]
            key = [slice(None)] * len(x.shape)
            key[axis] = slice(0, size - distance)
            x = x * kops.pad(x[tuple(key)], widths, constant_values=1)
            distance *= 2
        return x

    if op.axis is not None and isinstance(value.shape[op.axis], str):
        raise tracer.error("a running product along an axis of unknown size is not lowered")
    return tracer.record(formula, value)


@rules(knp.Average)
def average(tracer: Tracer, op: Any, x: Any, weights: Any = None) -> Any:
    """Σ w · x / Σ w; weights of rank 1 belong to ``axis``"""

    def formula(x: Any, weights: Any) -> Any:
        if weights is None:
            return kops.mean(x, axis=op.axis)
        if op.axis is not None and len(weights.shape) < len(x.shape):
            shape = [1] * len(x.shape)
            shape[op.axis] = -1
            weights = kops.reshape(weights, shape)
            return kops.sum(x * weights, axis=op.axis) / kops.sum(weights)
        return kops.sum(x * weights, axis=op.axis) / kops.sum(weights, axis=op.axis)

    given = None if weights is None else as_float(tracer, weights)
    return tracer.record(formula, as_float(tracer, x), given)


@rules(knp.CountNonzero)
def count_nonzero(tracer: Tracer, op: Any, x: Any) -> Value:
    value = tracer.value(x)
    zero = tracer.value(np.zeros((), value.dtype.numpy), "zero")
    counted = cast(tracer, tracer.emit(ops.NotEqual(), value, zero), DType.int32)
    axes = axes_of(op.axis, value.type.rank)
    return tracer.emit(ops.Sum(axes), counted) if axes else counted


@rules(knp.Ptp)
def range_of(tracer: Tracer, op: Any, x: Any) -> Any:
    def formula(x: Any) -> Any:
        return kops.max(x, op.axis, op.keepdims) - kops.min(x, op.axis, op.keepdims)

    return tracer.record(formula, tracer.value(x))


@rules(knp.Diff)
def difference(tracer: Tracer, op: Any, a: Any) -> Any:
    def formula(x: Any) -> Any:
        axis = op.axis % len(x.shape)
        for _ in range(op.n):
            key = [slice(None)] * len(x.shape)
            key[axis] = slice(1, None)
            later = x[tuple(key)]
            key[axis] = slice(0, -1)
            earlier = x[tuple(key)]
            boolean = str(x.dtype) == "bool"
            x = kops.not_equal(later, earlier) if boolean else later - earlier
        return x

    return tracer.record(formula, tracer.value(a))


@rules(knp.Trapezoid)
def trapezoid(tracer: Tracer, op: Any, y: Any) -> Any:
    """Σ of the means of neighbours, multiplied by their distance"""

    def formula(y: Any, x: Any) -> Any:
        y = kops.moveaxis(y, op.axis, -1)
        means = (y[..., 1:] + y[..., :-1]) / 2
        if x is None:
            return kops.sum(means * op.dx, axis=-1)
        x = x if len(x.shape) == 1 else kops.moveaxis(x, op.axis, -1)
        return kops.sum(means * (x[..., 1:] - x[..., :-1]), axis=-1)

    places = None if op.x is None else as_float(tracer, op.x)
    return tracer.record(formula, as_float(tracer, y), places)


@rules(knp.Corrcoef)
def correlation(tracer: Tracer, _op: Any, x: Any) -> Any:
    def formula(x: Any) -> Any:
        centred = x - kops.mean(x, axis=-1, keepdims=True)
        products = kops.matmul(centred, kops.swapaxes(centred, -1, -2))
        size = kops.sqrt(kops.sum(kops.square(centred), axis=-1))
        result = products / (kops.expand_dims(size, -1) * kops.expand_dims(size, -2))
        return kops.clip(result, -1.0, 1.0)

    return tracer.record(formula, as_float(tracer, x))
