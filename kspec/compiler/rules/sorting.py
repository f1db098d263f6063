"""Rules for sorting, and for functions of sorted elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops as kops
from keras.src.ops import math as kmath
from keras.src.ops import nn
from keras.src.ops import numpy as knp

from kspec.compiler import ops
from kspec.compiler.ir import DType, Value
from kspec.compiler.rules.arithmetic import as_float, cast
from kspec.compiler.rules.creation import known_array
from kspec.compiler.rules.reduction import axes_of
from kspec.compiler.rules.shape import reshaped
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: sorting")


def last_axis(
    tracer: Tracer, value: Value, axis: int | None
) -> tuple[Value, Callable[[Value], Value]]:
    """Return the value with the axis moved last (flattened for None), and the inverse function."""
    if axis is None:
        return reshaped(tracer, value, (-1,)), lambda result: result
    rank = value.type.rank
    place = axis % rank
    if place == rank - 1:
        return value, lambda result: result
    perm = (*(each for each in range(rank) if each != place), place)
    back = tuple(perm.index(each) for each in range(rank))
    moved = tracer.emit(ops.Transpose(perm), value)
    return moved, lambda result: tracer.emit(ops.Transpose(back), result)


def reversed_order(tracer: Tracer, value: Value) -> Value:
    """-x, or -1 - x for integers, which does not overflow: the order is reversed"""
    if value.dtype.is_float:
        return tracer.emit(ops.Negative(), value)
    return tracer.emit(ops.Subtract(), tracer.value(value.dtype.numpy.type(-1)), value)


def length(tracer: Tracer, value: Value) -> int:
    size = value.shape[-1]
    if isinstance(size, str):
        raise tracer.error(f"to be sorted, an axis must have a known size, not {size}")
    return size


def ascending(tracer: Tracer, value: Value) -> Value:
    """Return the elements of the last axis in ascending order."""
    greatest_first = ops.TopK(length(tracer, value))
    return reversed_order(tracer, tracer.emit(greatest_first, reversed_order(tracer, value)))


def ranked(tracer: Tracer, value: Value) -> Value:
    """Convert a value to a type that the sorting operations accept, with the same order."""
    return cast(tracer, value, DType.int32) if value.dtype is DType.boolean else value


@rules(knp.Sort)
def sort(tracer: Tracer, op: Any, x: Any) -> Value:
    given = tracer.value(x)
    value, back = last_axis(tracer, ranked(tracer, given), op.axis)
    return cast(tracer, back(ascending(tracer, value)), given.dtype)


@rules(knp.Argsort)
def argsort(tracer: Tracer, op: Any, x: Any) -> Value:
    value, back = last_axis(tracer, ranked(tracer, tracer.value(x)), op.axis)
    places = ops.ArgTopK(length(tracer, value))
    return back(tracer.emit(places, reversed_order(tracer, value)))


@rules(kmath.TopK)
def top_k(tracer: Tracer, op: Any, x: Any) -> tuple[Value, Value]:
    """Return the greatest elements and their indices, sorted even if ``sorted`` is false."""
    value = tracer.value(x)
    return tracer.emit(ops.TopK(op.k), value), tracer.emit(ops.ArgTopK(op.k), value)


@rules(kmath.InTopK)
def in_top_k(tracer: Tracer, op: Any, targets: Any, predictions: Any) -> Any:
    """Whether fewer than k scores are greater than the target's score"""

    def formula(targets: Any, scores: Any) -> Any:
        own = kops.take_along_axis(scores, kops.expand_dims(targets, -1), axis=-1)
        return kops.sum(kops.cast(scores > own, "int32"), axis=-1) < op.k

    return tracer.record(formula, tracer.value(targets), tracer.value(predictions))


@rules(nn.Sparsemax)
def sparsemax(tracer: Tracer, op: Any, x: Any) -> Any:
    """max(x - τ, 0); the support is the k greatest elements with 1 + k · x₍ₖ₎ > their sum (Martins
    and Astudillo 2016). The paper's τ is (sum of the support - 1) / k; Keras, and so this rule,
    uses the sum of all running sums in the support."""

    def formula(x: Any) -> Any:
        ordered = -kops.sort(-x, axis=-1)
        sums = kops.cumsum(ordered, axis=-1)
        counts = np.arange(1, x.shape[-1] + 1, dtype=np.float32)
        support = ordered - (sums - 1.0) / counts > 0.0
        size = kops.sum(kops.cast(support, x.dtype), axis=-1, keepdims=True)
        total = kops.sum(kops.where(support, sums, 0.0), axis=-1, keepdims=True)
        return kops.maximum(x - (total - 1.0) / size, 0.0)

    value, back = last_axis(tracer, as_float(tracer, x), op.axis)
    return back(tracer.record(formula, value))


