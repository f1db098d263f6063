"""The steps of `kspec-bundle.json` that run in the client: one file per step.

Each step computes the same numbers as the data reader in training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .decode_image import DecodeImage
from .resample import Resample
from .scale_pixels import ScalePixels
from .step import Step, StepError

__all__ = ["DecodeImage", "Resample", "ScalePixels", "Step", "StepError", "run"]


def run(steps: Sequence[Step], value: Any) -> NDArray[np.float32]:
    """Return the float32 tensor of one row from one cell. Raises StepError for a cell that cannot
    be used."""
    for step in steps:
        value = step.apply(value)
    return np.ascontiguousarray(value, np.float32)
