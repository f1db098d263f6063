"""The key of one stage: the hash of all that decides its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kspec.pipeline.store.content import key_of
from kspec.pipeline.store.sources import code_digest


@dataclass(frozen=True)
class Key:
    """A stage and the parts that it depends on, by name."""

    name: str
    """``train``, ``emit·onnx``, …"""
    parts: Mapping[str, Any]
    roots: tuple[str, ...]
    """The modules and packages of kspec that make the result: with all that they import, their
    sources are a part of the key, named ``kspec``."""
    whose: str = ""
    """Tells stages of one name apart where a model has several: the targets it is for."""

    @property
    def stage(self) -> str:
        """The name as the store has it."""
        return self.name.replace("·", "-")

    @property
    def slot(self) -> str:
        """Under what is remembered what the stage read last."""
        return f"{self.stage}-{self.whose}" if self.whose else self.stage

    @cached_property
    def decides(self) -> Mapping[str, Any]:
        """All that decides the result: the parts, and the code."""
        return {**self.parts, "kspec": code_digest(*self.roots)}

    @cached_property
    def digest(self) -> str:
        """The hash of all that decides the result."""
        return key_of(stage=self.name, **self.decides)
