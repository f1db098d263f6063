"""The base class of the steps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar


class StepError(ValueError):
    """A value that a step cannot use; the message gives the reason."""


class Step(ABC):
    """One operation on one row."""

    takes: ClassVar[tuple[type, ...]] = ()
    """The types of cells that the step accepts as the first step."""

    @abstractmethod
    def apply(self, value: Any) -> Any:
        """Return the result. Raises StepError for a value that cannot be used."""
