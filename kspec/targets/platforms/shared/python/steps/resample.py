"""The step that resizes a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .step import Step

Grid: TypeAlias = "NDArray[np.float64]"


@dataclass(frozen=True, slots=True)
class Resample(Step):
    """Stretch a picture in float64, rows first, then columns. The centre of pixel i lies at
    i + ½, as in TensorFlow's ``image.resize`` without antialiasing."""

    height: int
    width: int
    method: Literal["nearest", "bilinear"]

    def apply(self, value: NDArray[Any]) -> Grid:
        """Return float64[height, width, channels] for [rows, columns, channels]."""
        return _METHODS[self.method](value, self.height, self.width)


def _nearest(pixels: NDArray[Any], height: int, width: int) -> Grid:
    rows, columns = _nearest_to(pixels.shape[0], height), _nearest_to(pixels.shape[1], width)
    return pixels[rows][:, columns].astype(np.float64)


def _nearest_to(size: int, wanted: int) -> NDArray[np.int64]:
    places = np.floor((np.arange(wanted) + 0.5) * (size / wanted)).astype(np.int64)
    found: NDArray[np.int64] = np.minimum(places, size - 1)
    return found


def _bilinear(pixels: NDArray[Any], height: int, width: int) -> Grid:
    """Interpolate; only the rows and columns that are read become float64."""
    above, below, down = _neighbours(pixels.shape[0], height)
    left, right, along = _neighbours(pixels.shape[1], width)

    def column(places: NDArray[np.int64]) -> Grid:
        high, low = (pixels[rows][:, places].astype(np.float64) for rows in (above, below))
        found: Grid = high + (low - high) * down[:, None, None]
        return found

    first, second = column(left), column(right)
    found: Grid = first + (second - first) * along[None, :, None]
    return found


def _neighbours(size: int, wanted: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Grid]:
    """Return the pixel before each position, the pixel after it, and the distance to the first."""
    places = np.clip((np.arange(wanted) + 0.5) * (size / wanted) - 0.5, 0, size - 1)
    before = np.floor(places).astype(np.int64)
    return before, np.minimum(before + 1, size - 1), places - before


_METHODS: Mapping[str, Callable[[NDArray[Any], int, int], Grid]] = MappingProxyType(
    {"nearest": _nearest, "bilinear": _bilinear}
)
