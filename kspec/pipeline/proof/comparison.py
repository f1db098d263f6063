"""Compares an artifact's outputs with the trained model's outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from kspec.compiler.ir import Array
from kspec.features.decision import Decisions
from kspec.pipeline.proof.verdict import PEAK, Tolerances, Yardstick, Yardsticks, within

Outputs = Mapping[str, Array]
ROUNDING, CLEAR = 1e-6, 1e-2
"""An output whose `variation` is at most the first value is constant; from the second value on, its
rows differ clearly."""
NO_ERROR: Yardsticks = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Comparison:
    """The comparison of one artifact with the reference, over all rows and outputs."""

    worst_error: float
    """The largest value of `errors_of`; infinite if an output has a NaN."""
    worst_output: str
    worst_row: int
    within: bool
    """Whether every output agrees by the rule of `within`."""
    flips: int
    """The number of rows with another decision, where the reference's margin exceeds the
    tolerance."""
    rows: int


def compare(
    found: Outputs,
    expected: Outputs,
    decisions: Decisions,
    tolerances: Tolerances,
    yardsticks: Yardsticks = NO_ERROR,
) -> Comparison:
    """Compare arrays of (rows, …) by output name, by the rule of `within`. ``decisions`` says how
    each output chooses a label. A decision whose margin lies within the allowed error is a tie."""
    worst, near = (-1.0, "", 0), True
    flipped = np.zeros(len(next(iter(expected.values()))), bool)
    for name, reference in expected.items():
        scale = scale_of(reference)
        own = yardsticks.get(name, Yardstick())
        near = near and within(found[name], reference, tolerances[name], scale, own)
        row, error = _worst(errors_of(found[name], reference, scale))
        worst = max(worst, (error, name, row), key=lambda each: each[0])
        if (decision := decisions.get(name)) is not None:
            allowed = max(tolerances[name].atol * scale, PEAK * own.peak)
            flipped |= decision.flips(found[name], reference, allowed)
    return Comparison(*worst, near, int(flipped.sum()), len(flipped))


def scale_of(reference: Array) -> float:
    """Return the largest finite |reference| of an output, at most 1. It scales the absolute
    tolerance, which is defined for outputs of about 1: 1e-5 would accept any error in a thousand
    probabilities of 1e-3."""
    sizes = np.abs(reference.astype(np.float64))
    largest = np.max(sizes, initial=0.0, where=np.isfinite(sizes))
    return float(min(1.0, largest) or 1.0)


def errors_of(found: Array, reference: Array, scale: float = 1.0) -> Array:
    """Return |Δ| / max(scale, |reference|) in float64; infinite where an element is NaN, and
    everywhere if the shapes differ."""
    if found.shape != reference.shape:
        return np.full(reference.shape, np.inf)
    wide, exact = found.astype(np.float64), reference.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        errors = np.abs(wide - exact) / np.maximum(scale, np.abs(exact))
    errors[wide == exact] = 0.0
    return np.where(np.isnan(errors), np.inf, errors)


def variation(expected: Outputs) -> float:
    """Return how far rows differ: for each output the largest difference between two rows in one
    element, divided by the output's scale; of these, the least. 0 if a value is not finite."""
    found = (
        np.ptp(each.astype(np.float64), axis=0).max() / scale_of(each) for each in expected.values()
    )
    return min(float(np.nan_to_num(each, nan=0.0, posinf=0.0)) for each in found)


def varies(expected: Outputs) -> bool:
    """Return whether every output differs between rows by more than rounding. Any artifact agrees
    with a constant."""
    return variation(expected) > ROUNDING


def _worst(errors: Array) -> tuple[int, float]:
    by_row = errors.reshape(len(errors), -1).max(axis=1)
    row = int(by_row.argmax())
    return row, float(by_row[row])
