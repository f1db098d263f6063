"""Pictures of one size from pictures of another."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kspec.features.steps.step import Step

Method = Literal["nearest", "bilinear"]


class Resample(Step):
    """Stretch a picture to a height and a width, in float64."""

    step: Literal["resample"] = "resample"
    place: Literal["host"] = "host"
    height: Annotated[int, Field(ge=1)]
    """Rows of pixels."""
    width: Annotated[int, Field(ge=1)]
    """Pixels in a row."""
    method: Method
    """How a pixel between pixels is read."""

    def spell(self) -> str:
        return f"{self.method} to {self.height} × {self.width}"
