"""The targets of a spec and the artifacts that they request, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kspec.features.kinds import decisions_of
from kspec.schemas.base import Model
from kspec.schemas.spec import Spec
from kspec.targets.formats.card import Card
from kspec.targets.platforms.platform import Platform
from kspec.targets.registry import formats
from kspec.targets.request import ArtifactRequest, Layout, Subject


@dataclass(frozen=True)
class Target:
    """A target of a spec with its options and the artifacts that it requests."""

    name: str
    model: str
    """The name of the model."""
    platform: Platform
    options: Model
    subject: Subject

    @cached_property
    def requests(self) -> tuple[ArtifactRequest, ...]:
        return self.platform.requests(self.options, self.subject)

    @cached_property
    def layout(self) -> Layout:
        return self.platform.layout(self.model)

    def placed(self, artifact: str) -> str:
        """Return the path within the bundle of an artifact's file or folder."""
        return self.layout.artifacts + artifact


def described(request: ArtifactRequest) -> dict[str, Any]:
    """Return a request as plain data."""
    return {"format": request.format, "options": request.options.model_dump(mode="json")}


def computed(request: ArtifactRequest) -> dict[str, Any]:
    """Return the part of a request that decides the numbers: everything except the model card."""
    decisive = formats()[request.format].decisive(request.options)
    return {"format": request.format, "options": dict(decisive)}


def card_of(spec: Spec) -> Card:
    """Return what an artifact may say about a model."""
    labels = {
        name: decision.labels
        for name, decision in decisions_of(spec).items()
        if decision is not None and decision.threshold is None
    }
    return Card(version=spec.version, description=spec.description, labels=labels)
