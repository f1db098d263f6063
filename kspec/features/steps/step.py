"""What a step is: one named operation between the raw data and the network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from kspec.schemas.base import Model

if TYPE_CHECKING:
    import numpy as np

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

Place = Literal["host", "graph"]
"""Where a step runs. ``host``: in the data reader during training and in the client of a bundle
afterwards. ``graph``: in the artifact, so that no client may repeat it."""


class Step(Model, ABC):
    """One operation, with the fields that decide its result."""

    step: str
    """The name of the step, a literal of each class."""
    place: Place
    """Where the step runs, a literal of each class."""

    @abstractmethod
    def spell(self) -> str:
        """What the step does, for a table that people read; empty where it changes nothing."""
