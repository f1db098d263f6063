"""The description of a model, as `model.py` contains it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from .signature import Artifact, Golden, Input, Output

DTYPES: Final[Mapping[str, str]] = MappingProxyType({"float32": "FP32", "int32": "INT32"})
"""The types of tensors, and their names in the Open Inference Protocol."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model, its ONNX file, and the rows of its self-test."""

    name: str
    release: str
    """The version of the spec."""
    version: str
    """The version number under which the model is served."""
    description: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    artifact: Artifact
    golden: Golden
