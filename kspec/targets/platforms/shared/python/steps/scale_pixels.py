"""The step that scales 8-bit pixels to the range of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .step import Step

_FULL = 255.0


@dataclass(frozen=True, slots=True)
class ScalePixels(Step):
    """Multiply by maximum / 255, in float64; then round to float32."""

    maximum: float
    """The value of a full channel."""

    def apply(self, value: NDArray[Any]) -> NDArray[np.float32]:
        """Return float32 in the shape of the pixels."""
        return (value * (self.maximum / _FULL)).astype(np.float32)
