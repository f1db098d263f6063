"""Rules for products and norms of ``keras.ops``."""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops as kops
from keras.src.ops import linalg
from keras.src.ops import math as kmath
from keras.src.ops import numpy as knp

from kspec.compiler.ir import Value
from kspec.compiler.rules.arithmetic import as_float, promoted
from kspec.compiler.rules.einsum import summed_product
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: products")

_LETTERS = string.ascii_lowercase


def dot(x: Any, y: Any) -> Any:
    """The product over the last axis of x and the second to last of y"""
    if not x.shape or not y.shape:
        return x * y
    if len(y.shape) == 1:
        return kops.tensordot(x, y, axes=[[-1], [0]])
    return kops.tensordot(x, y, axes=[[-1], [-2]])


def cross(op: Any, x: Any, y: Any) -> Any:
    """x × y of 3-vectors; a 2-vector has a third element 0, and two 2-vectors yield a scalar"""
    x, y = kops.moveaxis(x, op.axisa, -1), kops.moveaxis(y, op.axisb, -1)
    first = [x[..., place] for place in range(x.shape[-1])]
    second = [y[..., place] for place in range(y.shape[-1])]
    if len(first) == len(second) == 2:
        return first[0] * second[1] - first[1] * second[0]
    (a, b, c), (d, e, f) = ([*each, 0.0 * each[0]][:3] for each in (first, second))
    result = kops.stack([b * f - c * e, c * d - a * f, a * e - b * d], axis=-1)
    return kops.moveaxis(result, -1, op.axisc)


def kronecker(x: Any, y: Any) -> Any:
    rank = max(len(x.shape), len(y.shape))
    left = (*[1] * (rank - len(x.shape)), *x.shape)
    right = (*[1] * (rank - len(y.shape)), *y.shape)
    wide = [dim for each in left for dim in (each, 1)], [dim for each in right for dim in (1, each)]
    product = kops.reshape(x, wide[0]) * kops.reshape(y, wide[1])
    return kops.reshape(product, [a * b for a, b in zip(left, right, strict=True)])


_FORMULAS: Mapping[type, Callable[..., Any]] = {
    knp.Cross: cross,
    knp.Dot: lambda _, x, y: dot(x, y),
    knp.Inner: lambda _, x, y: (
        kops.tensordot(x, y, axes=[[-1], [-1]]) if x.shape and y.shape else x * y
    ),
    knp.Kron: lambda _, x, y: kronecker(x, y),
    knp.Outer: lambda _, x, y: kops.reshape(x, (-1, 1)) * kops.reshape(y, (1, -1)),
    knp.Vdot: lambda _, x, y: kops.sum(kops.reshape(x, (-1,)) * kops.reshape(y, (-1,))),
    kmath.CDist: lambda _, x, y: kops.sqrt(
        kops.sum(kops.square(kops.expand_dims(x, -2) - kops.expand_dims(y, -3)), axis=-1)
    ),
}


@rules(*_FORMULAS)
def product(tracer: Tracer, op: Any, x1: Any, x2: Any) -> Any:
    return tracer.record(_FORMULAS[type(op)], op, *promoted(tracer, x1, x2))


@rules(knp.Tensordot)
def tensordot(tracer: Tracer, op: Any, x1: Any, x2: Any) -> Value:
    left, right = promoted(tracer, x1, x2)
    first, second = left.type.rank, right.type.rank
    if isinstance(op.axes, int):
        pairs = [(first - op.axes + each, each) for each in range(op.axes)]
    else:
        pairs = [
            (int(a) % first, int(b) % second)
            for a, b in zip(*map(np.atleast_1d, op.axes), strict=True)
        ]
    names = list(_LETTERS[:first])
    others = list(_LETTERS[first : first + second])
    for a, b in pairs:
        others[b] = names[a]
    result = [each for each in (*names, *others) if (each in names) != (each in others)]
    equation = f"{''.join(names)},{''.join(others)}->{''.join(result)}"
    return summed_product(tracer, equation, (left, right))


