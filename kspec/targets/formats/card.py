"""What an artifact says of its model, where its format has room for that. It decides no number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from kspec.schemas.base import Model
from kspec.schemas.values import Listed


class Card(Model):
    """What a file tells those who open it."""

    version: str = ""
    """Version of the model."""
    description: str = ""
    """What the model is for."""
    labels: Mapping[str, Annotated[tuple[str, ...], Listed]] = {}
    """The labels of each output that gives a probability for each of them."""
