"""What a model takes and gives, as `model.py` says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np

DTYPES: Final[Mapping[str, str]] = MappingProxyType({"float32": "FP32", "int32": "INT32"})
"""The types of tensors, and their names in the Open Inference Protocol."""


@dataclass(frozen=True, slots=True)
class Picture:
    """How a picture becomes a tensor."""

    maximum: float
    """What a full channel becomes."""
    resize: str | None
    """``nearest``, ``bilinear``, or None: then a picture of another size is refused."""


@dataclass(frozen=True, slots=True)
class Input:
    """One input."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]
    """Without the batch; a name stands for a size that varies."""
    columns: tuple[str, ...]
    """The names of its numbers, where it is a vector of named numbers."""
    picture: Picture | None = None
    sizes: tuple[tuple[int, int], ...] = field(init=False)
    """The axes, the batch being 0, whose sizes are fixed."""

    def __post_init__(self) -> None:
        fixed = enumerate(self.shape, 1)
        sizes = tuple((axis, size) for axis, size in fixed if isinstance(size, int))
        object.__setattr__(self, "sizes", sizes)


@dataclass(frozen=True, slots=True)
class Output:
    """One output."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]
    """Without the batch."""
    kind: str
    """``category``: a probability for each label; ``binary``: that of the second label;
    ``number``: the number itself."""
    labels: tuple[str, ...] = ()

    @property
    def decides(self) -> bool:
        """Whether each row of it is one decision."""
        return bool(self.labels) and len(self.shape) == 1

    def decide(self, values: np.ndarray) -> list[str]:
        """The label of each row."""
        if self.kind == "category":
            return [self.labels[index] for index in values.argmax(axis=-1).tolist()]
        return [self.labels[int(value > 0.5)] for value in values.reshape(-1).tolist()]


@dataclass(frozen=True, slots=True)
class Model:
    """A model, its file, and what its self-test reads."""

    name: str
    release: str
    """The version of the spec."""
    version: str
    """The number under which it is served."""
    description: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    artifact: str
    """Path of the ONNX file, in the bundle."""
    artifact_sha256: str
    atol: float
    rtol: float
    golden: str
    golden_sha256: str
    pictures: Mapping[str, str]
    """The path of the golden picture of an input."""
