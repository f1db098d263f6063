"""Operations that only move elements."""

from __future__ import annotations

import numpy as np

from kspec.compiler.ir import Array
from kspec.targets.formats.coreml.evaluator.errors import PackageError
from kspec.targets.formats.coreml.evaluator.kernels.elementwise import Kernel


def _reshape(x: Array, shape: Array) -> Array:
    if (shape == 0).any():
        raise NotImplementedError("a reshape that inherits dimensions")
    return x.reshape(shape.tolist())


def _transpose(x: Array, perm: Array) -> Array:
    return np.ascontiguousarray(x.transpose(perm.tolist()))


def _concat(values: tuple[Array, ...], axis: Array, interleave: Array) -> Array:
    if interleave:
        raise NotImplementedError("a concatenation that interleaves")
    return np.concatenate(values, axis=int(axis))


def _slice(
    x: Array, begin: Array, end: Array, stride: Array, begin_mask: Array, end_mask: Array
) -> Array:
    rows = zip(begin, end, stride, begin_mask, end_mask, strict=True)
    window = tuple(
        slice(None if open_start else int(low), None if open_end else int(high), int(step))
        for low, high, step, open_start, open_end in rows
    )
    return np.ascontiguousarray(x[window])


def _pad(x: Array, pad: Array, mode: str, constant_val: Array) -> Array:
    pairs = pad.reshape(-1, 2)
    if mode == "constant":
        widths = [(0, 0)] * (x.ndim - len(pairs)) + [tuple(pair) for pair in pairs.tolist()]
        return np.pad(x, widths, constant_values=constant_val)
    outer, inner = pairs[:-2], pairs[-2:]
    if len(pairs) != x.ndim or outer.any():
        raise PackageError(f"Core ML pads by {mode} in the last two axes only")
    for axis, (low, high) in enumerate(inner.tolist(), x.ndim - 2):
        x = np.take(x, _padded_positions(x.shape[axis], low, high, mode), axis)
    return x


def _padded_positions(size: int, low: int, high: int, mode: str) -> Array:
    """Return the index of the element at each position of a padded axis."""
    if max(low, high) > (size - 1 if mode == "reflect" else size):
        raise PackageError(f"Core ML cannot pad {size} elements by {low} and {high} with {mode}")
    places = np.arange(-low, size + high)
    if mode == "replicate":
        return np.clip(places, 0, size - 1)
    return (size - 1) - np.abs(size - 1 - np.abs(places))


def _tile(x: Array, reps: Array) -> Array:
    if reps.size != x.ndim:
        raise PackageError(f"tile repeats {reps.size} axes of {x.ndim}")
    return np.tile(x, reps.tolist())


def _gather(
    x: Array,
    indices: Array,
    axis: Array,
    batch_dims: Array | int = 0,
    validate_indices: Array | None = None,
) -> Array:
    """Gather. An index outside the axis, undefined since iOS 17, is an error here."""
    if int(batch_dims) or (validate_indices is not None and bool(validate_indices)):
        raise NotImplementedError("a gather with batch axes, or that validates")
    size = x.shape[int(axis)]
    if indices.size and not 0 <= indices.min() <= indices.max() < size:
        raise PackageError(f"an index lies outside the {size} elements of the gathered axis")
    return np.take(x, indices, axis=int(axis))


def _reverse(x: Array, axes: Array) -> Array:
    return np.ascontiguousarray(np.flip(x, tuple(axes.tolist())))


def _expand(x: Array, axes: Array) -> Array:
    return np.expand_dims(x, tuple(axes.tolist()))


def _squeeze(x: Array, axes: Array | None = None) -> Array:
    return np.squeeze(x, None if axes is None else tuple(axes.tolist()))


def _scatter(
    data: Array,
    indices: Array,
    updates: Array,
    axis: Array,
    mode: str,
    validate_indices: Array | None = None,
) -> Array:
    if mode != "update" or (validate_indices is not None and bool(validate_indices)):
        raise NotImplementedError(f"a scatter that validates, or does anything but update: {mode}")
    result = np.moveaxis(data.copy(), int(axis), 0)
    if indices.size and not 0 <= indices.min() <= indices.max() < len(result):
        raise PackageError(f"an index lies outside the {len(result)} elements of the axis")
    result[indices] = np.moveaxis(updates, int(axis), 0)
    return np.ascontiguousarray(np.moveaxis(result, 0, int(axis)))


KERNELS: dict[str, Kernel] = {
    "reshape": _reshape,
    "transpose": _transpose,
    "concat": _concat,
    "slice_by_index": _slice,
    "pad": _pad,
    "tile": _tile,
    "gather": _gather,
    "reverse": _reverse,
    "expand_dims": _expand,
    "fill": lambda shape, value: np.full(shape.tolist(), value),
    "scatter": _scatter,
    "squeeze": _squeeze,
    "shape": lambda x: np.array(x.shape, np.int32),
}