@rules(knp.Correlate)
def correlate(tracer: Tracer, op: Any, x1: Any, x2: Any) -> Any:
    """Σ x[n + k] · y[n] for each shift k: a one-dimensional convolution"""

    def formula(x: Any, y: Any) -> Any:
        size, taps = x.shape[0], y.shape[0]
        around = 0 if op.mode == "valid" else taps - 1
        padded = kops.reshape(kops.pad(x, (around, around)), (1, -1, 1))
        result = kops.conv(padded, kops.reshape(y, (taps, 1, 1)), padding="valid")
        result = kops.reshape(result, (-1,))
        if op.mode != "same":
            return result
        wanted = max(size, taps)
        start = (size + taps - 1 - wanted) // 2
        return kops.slice(result, (start,), (wanted,))

    x, y = (as_float(tracer, each) for each in promoted(tracer, x1, x2))
    return tracer.record(formula, x, y)


@rules(linalg.Norm)
def norm(tracer: Tracer, op: Any, x: Any) -> Any:
    """Vector norms: (Σ |x|^ord)^(1/ord), its limits, or the number of non-zero elements. Matrix
    norms: Frobenius, or the greatest or least absolute sum of columns (1) or rows (inf)."""
    axes = op.axis if op.axis is None or not isinstance(op.axis, int) else (op.axis,)

    def formula(x: Any) -> Any:
        rank = len(x.shape)
        if axes is None and op.ord is None:
            total = kops.sqrt(kops.sum(kops.square(x)))
            return kops.reshape(total, (1,) * rank) if op.keepdims else total
        used = tuple(axes or range(rank))
        if len(used) == 1:
            return vector_norm(x, op.ord, used[0], keepdims=op.keepdims)
        return matrix_norm(x, op.ord, used, keepdims=op.keepdims)

    value = as_float(tracer, x)
    if (isinstance(op.ord, str) and op.ord == "nuc") or _is_spectral(op, axes, value.type.rank):
        raise tracer.error("a norm by singular values: no format decomposes matrices")
    return tracer.record(formula, value)


def _is_spectral(op: Any, axes: Any, rank: int) -> bool:
    count = rank if axes is None else len(axes)
    return count == 2 and op.ord in (2, -2)


def vector_norm(x: Any, order: Any, axis: int, *, keepdims: bool) -> Any:
    size = kops.abs(x)
    match order:
        case None | 2 | "fro" | "euclidean":
            return kops.sqrt(kops.sum(kops.square(x), axis=axis, keepdims=keepdims))
        case 0:
            counted = kops.cast(kops.not_equal(x, 0.0), x.dtype)
            return kops.sum(counted, axis=axis, keepdims=keepdims)
        case 1:
            return kops.sum(size, axis=axis, keepdims=keepdims)
        case math.inf | "inf":
            return kops.max(size, axis=axis, keepdims=keepdims)
    if order == -math.inf:
        return kops.min(size, axis=axis, keepdims=keepdims)
    total = kops.sum(kops.power(size, float(order)), axis=axis, keepdims=keepdims)
    return kops.power(total, 1.0 / float(order))


def matrix_norm(x: Any, order: Any, axes: tuple[int, ...], *, keepdims: bool) -> Any:
    if order in (None, "fro", "euclidean"):
        return kops.sqrt(kops.sum(kops.square(x), axis=axes, keepdims=keepdims))
    row, column = (axis % len(x.shape) for axis in axes)
    summed, chosen = (row, column) if abs(order) == 1 else (column, row)
    sums = kops.sum(kops.abs(x), axis=summed, keepdims=True)
    choose = kops.max if order > 0 else kops.min
    result = choose(sums, axis=chosen, keepdims=True)
    return result if keepdims else kops.squeeze(result, axis=axes)
