"""What a platform is: options, the artifacts it takes, and what its bundle holds beside them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from kspec.features.description import Description
from kspec.schemas.base import Model
from kspec.schemas.features import Input
from kspec.targets.formats.card import Card


@dataclass(frozen=True, slots=True)
class ArtifactRequest:
    """A file that a target needs: a format with its options. Equal requests of several targets are
    emitted and verified once."""

    format: str
    options: Model


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of a model before it is built."""

    inputs: Mapping[str, Input]
    """What it takes, by name."""
    card: Card
    """What artifacts may say of it, where their formats have room for that."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where in a bundle the platform's tools look for what kspec puts there: folders below the
    bundle's, ending in a slash; empty for the bundle's own."""

    artifacts: str = ""
    golden: str = ""
    """``golden.safetensors`` and the golden pictures."""


class Platform(ABC):
    """One kind of bundle. It chooses formats and holds templates, never numerics."""

    name: ClassVar[str]
    """The key under ``targets``: ``raspberry_pi``."""
    title: ClassVar[str]
    """As people write it: ``Raspberry Pi``."""
    options: ClassVar[type[Model]]
    """What a user may choose."""

    @abstractmethod
    def requests(self, options: Model, subject: Subject) -> tuple[ArtifactRequest, ...]:
        """The artifacts of a bundle with these options, in the order in which the bundle's
        description has them."""

    @abstractmethod
    def usage(self, about: Description) -> str:
        """How a developer of the platform calls the model: a few lines of code for the bundle's
        README. ``about`` is the content of ``kspec-bundle.json``."""

    def layout(self, name: str) -> Layout:  # noqa: ARG002
        """The places of artifacts and golden rows, for a model of that name."""
        return Layout()

    def files(self, about: Description) -> Mapping[str, bytes]:  # noqa: ARG002
        """The client's code and what else the platform's tools want, by path in the bundle. The
        same description gives the same bytes. Under ``files`` it has the hashes of the artifacts
        and golden rows alone: those of the client are known afterwards."""
        return {}
