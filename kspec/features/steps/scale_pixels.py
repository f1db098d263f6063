"""Pixels of 8 bits in the range of the data."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kspec.features.steps.step import Array, HostStep

FULL = 255.0
"""A full channel of 8 bits."""


class ScalePixels(HostStep):
    """Multiply pixels by maximum / 255, which is computed first, in float64; then round to
    float32."""

    step: Literal["scale_pixels"] = "scale_pixels"
    place: Literal["host"] = "host"
    maximum: Annotated[float, Field(gt=0)]
    """The value of a full channel."""

    def apply(self, value: Array) -> Array:
        """float32 in the shape of the pixels."""
        return (value * (self.maximum / FULL)).astype("float32")

    def spell(self) -> str:
        return f"× {self.maximum:.6g} / 255"
