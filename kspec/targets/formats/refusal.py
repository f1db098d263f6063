"""Why a format does not write a network."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """A node that a format cannot express, and why."""

    node: str
    op: str
    reason: str
