"""Pictures of one size from pictures of another, by a rule that each client repeats exactly."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, Protocol

import numpy as np

from kspec.data.table import Array

Method = Literal["nearest", "bilinear"]


def resize(pixels: Array, height: int, width: int, method: Method) -> Array:
    """float64[height, width, channels] from [rows, columns, channels], stretched to fit.

    The centre of pixel i lies at i + ½: output i reads from (i + ½) · size / wanted - ½, as
    TensorFlow's ``image.resize`` without antialiasing does. All in float64, rows first: a client
    that does the same gets the same numbers.
    """
    sample = _SAMPLERS[method]
    return sample(sample(pixels.astype(np.float64), height, 0), width, 1)


def _nearest(pixels: Array, wanted: int, axis: int) -> Array:
    size = pixels.shape[axis]
    places = np.floor((np.arange(wanted) + 0.5) * (size / wanted)).astype(np.int64)
    return np.take(pixels, np.minimum(places, size - 1), axis)


def _bilinear(pixels: Array, wanted: int, axis: int) -> Array:
    size = pixels.shape[axis]
    places = np.clip((np.arange(wanted) + 0.5) * (size / wanted) - 0.5, 0, size - 1)
    before = np.floor(places).astype(np.int64)
    after = np.minimum(before + 1, size - 1)
    share = (places - before).reshape([-1 if each == axis else 1 for each in range(3)])
    low, high = np.take(pixels, before, axis), np.take(pixels, after, axis)
    return low + (high - low) * share


class _Sampler(Protocol):
    def __call__(self, pixels: Array, wanted: int, axis: int) -> Array: ...


_SAMPLERS: Mapping[str, _Sampler] = MappingProxyType({"nearest": _nearest, "bilinear": _bilinear})
