"""What a platform is: options, the artifacts it takes, and what its bundle holds beside them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from kspec.schemas.base import Model


@dataclass(frozen=True, slots=True)
class ArtifactRequest:
    """A file that a target needs: a format with its options. Equal requests of several targets are
    emitted and verified once."""

    format: str
    options: Model


class Platform(ABC):
    """One kind of bundle. It chooses formats and holds templates, never numerics."""

    name: ClassVar[str]
    """The key under ``targets``: ``raspberry-pi``."""
    title: ClassVar[str]
    """As people write it: ``Raspberry Pi``."""
    options: ClassVar[type[Model]]
    """What a user may choose."""

    @abstractmethod
    def requests(self, options: Model) -> tuple[ArtifactRequest, ...]:
        """The artifacts of a bundle with these options."""

    @abstractmethod
    def usage(self, artifact: str) -> str:
        """How a developer of the platform opens the artifact of that file name: a few lines of
        code for the bundle's README."""
