"""Sorting operations, and the gather that uses their indices. Equal elements keep their order, as
in the other runtimes."""

from __future__ import annotations

import numpy as np

from kspec.compiler.ir import Array
from kspec.targets.formats.coreml.evaluator.errors import PackageError
from kspec.targets.formats.coreml.evaluator.kernels.elementwise import Kernel


def _argsort(x: Array, axis: Array, ascending: Array) -> Array:
    if ascending:
        return np.argsort(x, axis=int(axis), kind="stable").astype(np.int32)
    backwards = np.argsort(np.flip(x, int(axis)), axis=int(axis), kind="stable")
    return (x.shape[int(axis)] - 1 - np.flip(backwards, int(axis))).astype(np.int32)


def _topk(
    x: Array, k: Array, axis: Array, ascending: Array, sort: Array, return_indices: Array
) -> Array:
    if return_indices or not sort:
        raise NotImplementedError("a topk with indices, or without an order")
    order = _argsort(x, axis, ascending)
    places = np.take(order, np.arange(int(k)), axis=int(axis))
    return np.take_along_axis(x, places, axis=int(axis))


def _gather_along_axis(
    x: Array, indices: Array, axis: Array, validate_indices: Array | None = None
) -> Array:
    """Gather along an axis. An index outside the axis, undefined since iOS 17, is an error here."""
    if validate_indices is not None and bool(validate_indices):
        raise NotImplementedError("a gather that validates")
    size = x.shape[int(axis)]
    if indices.size and not 0 <= indices.min() <= indices.max() < size:
        raise PackageError(f"an index lies outside the {size} elements of the gathered axis")
    return np.take_along_axis(x, indices, axis=int(axis))


KERNELS: dict[str, Kernel] = {
    "argsort": _argsort,
    "topk": _topk,
    "gather_along_axis": _gather_along_axis,
}
