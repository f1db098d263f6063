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
    """Whether the outputs are logits (no softmax)."""


class BinaryCrossentropy(KerasObject):
    """-log of the probability of the true answer."""

    key: ClassVar[str] = "binary_crossentropy"

    from_logits: bool = False
    """Whether the output is a logit (no sigmoid)."""
    label_smoothing: Annotated[float, Field(ge=0, le=1), Evaluated] = 0.0
    """Share by which the truth is moved towards 0.5."""


class BinaryFocalCrossentropy(BinaryCrossentropy):
    """Binary cross-entropy with less weight on easy rows (Lin et al., 2018)."""

    key: ClassVar[str] = "binary_focal_crossentropy"

    apply_class_balancing: bool = False
    """Whether to weigh the two labels by alpha and 1 - alpha."""
    alpha: Annotated[float, Field(ge=0, le=1), Evaluated] = 0.25
    """Weight of the positive label."""
    gamma: NonNegative = 2.0
    """Focusing exponent: larger values reduce the weight of easy rows."""


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
    """Squared error below delta, linear error above."""

    key: ClassVar[str] = "huber"
    shorthand: ClassVar[str | None] = "delta"

    delta: Above0 = 1.0
    """Error above which the loss is linear."""


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
"""A metric of an output; the last four are for numbers, the others for labels."""
