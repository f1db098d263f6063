"""The rule by which an output agrees with the trained model: the error is a small multiple of the
rounding error that the trained model itself makes in float32. docs/verdict.md has the measurements,
docs/adr/0011 the decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from kspec.compiler.ir import Array
from kspec.targets.formats.format import Tolerance

PEAK, RMS = 8.0, 4.0
"""How many times the trained model's own error an artifact's error may be: in the largest absolute
value, and in the root mean square."""
ELSEWHERE = Tolerance(1e-5, 1e-5)
"""The least tolerance of a bundle's self-test, which runs on other processors and runtimes than the
build."""


@dataclass(frozen=True, slots=True)
class Yardstick:
    """The rounding error of the trained model in one output, in the unit of the output."""

    peak: float = 0.0
    """The largest |E| over all rows and elements."""
    rms: float = 0.0
    """The root of the mean E²."""

    def widest(self, other: Yardstick) -> Yardstick:
        """Return the larger value of each measure."""
        return Yardstick(max(self.peak, other.peak), max(self.rms, other.rms))


Tolerances = Mapping[str, Tolerance]
"""Tolerances by output name."""
Yardsticks = Mapping[str, Yardstick]
"""Yardsticks by output name. An output without a yardstick has no error of its own."""


def measure(reference: Array, *found: Array) -> Yardstick:
    """Return the yardstick of float32 evaluations against a reference of the same shape. Elements
    that are not finite in either one are ignored."""
    widest = Yardstick()
    for each in found:
        errors = _errors(each, reference)
        errors = errors[np.isfinite(errors)]
        if errors.size:
            widest = widest.widest(Yardstick(float(errors.max()), _rms(errors)))
    return widest


def within(
    found: Array,
    reference: Array,
    tolerance: Tolerance,
    scale: float = 1.0,
    yardstick: Yardstick = Yardstick(),
) -> bool:
    """Return whether |Δ| ≤ atol · scale + rtol · |reference| everywhere, or max|Δ| ≤ 8 max|E| and
    RMS(Δ) ≤ 4 RMS(E) with the yardstick's E. NaN fails, and so does an infinity unless the
    reference has the same one."""
    if found.shape != reference.shape:
        return False
    errors, exact = _errors(found, reference), reference.astype(np.float64)
    with np.errstate(invalid="ignore"):
        near = errors <= tolerance.atol * scale + tolerance.rtol * np.abs(exact)
    near &= np.isfinite(exact) | (errors == 0)  # the tolerance of an infinity admits everything
    if near.all():
        return True
    return bool(errors.max() <= PEAK * yardstick.peak and _rms(errors) <= RMS * yardstick.rms)


def bundle_tolerances(
    least: Tolerances, scales: Mapping[str, float], yardsticks: Yardsticks
) -> dict[str, Tolerance]:
    """Return the tolerance of a self-test for each output: |Δ| ≤ atol · s + rtol · |reference|,
    with the output's scale s. It allows 8 times the trained model's own largest error in that
    output."""
    return {
        name: Tolerance(
            max(
                least[name].atol,
                ELSEWHERE.atol,
                PEAK * yardsticks.get(name, Yardstick()).peak / scale,
            ),
            max(least[name].rtol, ELSEWHERE.rtol),
        )
        for name, scale in scales.items()
    }


def widest(yardsticks: Iterable[Yardsticks]) -> dict[str, Yardstick]:
    """Return the widest yardstick of each output."""
    found: dict[str, Yardstick] = {}
    for each in yardsticks:
        for name, yardstick in each.items():
            found[name] = found.get(name, Yardstick()).widest(yardstick)
    return found


def _errors(found: Array, reference: Array) -> Array:
    """Return |Δ| in float64: 0 for equal infinities, infinite if one element or both are NaN."""
    wide, exact = found.astype(np.float64), reference.astype(np.float64)
    with np.errstate(invalid="ignore"):
        errors = np.abs(wide - exact)
    errors = np.where(np.isnan(errors), np.inf, errors)
    return np.where(wide == exact, 0.0, errors)


def _rms(errors: Array) -> float:
    with np.errstate(over="ignore"):
        return float(np.sqrt(np.mean(np.square(errors))))
