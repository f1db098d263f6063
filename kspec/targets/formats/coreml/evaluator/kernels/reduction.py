"""Reductions and cumulative operations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kspec.compiler.ir import Array
from kspec.targets.formats.coreml.evaluator.kernels.elementwise import Kernel


def _reduce(function: Callable[..., Array]) -> Kernel:
    def run(x: Array, axes: Array, keep_dims: Array) -> Array:
        reduced = function(x, axis=tuple(axes.tolist()), keepdims=bool(keep_dims))
        return np.asarray(reduced, x.dtype)

    return run


def _pick(function: Callable[..., Array]) -> Kernel:
    def run(x: Array, axis: Array, keep_dims: Array, output_dtype: str = "int32") -> Array:
        if output_dtype != "int32":
            raise NotImplementedError(f"indices of {output_dtype}")
        return function(x, axis=int(axis), keepdims=bool(keep_dims)).astype(np.int32)

    return run


def _cumsum(x: Array, axis: Array, exclusive: Array, reverse: Array) -> Array:
    if exclusive or reverse:
        raise NotImplementedError("cumsum runs forward and includes each element")
    return np.cumsum(x, axis=int(axis), dtype=x.dtype)


KERNELS: dict[str, Kernel] = {
    "reduce_sum": _reduce(np.sum),
    "reduce_mean": _reduce(np.mean),
    "reduce_max": _reduce(np.max),
    "reduce_min": _reduce(np.min),
    "reduce_prod": _reduce(np.prod),
    "reduce_argmax": _pick(np.argmax),
    "reduce_argmin": _pick(np.argmin),
    "cumsum": _cumsum,
}
