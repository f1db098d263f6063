"""How an output decides between labels: the one rule for builds, predictions and clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from kspec.features.steps import Array
from kspec.schemas.base import Model, located

Scores = Literal["probabilities", "logits"]
HALF: Mapping[Scores, float] = {"probabilities": 0.5, "logits": 0.0}
"""The value of a binary output for which both labels are equally likely. A logit is the logarithm
of p / (1 - p), which is 0 for p = 0.5."""


class Decision(Model):
    """The labels of an output, and how its values choose one of them.

    With a threshold the output has one value a decision: the second label above the threshold, else
    the first. Without one it has a value for each label on the last axis: the label of the largest
    value, the first of equal ones.
    """

    labels: Annotated[tuple[str, ...], Field(min_length=2)]
    """In the order of the values; of a binary output the negative label, then the positive one."""
    threshold: float | None = None
    """The value above which a binary output means its second label; null for a category."""
    scores: Scores = "probabilities"
    """``logits`` where the network ends without a softmax or a sigmoid (``from_logits``)."""

    @model_validator(mode="after")
    def consistent(self) -> Decision:
        """A threshold divides two labels."""
        if self.threshold is not None and len(self.labels) != len(("below", "above")):
            raise located(("threshold",), f"a threshold divides 2 labels, not {len(self.labels)}")
        return self

    @classmethod
    def binary(cls, labels: tuple[str, str], scores: Scores = "probabilities") -> Decision:
        """The decision of a binary output."""
        return cls(labels=labels, threshold=HALF[scores], scores=scores)

    def indices(self, values: Array) -> Array:
        """int64: the index of the label for values [rows, ..., labels] or, with a threshold,
        [rows, ...]. NaN chooses the first label of a binary output."""
        if self.threshold is None:
            return values.argmax(axis=-1)
        return (values > self.threshold).astype("int64")

    def decide(self, values: Array) -> list[str]:
        """The label of each decision in [rows, ...] values, flat."""
        return [self.labels[index] for index in self.indices(values).reshape(-1).tolist()]

    def margin(self, values: Array) -> Array:
        """How far each value may move before the decision can change, in the values' unit: half
        the distance of the two largest values, or the distance to the threshold."""
        import numpy as np

        if self.threshold is not None:
            return np.abs(values - self.threshold)
        ordered = np.sort(values, axis=-1)
        return (ordered[..., -1] - ordered[..., -2]) / 2

    def flips(self, found: Array, reference: Array, atol: float) -> Array:
        """bool[rows]: whether a row of ``found`` decides otherwise than ``reference``, both
        [rows, ...]. A reference whose margin is at most ``atol`` is a tie and flips nothing; a NaN
        in ``found`` always flips. Values of another shape are not compared: nothing flips."""
        import numpy as np

        if found.shape != reference.shape:
            return np.zeros(len(reference), bool)
        broken = np.isnan(found).reshape(len(found), -1).any(axis=1)
        differs = self.indices(found) != self.indices(reference)
        decided = differs & (self.margin(reference) > atol)
        flipped: Array = decided.reshape(len(reference), -1).any(axis=1) | broken
        return flipped

    def metrics(self, found: Array, truth: Array) -> dict[str, float]:
        """The share of right labels; ``truth`` has the index of the label of each row, as whole
        numbers or as 0.0 and 1.0."""
        wanted = truth.reshape(-1).astype("int64")
        return {"accuracy": float((self.indices(found).reshape(-1) == wanted).mean())}


Decisions = Mapping[str, Decision | None]
"""The outputs of a model by name, in the spec's order; None for an output of numbers."""
