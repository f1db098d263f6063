"""Operations that reduce or accumulate along axes. Floats are summed in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array, Op
from kspec.compiler.table import Table

rules: Table[Callable[..., Array]] = Table("reference")

_ACCUMULATING: Mapping[type[Op], Callable[..., Array]] = {
    ops.Sum: np.sum,
    ops.Mean: np.mean,
    ops.Prod: np.prod,
}
_CHOOSING: Mapping[type[Op], Callable[..., Array]] = {
    ops.Max: np.max,
    ops.Min: np.min,
    ops.All: np.all,
    ops.Any: np.any,
}


@rules(*_ACCUMULATING)
def accumulate(op: ops.Reduction, x: Array) -> Array:
    reduce = _ACCUMULATING[type(op)]
    wide = np.float64 if x.dtype.kind == "f" else x.dtype
    return reduce(x, axis=op.axes, keepdims=op.keepdims, dtype=wide).astype(x.dtype)


@rules(*_CHOOSING)
def choose(op: ops.Reduction, x: Array) -> Array:
    return _CHOOSING[type(op)](x, axis=op.axes, keepdims=op.keepdims)


@rules(ops.ArgMax, ops.ArgMin)
def arg_extreme(op: ops.ArgMax | ops.ArgMin, x: Array) -> Array:
    find = np.argmax if isinstance(op, ops.ArgMax) else np.argmin
    return np.asarray(find(x, axis=op.axis, keepdims=op.keepdims), np.int32)


@rules(ops.CumSum)
def cumulative_sum(op: ops.CumSum, x: Array) -> Array:
    wide = np.float64 if x.dtype.kind == "f" else x.dtype
    return np.cumsum(x, axis=op.axis, dtype=wide).astype(x.dtype)
