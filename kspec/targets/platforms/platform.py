"""The base class of platforms: options, artifacts, and the other files of a bundle."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from kspec.schemas.base import Model
from kspec.targets.request import ArtifactRequest, Layout, Subject

if TYPE_CHECKING:
    from kspec.features.description import Description


class Platform(ABC):
    """One kind of bundle. It chooses formats and holds templates, never numerics."""

    name: ClassVar[str]
    """The key under ``targets``: ``raspberry_pi``."""
    title: ClassVar[str]
    """As people write it: ``Raspberry Pi``."""
    options: ClassVar[type[Model]]
    """What a user may choose."""
    ignored: ClassVar[tuple[str, ...]] = ()
    """Files and folders that the platform's own tools create in a bundle, as the description has
    them under ``ignored``."""

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
