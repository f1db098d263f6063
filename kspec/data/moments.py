"""Mean and variance of the training rows, for normalisation inside the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kspec.data.table import Array


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Mean and population variance, float64 in the shape of the kept axes."""

    mean: Array
    variance: Array


def moments(values: Array, kept: Sequence[int] = (-1,)) -> Moments:
    """Return mean and variance over all axes except `kept`, in float64.

    The denominator is the number of values, as in `keras.layers.Normalization.adapt`, which sums
    in float32.
    """
    ndim = values.ndim
    others = tuple(set(range(ndim)) - {axis % ndim for axis in kept})
    mean = values.mean(axis=others, dtype=np.float64, keepdims=True)
    variance = values.var(axis=others, dtype=np.float64, mean=mean)
    return Moments(mean.squeeze(others), variance)
