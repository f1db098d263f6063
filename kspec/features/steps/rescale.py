"""A factor and an offset on every value."""

from __future__ import annotations

from typing import Literal

from kspec.features.steps.step import Array, GraphStep


class Rescale(GraphStep):
    """Multiply by a factor, then add an offset, in float32."""

    step: Literal["rescale"] = "rescale"
    place: Literal["graph"] = "graph"
    scale: float
    """The factor."""
    offset: float
    """Added after the factor."""

    def apply(self, values: Array, *_: Array) -> Array:
        """values · scale + offset."""
        scale, offset = (values.dtype.type(each) for each in (self.scale, self.offset))
        return values * scale + offset

    def spell(self) -> str:
        parts = [f"× {self.scale:.6g}"] if self.scale != 1 else []
        if self.offset:
            parts.append(f"{'+' if self.offset > 0 else '−'} {abs(self.offset):.6g}")
        return ", then ".join(parts)
