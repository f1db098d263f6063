"""Faults of columns that are NumPy arrays: the checks of `cells`, vectorised."""

from __future__ import annotations

from array import array as stdlib_array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from kspec.data.cells import LIMITS, Unread
from kspec.data.faults import Fault, Occurrence, not_a_number, not_finite, not_of

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


def faults_of(array: Array, dtype: str, unread: Unread | None) -> Iterator[Fault]:
    """Yield the faults that prevent converting an array [rows, ...] to `dtype`: float32, int32."""
    flat = array.reshape(len(array), -1)
    is_missing: Array = np.zeros(len(flat), bool)
    if flat.dtype.kind == "f":
        is_missing = np.asarray(~np.isfinite(flat).all(axis=1))
    is_odd = _outside(flat, dtype) & ~is_missing
    if unread is not None:
        rows = np.asarray(unread.rows)
        is_missing[rows] = False
        yield not_a_number(unread.first, int(rows[0]), len(rows))
    if is_missing.any():
        yield not_finite(int(is_missing.argmax()), int(is_missing.sum()))
    if is_odd.any():
        row = int(is_odd.argmax())
        value = flat[row][_outside(flat[row : row + 1].T, dtype)][0]
        yield not_of(float(value), dtype, row, int(is_odd.sum()))


def _outside(flat: Array, dtype: str) -> Array:
    """Return bool[rows]: rows with a finite number that `dtype` cannot represent."""
    low, high = LIMITS[dtype]
    if flat.dtype.kind in "biu":
        # float32 covers the range of all integer types; int32 covers narrower integer types.
        holds = dtype == "float32" or np.can_cast(flat.dtype, dtype)
        if holds:
            return np.zeros(len(flat), bool)
        return np.asarray(((flat < low) | (flat > high)).any(axis=1))
    if dtype == "float32" and flat.dtype.itemsize <= np.dtype(dtype).itemsize:
        return np.zeros(len(flat), bool)
    odd = np.isfinite(flat) & ((flat < low) | (flat > high))
    if dtype == "int32":
        odd |= np.isfinite(flat) & (flat != np.rint(flat))
    return np.asarray(odd.any(axis=1))


def occurrences_of(values: Sequence[str], codes: Array) -> Mapping[str, Occurrence]:
    """Return the values that occur among the codes, each with its first row and row count."""
    if not len(codes):
        return {}
    used, first, counts = np.unique(codes, return_index=True, return_counts=True)
    found: dict[str, Occurrence] = {}
    for code, row, count in zip(used.tolist(), first.tolist(), counts.tolist(), strict=True):
        found[values[code]] = Occurrence(row, count)
    return found


def is_numeric(array: Array) -> bool:
    """Whether an array contains booleans, integers or floats."""
    return array.dtype.kind in "biuf"


def empty(array: Array) -> Array:
    """Return NaN in the shape of an array without numbers."""
    return np.full(array.shape, np.nan)


def all_unread(array: Array) -> Unread:
    """Return all rows of an array without numbers as unread."""
    first = array.reshape(len(array), -1)[0]
    text = str(first[0]) if len(first) else str(array.dtype)
    return Unread(text, stdlib_array("q", range(len(array))))
