"""Mean 0 and variance 1."""

from __future__ import annotations

from typing import ClassVar, Literal

from kspec.features.steps.step import Array, GraphStep

EPSILON = 1e-7
"""The least standard deviation: that of `keras.layers.Normalization`."""


class Normalize(GraphStep):
    """Subtract the mean and divide by the standard deviation, for each element of the last axis.
    Both are statistics of the training split, and constants of the artifact."""

    learnt: ClassVar[tuple[str, ...]] = ("mean", "variance")

    step: Literal["normalize"] = "normalize"
    place: Literal["graph"] = "graph"

    def apply(self, values: Array, *statistics: Array) -> Array:
        """(values - mean) / max(√variance, 1e-7), with both statistics of the shape (elements,)."""
        import numpy as np

        mean, variance = (each.astype(values.dtype) for each in statistics)
        return (values - mean) / np.maximum(np.sqrt(variance), values.dtype.type(EPSILON))

    def spell(self) -> str:
        return "to mean 0 and variance 1 by the training split's statistics"
