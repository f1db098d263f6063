"""Inputs and outputs of a model, and the artifact with its tolerances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .steps import Step


@dataclass(frozen=True, slots=True)
class Input:
    """One input, with raw values: rescaling and normalisation are part of the model."""

    name: str
    dtype: str
    """``float32`` or ``int32``."""
    shape: tuple[int | str, ...]
    """The shape of one row; a size with a name varies."""
    columns: tuple[str, ...]
    """The names of the numbers of a row, in order; empty for numbers without names."""
    steps: tuple[Step, ...] = ()
    """The steps from a cell, such as a file, to the tensor; empty for rows of numbers."""
    sizes: tuple[tuple[int, int], ...] = field(init=False)
    """The axes with fixed sizes, with their sizes; axis 0 is the batch."""

    def __post_init__(self) -> None:
        fixed = enumerate(self.shape, 1)
        sizes = tuple((axis, size) for axis, size in fixed if isinstance(size, int))
        object.__setattr__(self, "sizes", sizes)


@dataclass(frozen=True, slots=True)
class Output:
    """One output, and the meaning of its values."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]
    """The shape of one row."""
    labels: tuple[str, ...] = ()
    """The labels in the order of the values; the negative label of a binary output comes first.
    Empty for numbers."""
    threshold: float | None = None
    """The value above which a binary output decides for its second label; else None."""
    logits: bool = False
    """Whether the values are the logits of probabilities."""

    @property
    def decides(self) -> bool:
        """Whether each row is one decision."""
        return bool(self.labels) and len(self.shape) == 1

    def decide(self, values: NDArray[np.floating]) -> list[str]:
        """Return the label of each row of [rows, values]."""
        if self.threshold is None:
            return [self.labels[index] for index in values.argmax(axis=-1).tolist()]
        return [self.labels[int(value > self.threshold)] for value in values.reshape(-1).tolist()]

    def margin(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return float64[rows]: how much each value of a row may change without another label."""
        if self.threshold is not None:
            return np.abs(values.reshape(-1).astype(np.float64) - self.threshold)
        ordered = np.sort(values.astype(np.float64), axis=-1)
        found: NDArray[np.float64] = (ordered[:, -1] - ordered[:, -2]) / 2
        return found

    def probabilities(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return float64[rows, labels] for [rows, labels] or, with a threshold, for [rows, 1]."""
        scores = values.astype(np.float64)
        if self.threshold is not None:
            positive = _sigmoid(scores) if self.logits else scores
            return np.concatenate([1 - positive, positive], axis=1)
        if not self.logits:
            return scores
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The tolerance of an output: |Δ| ≤ atol · s + rtol · |reference|, where s is the largest
    |reference| of the output, at most 1."""

    atol: float
    rtol: float


@dataclass(frozen=True, slots=True)
class Artifact:
    """The model in one file format."""

    file: str
    """The path of the main file in the bundle."""
    files: tuple[str, ...]
    """The paths of all files."""
    tolerances: Mapping[str, Tolerance]
    """The tolerance of each output, by the output's name."""
    sizes: Mapping[str, int]
    """The sizes of named dimensions, such as ``batch``, that this artifact fixes."""


@dataclass(frozen=True, slots=True)
class Golden:
    """Raw rows with the trained model's answers."""

    file: str
    pictures: Mapping[str, str]
    """The path of the golden picture of each input with steps, by the input's name."""


def _sigmoid(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-scores)))
