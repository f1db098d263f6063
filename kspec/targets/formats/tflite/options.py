"""What a user may choose of the TFLite format."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kspec.schemas.base import Model


class TFLiteOptions(Model):
    """Options of the TFLite format."""

    batch: Annotated[int, Field(ge=1)] = 1
    """How many rows the model takes at once. The shapes in the file are fixed: the runtime plans
    its memory before the first run, and the fast kernels of XNNPACK need known shapes."""
