"""The training of the model."""

from typing import Annotated, Literal

from pydantic import Field, Tag, model_validator

from kspec.schemas.base import Model, located
from kspec.schemas.features import Label
from kspec.schemas.losses import Loss, Metric
from kspec.schemas.optimizers import Adam, AnyOptimizer
from kspec.schemas.values import (
    Evaluated,
    Form,
    Name,
    Natural,
    Number,
    Positive,
    Seed,
    Spread,
    written,
)
from kspec.schemas.weights import Above0, NonNegative

Monitor = Annotated[
    str,
    Field(max_length=128),
    Form(
        r"^(val_)?[A-Za-z][A-Za-z0-9_-]*$",
        "is not a metric to watch",
        "write `loss`, `val_loss`, or a metric with or without `val_` before it",
    ),
]
"""Monitored quantity: `loss` or a metric, with the prefix `val_` for the validation split."""
Mode = Literal["auto", "min", "max"]
ClassWeight = Annotated[
    Annotated[Literal["balanced"], Tag("text")]
    | Annotated[dict[Label, Above0], Field(min_length=1), Tag("mapping")],
    written(text="balanced", mapping="a weight for each label"),
]


class EarlyStopping(Model):
    """Stop when the monitored metric stops improving."""

    monitor: Monitor = "val_loss"
    """Monitored loss or metric."""
    patience: Natural = 0
    """Epochs without improvement before training stops."""
    min_delta: NonNegative = 0.0
    """Smallest change that counts as an improvement."""
    mode: Mode = "auto"
    """Whether smaller or larger is better; `auto` decides by the metric's name."""
    baseline: Number | None = None
    """Value that the metric must reach."""
    start_from_epoch: Natural = 0
    """Epochs before monitoring begins."""
    restore_best_weights: bool = True
    """Whether to keep the weights of the best epoch instead of the last."""


class ReduceLROnPlateau(Model):
    """Lower the learning rate when the monitored metric stops improving."""

    monitor: Monitor = "val_loss"
    """Monitored loss or metric."""
    factor: Annotated[float, Field(gt=0, lt=1), Evaluated] = 0.1
    """Factor on the learning rate."""
    patience: Natural = 10
    """Epochs without improvement before the rate is lowered."""
    min_delta: NonNegative = 0.0001
    """Smallest change that counts as an improvement."""
    mode: Mode = "auto"
    """Whether smaller or larger is better; `auto` decides by the metric's name."""
    cooldown: Natural = 0
    """Epochs after a reduction before monitoring resumes."""
    min_lr: NonNegative = 0.0
    """Minimum learning rate."""


class Train(Model):
    """The training of the model."""

    epochs: Positive
    """Maximum number of passes over the training split."""
    batch_size: Positive = 32
    """Rows in a step."""
    seed: Seed = 0
    """Seed of initial weights, shuffles and dropout."""
    optimizer: AnyOptimizer = Adam()
    """The optimizer."""
    loss: dict[Name, Loss] = Field(default_factory=dict)
    """Loss of each output. Default: sparse_categorical_crossentropy for a category,
    binary_crossentropy for a binary, mean_squared_error for numbers."""
    loss_weights: dict[Name, NonNegative] = Field(default_factory=dict)
    """Weight of each output's loss in the sum; 1 by default."""
    metrics: dict[Name, Annotated[tuple[Metric, ...], Spread()]] = Field(default_factory=dict)
    """Metrics of each output. Default: accuracy for labels, mean_absolute_error for numbers."""
    early_stopping: EarlyStopping | None = None
    """Stop when the monitored metric stops improving."""
    reduce_lr_on_plateau: ReduceLROnPlateau | None = None
    """Lower the learning rate when the monitored metric stops improving."""
    class_weight: ClassWeight | None = None
    """Weight of the rows of each label: `balanced`, or a mapping. For a single output of labels."""
    deterministic: bool = True
    """Whether the same seed gives the same weights, bit for bit."""

    @model_validator(mode="after")
    def distinct_metrics(self) -> "Train":
        """Check that no output has a metric twice."""
        for name, metrics in self.metrics.items():
            for place, metric in enumerate(metrics):
                if metric in metrics[:place]:
                    raise located(("metrics", name, place), "this metric is given twice")
        return self
