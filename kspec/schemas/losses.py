"""Losses and metrics, with Keras' arguments and defaults.

Left out: `reduction` (always the mean over the batch), `axis`, `name`, `dtype`; and
`categorical_crossentropy`, since labels are read as their place among the output's labels.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from kspec.schemas.base import Keyed
from kspec.schemas.keras_objects import KerasObject
from kspec.schemas.values import Evaluated
from kspec.schemas.weights import Above0, NonNegative


class SparseCategoricalCrossentropy(KerasObject):
    """-log of the probability of the true label."""

    key: ClassVar[str] = "sparse_categorical_crossentropy"

    from_logits: bool = False
    """Whether the output is without softmax."""


class BinaryCrossentropy(KerasObject):
    """-log of the probability of the truth."""

    key: ClassVar[str] = "binary_crossentropy"

    from_logits: bool = False
    """Whether the output is without sigmoid."""
    label_smoothing: Annotated[float, Field(ge=0, le=1), Evaluated] = 0.0
    """Share by which the truth is drawn towards 0.5."""


class BinaryFocalCrossentropy(BinaryCrossentropy):
    """Binary cross-entropy that counts easy rows less (Lin et al., 2018)."""

    key: ClassVar[str] = "binary_focal_crossentropy"

    apply_class_balancing: bool = False
    """Whether to weigh the two labels by alpha and 1 - alpha."""
    alpha: Annotated[float, Field(ge=0, le=1), Evaluated] = 0.25
    """Weight of the positive label."""
    gamma: NonNegative = 2.0
    """How much less easy rows count."""


class MeanSquaredError(KerasObject):
    """Mean of (truth - output)²."""

    key: ClassVar[str] = "mean_squared_error"


class MeanAbsoluteError(KerasObject):
    """Mean of |truth - output|."""

    key: ClassVar[str] = "mean_absolute_error"


class MeanAbsolutePercentageError(KerasObject):
    """Mean of 100 · |truth - output| / |truth|."""

    key: ClassVar[str] = "mean_absolute_percentage_error"


class MeanSquaredLogarithmicError(KerasObject):
    """Mean of (log(truth + 1) - log(output + 1))²."""

    key: ClassVar[str] = "mean_squared_logarithmic_error"


class Huber(KerasObject):
    """Squared below delta, linear above."""

    key: ClassVar[str] = "huber"
    shorthand: ClassVar[str | None] = "delta"

    delta: Above0 = 1.0
    """Error from which on it is linear."""


class LogCosh(KerasObject):
    """Mean of log(cosh(output - truth))."""

    key: ClassVar[str] = "log_cosh"


class Poisson(KerasObject):
    """Mean of output - truth · log(output), of counts."""

    key: ClassVar[str] = "poisson"


LOSSES = (
    SparseCategoricalCrossentropy,
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    MeanSquaredError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
    Huber,
    LogCosh,
    Poisson,
)
Loss = Annotated[KerasObject, Keyed(LOSSES)]

Metric = Literal[
    "accuracy",
    "top_5_accuracy",
    "auc",
    "precision",
    "recall",
    "mean_absolute_error",
    "mean_squared_error",
    "root_mean_squared_error",
    "r2_score",
]
"""A metric of an output; the last four are of numbers, the others of labels."""
