"""Pictures of one size from pictures of another, by a rule that each client repeats exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field

from kspec.features.steps.step import Array, HostStep

Method = Literal["nearest", "bilinear"]


class Resample(HostStep):
    """Stretch a picture to a height and a width, in float64.

    The centre of pixel i lies at i + ½: output i of n reads from (i + ½) · size / n - ½, as
    TensorFlow's ``image.resize`` without antialiasing does. Rows first, then columns: a client that
    does the same in float64 gets the same numbers.
    """

    step: Literal["resample"] = "resample"
    place: Literal["host"] = "host"
    height: Annotated[int, Field(ge=1)]
    """Rows of pixels."""
    width: Annotated[int, Field(ge=1)]
    """Pixels in a row."""
    method: Method
    """How a pixel between pixels is read."""

    def apply(self, value: Array) -> Array:
        """float64[height, width, channels] in C order from [rows, columns, channels]. What it
        allocates is a multiple of the result, whatever the size of the picture."""
        import numpy as np

        # Indexing by arrays leaves the axes in another order in memory.
        return np.ascontiguousarray(_METHODS[self.method](value, self.height, self.width))

    def spell(self) -> str:
        return f"{self.method} to {self.height} × {self.width}"


def _nearest(pixels: Array, height: int, width: int) -> Array:
    rows, columns = _nearest_to(pixels.shape[0], height), _nearest_to(pixels.shape[1], width)
    return pixels[rows][:, columns].astype("float64")


def _nearest_to(size: int, wanted: int) -> Array:
    import numpy as np

    places = np.floor((np.arange(wanted) + 0.5) * (size / wanted)).astype(np.int64)
    return np.minimum(places, size - 1)


def _bilinear(pixels: Array, height: int, width: int) -> Array:
    """Only the rows and columns that are read become float64."""
    above, below, down = _neighbours(pixels.shape[0], height)
    left, right, along = _neighbours(pixels.shape[1], width)

    def column(places: Array) -> Array:
        high, low = (pixels[rows][:, places].astype("float64") for rows in (above, below))
        return high + (low - high) * down[:, None, None]

    first, second = column(left), column(right)
    return first + (second - first) * along[None, :, None]


def _neighbours(size: int, wanted: int) -> tuple[Array, Array, Array]:
    """The pixel before each place, the one after it, and how far from the first the place is."""
    import numpy as np

    places = np.clip((np.arange(wanted) + 0.5) * (size / wanted) - 0.5, 0, size - 1)
    before = np.floor(places).astype(np.int64)
    return before, np.minimum(before + 1, size - 1), places - before


_METHODS: Mapping[str, Callable[[Array, int, int], Array]] = MappingProxyType(
    {"nearest": _nearest, "bilinear": _bilinear}
)
