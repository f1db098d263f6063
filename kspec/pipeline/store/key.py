"""The key of one stage: the hash of everything that decides its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kspec.pipeline.store.content import key_of
from kspec.pipeline.store.sources import code_digest


@dataclass(frozen=True)
class Key:
    """A stage, and the parts that decide its result, by name."""

    name: str
    """``train``, ``emit·onnx``, …"""
    parts: Mapping[str, Any]
    roots: tuple[str, ...]
    """The modules and packages of kspec that make the result. Their sources, and the sources of all
    modules that they import, are the part ``kspec`` of the key."""
    whose: str = ""
    """The targets that the stage is for, if a model can have several stages of this name."""
    shares_name: bool = False
    """Whether the model has another stage of this name."""

    @property
    def title(self) -> str:
        """The name for people: with the targets if another stage has the same name."""
        return f"{self.name} ({self.whose})" if self.shares_name else self.name

    @property
    def stage(self) -> str:
        """Return the stage's name in the store."""
        return self.name.replace("·", "-")

    @property
    def slot(self) -> str:
        """Return the name under which the store remembers what the stage read last."""
        return f"{self.stage}-{self.whose}" if self.whose else self.stage

    @cached_property
    def decides(self) -> Mapping[str, Any]:
        """Return everything that decides the result: the parts and the code."""
        return {**self.parts, "kspec": code_digest(*self.roots)}

    @cached_property
    def digest(self) -> str:
        """Return the hash of everything that decides the result."""
        return key_of(stage=self.name, **self.decides)
