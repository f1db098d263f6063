"""What a step is: one named operation between a raw cell of the data and the network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from kspec.schemas.base import Model

if TYPE_CHECKING:
    import numpy as np

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

Place = Literal["host", "graph"]
"""Where a step runs. ``host``: in the data reader during training, and in the client of a bundle
afterwards. ``graph``: in the artifact, so that no client may repeat it."""


class Step(Model, ABC):
    """One operation, with the fields that decide its result. A step is the same for every row."""

    step: str
    """The name of the step."""
    place: Place
    """Where the step runs."""

    @abstractmethod
    def spell(self) -> str:
        """What the step does, for a table that people read; empty where it changes nothing."""


class HostStep(Step):
    """A step outside of the artifact, on one row at a time."""

    @abstractmethod
    def apply(self, value: Any) -> Any:
        """The result for one row: the reference that every client repeats. Raises ValueError with
        the reason for a row that cannot be used."""

    def golden(self) -> tuple[str, bytes] | None:
        """A cell for clients to prove the steps with, always the same: the suffix of its file, and
        the content. None for a step that takes no cell of bytes."""
        return None

    def look(self, value: Any) -> None:
        """Raise ValueError for what `apply` would refuse by the head of the value alone, which is
        cheap; nothing by default."""


class GraphStep(Step):
    """A step inside of the artifact, on a batch of rows."""

    learnt: ClassVar[tuple[str, ...]] = ()
    """The statistics of the training split that the step needs, by name, in the order in which
    `apply` takes them."""

    @abstractmethod
    def apply(self, values: Array, *statistics: Array) -> Array:
        """The result for values of (rows, …), in the dtype of the values: the reference."""
