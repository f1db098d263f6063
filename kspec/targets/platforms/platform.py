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
    """One kind of bundle. A platform chooses formats and contains templates, never numerics."""

    name: ClassVar[str]
    """The key under ``targets``: ``raspberry_pi``."""
    title: ClassVar[str]
    """The name in texts: ``Raspberry Pi``."""
    options: ClassVar[type[Model]]
    """The class of the options under the key."""
    ignored: ClassVar[tuple[str, ...]] = ()
    """Files and folders that the platform's own tools create in a bundle, which the description
    lists under ``ignored``."""

    @abstractmethod
    def requests(self, options: Model, subject: Subject) -> tuple[ArtifactRequest, ...]:
        """Return the artifacts of a bundle with these options, in the order of the bundle's
        description."""

    @abstractmethod
    def usage(self, about: Description) -> str:
        """Return a few lines of code for the bundle's README that call the model. ``about`` is the
        content of ``kspec-bundle.json``."""

    def layout(self, name: str) -> Layout:  # noqa: ARG002
        """Return the folders of artifacts and golden rows, for a model of that name."""
        return Layout()

    def files(self, about: Description) -> Mapping[str, bytes]:  # noqa: ARG002
        """Return the client's code and the other files that the platform's tools need, by path in
        the bundle. Equal descriptions give equal bytes. ``about.files`` contains the hashes of the
        artifacts and golden rows only: the hashes of the client are known afterwards."""
        return {}
