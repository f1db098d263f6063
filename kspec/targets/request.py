"""Requests of targets: artifacts, and their places in a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kspec.schemas.base import Model
from kspec.schemas.features import Input
from kspec.targets.formats.card import Card


@dataclass(frozen=True, slots=True)
class ArtifactRequest:
    """An artifact that a target needs: a format with its options. Equal requests of several targets
    are emitted and verified once."""

    format: str
    options: Model


@dataclass(frozen=True, slots=True)
class Subject:
    """The facts about a model that are known before it is built."""

    inputs: Mapping[str, Input]
    """The model's inputs by name."""
    card: Card
    """Metadata for the artifacts of formats that can store it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders in a bundle where the platform's tools look for kspec's files: paths relative to
    the bundle that end in a slash; empty for the bundle's own folder."""

    artifacts: str = ""
    golden: str = ""
    """The folder of ``golden.safetensors`` and the golden pictures."""
