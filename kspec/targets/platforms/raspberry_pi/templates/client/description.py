"""The words in which ``spec.py`` describes a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Engine: TypeAlias = Literal["litert", "onnxruntime"]


@dataclass(frozen=True, slots=True)
class Picture:
    """How a picture file becomes a tensor, beyond decoding."""

    maximum: float
    """What a full channel is to the model."""
    resize: Literal["nearest", "bilinear"] | None
    """How another size is stretched; without it, another size is an error."""


@dataclass(frozen=True, slots=True)
class Input:
    """One input, raw: the model itself scales and normalises."""

    name: str
    dtype: Literal["float32", "int32"]
    shape: tuple[int | str, ...]
    """Of one row; a size with a name varies. A picture is height × width × channels."""
    columns: tuple[str, ...]
    """The names of its values, in their order; empty where they have none."""
    picture: Picture | None


@dataclass(frozen=True, slots=True)
class Output:
    """One output, and what its values mean."""

    name: str
    kind: Literal["category", "binary", "number", "tensor"]
    labels: tuple[str, ...]
    """One for each probability of a category; of a binary output the negative one comes first."""
    threshold: float | None = None
    """The value above which a binary output means its second label; None for other outputs."""
    logits: bool = False
    """Whether the values are the logits of probabilities."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """The model as one engine reads it."""

    file: str
    atol: float
    rtol: float
    """How near it comes to the trained model: |Δ| ≤ atol · scale + rtol · |reference|."""
    sizes: Mapping[str, int]
    """What this file has settled of the sizes that vary, ``batch`` among them."""


@dataclass(frozen=True, slots=True)
class Golden:
    """Rows with the trained model's answers."""

    file: str
    pictures: Mapping[str, str]
    """A picture file for each input that is one."""


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
    """What runs it where nobody says otherwise."""
    threads: int
