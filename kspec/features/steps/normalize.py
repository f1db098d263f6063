"""Mean 0 and variance 1."""

from __future__ import annotations

from typing import Literal

from kspec.features.steps.step import Step


class Normalize(Step):
    """Subtract the mean and divide by the standard deviation, for each element of the last axis.
    Both are statistics of the training split, and constants of the artifact."""

    step: Literal["normalize"] = "normalize"
    place: Literal["graph"] = "graph"

    def spell(self) -> str:
        return "to mean 0 and variance 1 by the training split's statistics"
