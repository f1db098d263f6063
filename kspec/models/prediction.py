"""Inference with a Keras model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kspec.compiler.ir import Array


def predict(model: Any, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Return the model's outputs at inference for arrays of shape (rows, …), in chunks of 256
    rows."""
    count = len(next(iter(inputs.values())))
    parts = [
        model({name: array[start : start + 256] for name, array in inputs.items()}, training=False)
        for start in range(0, count, 256)
    ]
    return {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in parts[0]}
