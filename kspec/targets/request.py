"""What a target asks for: artifacts, and their places in a bundle."""

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
