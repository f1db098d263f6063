"""The decision of an output between labels: one rule for builds, predictions and clients."""

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

    With a threshold, an output has one value for each decision: a value above the threshold chooses
    the second label, any other the first. Without a threshold, the last axis has a value for each
    label: the largest value chooses its label, the first of equal values.
    """

    labels: Annotated[tuple[str, ...], Field(min_length=2)]
    """Labels in the order of the values; for a binary output the negative, then the positive."""
    threshold: float | None = None
    """The value above which a binary output means its second label; null for a category."""
    scores: Scores = "probabilities"
    """``logits`` where the network ends without a softmax or a sigmoid (``from_logits``)."""

    @model_validator(mode="after")
    def consistent(self) -> Decision:
        """Check that there are two labels if there is a threshold."""
        if self.threshold is not None and len(self.labels) != len(("below", "above")):
            raise located(("threshold",), f"a threshold divides 2 labels, not {len(self.labels)}")
        return self

    @classmethod
    def binary(cls, labels: tuple[str, str], scores: Scores = "probabilities") -> Decision:
        """Return the decision of a binary output."""
        return cls(labels=labels, threshold=HALF[scores], scores=scores)

    def indices(self, values: Array) -> Array:
        """Return the index of each label, int64[rows, ...], for values [rows, ..., labels] or, with
        a threshold, [rows, ...]. NaN chooses the first label of a binary output."""
        if self.threshold is None:
            return values.argmax(axis=-1)
        return (values > self.threshold).astype("int64")

    def decide(self, values: Array) -> list[str]:
        """Return the label of each decision in values [rows, ...], flattened."""
        return [self.labels[index] for index in self.indices(values).reshape(-1).tolist()]

    def margin(self, values: Array) -> Array:
        """Return the largest change of values that cannot change each decision: half the distance
        of the two largest values, or the distance to the threshold."""
        import numpy as np

        if self.threshold is not None:
            return np.abs(values - self.threshold)
        ordered = np.sort(values, axis=-1)
        return (ordered[..., -1] - ordered[..., -2]) / 2

    def flips(self, found: Array, reference: Array, atol: float) -> Array:
        """Return bool[rows]: whether the decision of a row differs between ``found`` and
        ``reference``, both [rows, ...]. A reference with a margin of at most ``atol`` is a tie and
        does not count; a NaN in ``found`` always does. Arrays of different shapes have no flips."""
        import numpy as np

        if found.shape != reference.shape:
            return np.zeros(len(reference), bool)
        broken = np.isnan(found).reshape(len(found), -1).any(axis=1)
        differs = self.indices(found) != self.indices(reference)
        decided = differs & (self.margin(reference) > atol)
        flipped: Array = decided.reshape(len(reference), -1).any(axis=1) | broken
        return flipped

    def metrics(self, found: Array, truth: Array) -> dict[str, float]:
        """Return the accuracy, the share of correct labels; ``truth`` has the index of each row's
        label, as whole numbers or as 0.0 and 1.0."""
        wanted = truth.reshape(-1).astype("int64")
        return {"accuracy": float((self.indices(found).reshape(-1) == wanted).mean())}


Decisions = Mapping[str, Decision | None]
"""The decision of each output by name, in the spec's order; None for an output of numbers."""
