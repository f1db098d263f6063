"""The options of Core ML."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kspec.schemas.base import Model
from kspec.targets.formats.card import Card

Minimum = Literal["iOS16", "iOS17", "iOS18"]
Precision = Literal["float32", "float16"]


class CoreMLOptions(Model):
    """How the ML Program is written."""

    minimum: Minimum = "iOS16"
    """The oldest system that must run it (iOS16 is macOS 13 too); decides the set of operations."""
    precision: Precision = "float32"
    """Of weights and computation. Inputs and outputs are float32 either way. The Neural Engine
    computes in float16 only."""
    batch: Annotated[int, Field(ge=1)] | None = None
    """How many rows the model takes at once; `null` leaves it open, and Core ML then keeps the
    model off the Neural Engine."""
    largest_dimension: Annotated[int, Field(ge=1, le=65536)] = 256
    """Upper bound of each dimension that is known at run time only, the batch among them: Core ML
    asks for one."""
    card: Card | None = None
    """What the package says of the model in its metadata. The ios target writes one."""
