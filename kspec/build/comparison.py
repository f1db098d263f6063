"""How an artifact's outputs are judged against the trained model's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kspec.compiler.ir import Array
from kspec.schemas.features import Binary, Category, Output
from kspec.targets.formats.format import Tolerance

Outputs = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One artifact against the reference, over all rows and outputs."""

    worst_error: float
    """The largest |Δ| / max(1, |reference|); infinite where a value is not a number."""
    worst_output: str
    worst_row: int
    within: bool
    """Whether |Δ| ≤ atol + rtol · |reference| holds everywhere."""
    flips: int
    """Rows whose decision differs, where the reference's margin exceeds the tolerance."""
    rows: int


def compare(
    found: Outputs, expected: Outputs, outputs: Mapping[str, Output], tolerance: Tolerance
) -> Comparison:
    """Compare arrays of (rows, …) by output name. A value that is not finite fails, unless the
    reference is the same infinity."""
    worst, within = (-1.0, "", 0), True
    flipped = np.zeros(len(next(iter(expected.values()))), bool)
    for name, reference in expected.items():
        errors = relative_errors(found[name], reference)
        within = within and within_tolerance(found[name], reference, tolerance)
        row, error = _worst(errors)
        worst = max(worst, (error, name, row), key=lambda each: each[0])
        flipped |= flips(found[name], reference, outputs.get(name), tolerance)
    return Comparison(*worst, within, int(flipped.sum()), len(flipped))


def relative_errors(found: Array, reference: Array) -> Array:
    """|Δ| / max(1, |reference|) in float64; infinite where either is not a number or the shapes
    differ."""
    if found.shape != reference.shape:
        return np.full(reference.shape, np.inf)
    wide, exact = found.astype(np.float64), reference.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        errors = np.abs(wide - exact) / np.maximum(1.0, np.abs(exact))
    errors[wide == exact] = 0.0
    return np.where(np.isnan(errors), np.inf, errors)


def within_tolerance(found: Array, reference: Array, tolerance: Tolerance) -> bool:
    if found.shape != reference.shape:
        return False
    wide, exact = found.astype(np.float64), reference.astype(np.float64)
    with np.errstate(invalid="ignore"):
        near = np.abs(wide - exact) <= tolerance.atol + tolerance.rtol * np.abs(exact)
    return bool((near | (wide == exact)).all())


def flips(found: Array, reference: Array, output: Output | None, tolerance: Tolerance) -> Array:
    """bool[rows]: whether the label differs. A tie of the reference within the tolerance is no
    decision; numbers decide nothing."""
    none = np.zeros(len(reference), bool)
    if output is None or found.shape != reference.shape:
        return none
    if isinstance(output.kind, Category):
        ordered = np.sort(reference, axis=-1)
        margin = ordered[..., -1] - ordered[..., -2]
        differs = found.argmax(axis=-1) != reference.argmax(axis=-1)
        decided = differs & (margin > 2 * tolerance.atol)
        return decided.reshape(len(reference), -1).any(axis=1)
    if isinstance(output.kind, Binary):
        differs = (found > 0.5) != (reference > 0.5)
        decided = differs & (np.abs(reference - 0.5) > tolerance.atol)
        return decided.reshape(len(reference), -1).any(axis=1)
    return none


def varies(expected: Outputs) -> bool:
    """Whether every output differs between rows by more than rounding: a constant proves
    nothing."""
    return all(
        bool((np.ptp(array.astype(np.float64), axis=0) > 1e-6).any()) for array in expected.values()
    )


def _worst(errors: Array) -> tuple[int, float]:
    by_row = errors.reshape(len(errors), -1).max(axis=1)
    row = int(by_row.argmax())
    return row, float(by_row[row])
