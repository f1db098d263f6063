"""What a user may choose about iOS."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kspec.targets.formats.coreml.options import CoreMLOptions


class IOSOptions(CoreMLOptions):
    """Options of the iOS bundle: those of its Core ML artifact."""

    batch: Annotated[int, Field(ge=1)] | None = 1
    """How many rows the model takes at once; `null` leaves it open, and Core ML then keeps the
    model off the Neural Engine."""
