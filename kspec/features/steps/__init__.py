"""The steps between the raw data and the network: a closed set, one file a step."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kspec.features.steps.decode_image import DecodeImage
from kspec.features.steps.normalize import Normalize
from kspec.features.steps.resample import Method, Resample
from kspec.features.steps.rescale import Rescale
from kspec.features.steps.scale_pixels import FULL, ScalePixels
from kspec.features.steps.step import Array, GraphStep, HostStep, Place, Step

__all__ = [
    "FULL",
    "STEPS",
    "AnyStep",
    "Array",
    "DecodeImage",
    "GraphStep",
    "HostStep",
    "Method",
    "Normalize",
    "Place",
    "Resample",
    "Rescale",
    "ScalePixels",
    "Step",
]

STEPS: tuple[type[Step], ...] = (DecodeImage, Resample, ScalePixels, Rescale, Normalize)
"""Every step, in the order in which an input can have them."""

AnyStep = Annotated[
    DecodeImage | Resample | ScalePixels | Rescale | Normalize, Field(discriminator="step")
]
"""A step in JSON, told apart by its field ``step``."""
