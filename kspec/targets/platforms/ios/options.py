"""The options of the iOS bundle."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kspec.targets.formats.coreml.options import CoreMLOptions


class IOSOptions(CoreMLOptions):
    """Options of the iOS bundle: the options of its Core ML artifact."""

    batch: Annotated[int, Field(ge=1)] | None = 1
    """How many rows the model takes at once; with `null` any number, but Core ML then does not use
    the Neural Engine."""
