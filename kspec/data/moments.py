"""Mean and variance of the training rows, for normalisation inside the network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kspec.data.table import Array


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Mean and population variance, float64[size of the last axis]."""

    mean: Array
    variance: Array


def moments(values: Array) -> Moments:
    """Over all axes but the last, in float64.

    The denominator is the number of values, as in `keras.layers.Normalization.adapt`, which sums
    in float32.
    """
    flat = values.reshape(-1, values.shape[-1])
    mean = flat.mean(axis=0, dtype=np.float64)
    return Moments(mean, flat.var(axis=0, dtype=np.float64, mean=mean[None]))
