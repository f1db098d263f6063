"""What a user may choose for TF-Serving."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kspec.schemas.base import Model


class TfServingOptions(Model):
    """A SavedModel in the folder layout that TensorFlow Serving watches."""

    version: Annotated[int, Field(ge=1)] = 1
    """The number of the version folder; TensorFlow Serving serves the highest."""
