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
    threshold: float | None = None
    """The value above which a binary output means its second label; None for other outputs."""
    logits: bool = False
    """Whether the values are the logits of probabilities."""

    @property
    def decides(self) -> bool:
        """Whether each row of it is one decision."""
        return bool(self.labels) and len(self.shape) == 1

    def decide(self, values: np.ndarray) -> list[str]:
        """The label of each row."""
        if self.threshold is None:
            return [self.labels[index] for index in values.argmax(axis=-1).tolist()]
        return [self.labels[int(value > self.threshold)] for value in values.reshape(-1).tolist()]

    def margin(self, values: np.ndarray) -> float:
        """How far each value of a row may move before the label can change."""
        if self.threshold is not None:
            return float(abs(values[0] - self.threshold))
        second, first = np.sort(values)[-2:]
        return float(first - second) / 2

    def probabilities(self, values: np.ndarray) -> np.ndarray:
        """float64[rows, labels] of [rows, labels] or, where there is a threshold, [rows, 1]."""
        scores = values.astype(np.float64)
        if self.threshold is not None:
            positive = 1 / (1 + np.exp(-scores)) if self.logits else scores
            return np.concatenate([1 - positive, positive], axis=1)
        if not self.logits:
            return scores
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


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
    atol: float
    rtol: float
    golden: str
    pictures: Mapping[str, str]
    """The path of the golden picture of an input."""
