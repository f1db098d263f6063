"""What a user may choose of the TFLite format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from kspec.schemas.base import Model
from kspec.targets.formats.card import Card

Size = Annotated[int, Field(ge=1)]


class TFLiteOptions(Model):
    """Options of the TFLite format. Shapes in the file are fixed: the runtime plans its memory
    before the first run, and the fast kernels of XNNPACK need known shapes."""

    batch: Size = 1
    """How many rows the model takes at once."""
    dimensions: Mapping[str, Size] = {}
    """The size of each other dimension that the spec leaves open, by name: `{time: 100}`."""
    card: Card | None = None
    """What the file says of the model, as TFLite metadata. The android target writes one."""
