"""The bytes of a picture file as pixels."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kspec.features.steps.step import Step


class DecodeImage(Step):
    """Decode a picture file to 8 bits a channel, upright as its EXIF data says."""

    step: Literal["decode_image"] = "decode_image"
    place: Literal["host"] = "host"
    channels: Annotated[int, Field(ge=1, le=4)]
    """1 grey, 2 grey and alpha, 3 red, green and blue, 4 with alpha."""

    def spell(self) -> str:
        return f"decoded to {self.channels} channels of 8 bits"
