"""A factor and an offset on every value."""

from __future__ import annotations

from typing import Literal

from kspec.features.steps.step import Step


class Rescale(Step):
    """Multiply by a factor, then add an offset, in float32."""

    step: Literal["rescale"] = "rescale"
    place: Literal["graph"] = "graph"
    scale: float
    """The factor."""
    offset: float
    """Added after the factor."""

    def spell(self) -> str:
        parts = [f"× {self.scale:.6g}"] if self.scale != 1 else []
        if self.offset:
            parts.append(f"{'+' if self.offset > 0 else '−'} {abs(self.offset):.6g}")
        return ", then ".join(parts)
