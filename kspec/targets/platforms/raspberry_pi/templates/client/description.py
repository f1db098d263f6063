"""The description of a model, as ``spec.py`` contains it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .signature import Artifact, Golden, Input, Output

Engine: TypeAlias = Literal["litert", "onnxruntime"]


@dataclass(frozen=True, slots=True)
class Spec:
    """A model."""

    name: str
    version: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    artifacts: Mapping[Engine, Artifact]
    golden: Golden
    engine: Engine
    """The engine that runs the model unless the caller names another."""
    threads: int
