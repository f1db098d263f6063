"""What a user may choose for TF-Serving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from kspec.features.steps import FULL, DecodeImage, Resample, ScalePixels, Step
from kspec.schemas.base import Model
from kspec.schemas.values import Name


class Picture(Model):
    """How the bytes of a picture become an input."""

    maximum: Annotated[float, Field(gt=0)] = FULL
    """What a full channel becomes."""
    resize: Literal["nearest", "bilinear"] | None = None
    """How a picture of another size is stretched; without it, it is an error."""


def picture_of(steps: Sequence[Step]) -> Picture | None:
    """The picture that host steps decode; None for steps that decode none."""
    known = {type(each): each for each in steps}
    scale, resample = known.get(ScalePixels), known.get(Resample)
    if DecodeImage not in known:
        return None
    return Picture(
        maximum=scale.maximum if isinstance(scale, ScalePixels) else FULL,
        resize=resample.method if isinstance(resample, Resample) else None,
    )


class TfServingOptions(Model):
    """A SavedModel in the folder layout that TensorFlow Serving watches."""

    version: Annotated[int, Field(ge=1)] = 1
    """The number of the version folder; TensorFlow Serving serves the highest."""
    pictures: Mapping[Name, Picture] = {}
    """Inputs that a second signature, `serving_bytes`, takes as the bytes of JPEG or PNG files."""
    warm_up: bool = False
    """Whether TensorFlow Serving finds a request for each signature to send itself before it serves
    the version. Every size but the batch must be known."""
