"""The reason why a format does not write a network."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """A node that a format cannot express, with the reason."""

    node: str
    op: str
    reason: str
