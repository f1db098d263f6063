"""Sorting operations, and the gather that uses their indices."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array
from kspec.compiler.table import Table

rules: Table[Callable[..., Array]] = Table("reference")


@rules(ops.ArgTopK)
def arg_top_k(op: ops.ArgTopK, x: Array) -> Array:
    """Sort descending and stable: sort the reversed array ascending and reverse the result."""
    last = x.shape[-1] - 1
    order = np.argsort(x[..., ::-1], axis=-1, kind="stable")[..., ::-1]
    return np.asarray(last - order[..., : op.k], np.int32)


@rules(ops.TopK)
def top_k(op: ops.TopK, x: Array) -> Array:
    return np.asarray(np.sort(x, axis=-1)[..., ::-1][..., : op.k])


@rules(ops.TakeAlongAxis)
def take_along_axis(op: ops.TakeAlongAxis, x: Array, indices: Array) -> Array:
    return np.take_along_axis(x, indices, axis=op.axis)