@rules(knp.Quantile, knp.Percentile, knp.Median)
def quantile(tracer: Tracer, op: Any, x: Any, q: Any = 0.5) -> Any:
    """The elements of the sorted axes at q · (n - 1), or interpolated between its neighbours"""
    shares = np.asarray(known_array(tracer, q, "q"), np.float64)
    if isinstance(op, knp.Percentile):
        shares = shares / 100
    method = getattr(op, "method", "linear")
    if isinstance(op, knp.Quantile) and method != "linear":
        raise tracer.error("a Keras model computes quantile linearly only; use percentile")
    value = as_float(tracer, x)
    rank = value.type.rank
    axes = axes_of(op.axis, rank)
    kept = [axis for axis in range(rank) if axis not in axes]
    size = int(np.prod([_known(tracer, value.shape[axis]) for axis in axes], dtype=int))
    lead = [value.shape[axis] for axis in kept]
    moved = tracer.emit(ops.Transpose((*kept, *axes)), value)
    flat = tracer.emit(ops.Reshape((*lead, size)), moved)
    ordered = ascending(tracer, flat)
    places = shares.ravel() * (size - 1)
    parts = [_at(tracer, ordered, place, method) for place in places]
    final = (
        [1 if axis in axes else value.shape[axis] for axis in range(rank)] if op.keepdims else lead
    )
    if shares.ndim == 0:
        return tracer.emit(ops.Reshape(tuple(final)), parts[0])
    wide = [tracer.emit(ops.Reshape((1, *final)), part) for part in parts]
    joined = tracer.emit(ops.Concat(0), *wide)
    return tracer.emit(ops.Reshape((*shares.shape, *final)), joined)


def _known(tracer: Tracer, dim: Any) -> int:
    if isinstance(dim, str):
        raise tracer.error(f"to be sorted, an axis must have a known size, not {dim}")
    return int(dim)


def _at(tracer: Tracer, ordered: Value, place: float, method: str) -> Value:
    """Return the element (…, 1) of the last axis at a position that may be fractional."""
    low, high = int(np.floor(place)), int(np.ceil(place))
    axis = ordered.type.rank - 1

    def pick(index: int) -> Value:
        return tracer.emit(ops.Slice((axis,), (index,), (index + 1,), (1,)), ordered)

    match method:
        case "lower":
            return pick(low)
        case "higher":
            return pick(high)
        case "nearest":
            return pick(int(np.rint(place)))
    if low == high:
        return pick(low)
    share = 0.5 if method == "midpoint" else place - low
    weights = [tracer.value(np.float32(each)) for each in (1 - share, share)]
    pair = [
        tracer.emit(ops.Multiply(), *each)
        for each in zip((pick(low), pick(high)), weights, strict=True)
    ]
    return tracer.emit(ops.Add(), *pair)


@rules(knp.SearchSorted)
def search_sorted(tracer: Tracer, op: Any, sorted_sequence: Any, values: Any) -> Any:
    """The number of elements of the sequence < (left), or ≤ (right), each value"""

    def formula(sequence: Any, values: Any) -> Any:
        wide = kops.expand_dims(values, -1)
        before = sequence < wide if op.side == "left" else sequence <= wide
        return kops.sum(kops.cast(before, "int32"), axis=-1)

    return tracer.record(formula, tracer.value(sorted_sequence), tracer.value(values))


@rules(knp.Digitize)
def digitize(tracer: Tracer, _op: Any, x: Any, bins: Any) -> Any:
    """The number of bounds ≤ each value"""
    bounds = np.asarray(known_array(tracer, bins, "bins"), np.float32)

    def formula(x: Any) -> Any:
        return kops.sum(kops.cast(kops.expand_dims(x, -1) >= bounds, "int32"), axis=-1)

    return tracer.record(formula, as_float(tracer, x))


@rules(knp.IsIn)
def is_in(tracer: Tracer, op: Any, x1: Any, x2: Any) -> Any:
    def formula(x: Any, among: Any) -> Any:
        found = kops.equal(kops.expand_dims(x, -1), kops.reshape(among, (-1,)))
        result = kops.any(found, axis=-1)
        return kops.logical_not(result) if op.invert else result

    return tracer.record(formula, tracer.value(x1), tracer.value(x2))
