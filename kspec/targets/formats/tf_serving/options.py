"""What a user may choose for TF-Serving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from kspec.schemas.base import Model
from kspec.schemas.values import Name


class Picture(Model):
    """How the bytes of a picture become an input."""

    maximum: Annotated[float, Field(gt=0)] = 255.0
    """What a full channel becomes."""
    resize: Literal["nearest", "bilinear"] | None = None
    """How a picture of another size is stretched; without it, it is an error."""


class TfServingOptions(Model):
    """A SavedModel in the folder layout that TensorFlow Serving watches."""

    version: Annotated[int, Field(ge=1)] = 1
    """The number of the version folder; TensorFlow Serving serves the highest."""
    pictures: Mapping[Name, Picture] = {}
    """Inputs that a second signature, `serving_bytes`, takes as the bytes of JPEG or PNG files."""
    warm_up: bool = False
    """Whether TensorFlow Serving finds a request for each signature to send itself before it serves
    the version. Every size but the batch must be known."""
