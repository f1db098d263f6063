"""How answers are judged against the trained model's."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .client import Decision
from .description import Artifact, Output


def error_ratio(
    found: NDArray[np.float64], reference: NDArray[np.float64], artifact: Artifact
) -> float:
    """The largest |Δ| / (atol · s + rtol · |reference|); more than 1 fails. NaN where a value is
    not finite."""
    if not np.isfinite(found).all():
        return float("nan")
    allowed = artifact.atol * scale_of(reference) + artifact.rtol * np.abs(reference)
    return float((np.abs(found - reference) / allowed).max())


def scale_of(reference: NDArray[np.float64]) -> float:
    """The largest |reference| of an output, at most 1; 1 where it is 0."""
    return float(min(1.0, np.abs(reference).max()) or 1.0)


def flipped_rows(
    output: Output,
    answers: Sequence[Decision[str]],
    reference: NDArray[np.float64],
    labels: Sequence[str],
    atol: float,
) -> set[int]:
    """The rows with another label than expected, but for ties of the reference within the
    tolerance."""
    margin = atol * scale_of(reference)
    if output.threshold is not None:
        decided = np.abs(reference[:, 0] - output.threshold) > margin
    else:
        ordered = np.sort(reference, axis=-1)
        decided = ordered[:, -1] - ordered[:, -2] > 2 * margin
    return {
        row
        for row, (answer, label) in enumerate(zip(answers, labels, strict=True))
        if decided[row] and answer.label != label
    }
