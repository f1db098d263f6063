"""How the model is trained."""

from typing import Annotated, Literal

from pydantic import Field, Tag

from kspec.schemas.base import Model
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
"""What is watched: `loss` or a metric, `val_` before it for the validation split."""
Mode = Literal["auto", "min", "max"]
ClassWeight = Annotated[
    Annotated[Literal["balanced"], Tag("text")]
    | Annotated[dict[Label, Above0], Field(min_length=1), Tag("mapping")],
    written(text="balanced", mapping="a weight for each label"),
]


class EarlyStopping(Model):
    """Stop when nothing gets better."""

    monitor: Monitor = "val_loss"
    """What is watched."""
    patience: Natural = 0
    """Epochs without improvement before it stops."""
    min_delta: NonNegative = 0.0
    """Least change that counts as an improvement."""
    mode: Mode = "auto"
    """Whether less or more is better; `auto` knows it by the name."""
    baseline: Number | None = None
    """Value that must be reached."""
    start_from_epoch: Natural = 0
    """Epochs before it begins to watch."""
    restore_best_weights: bool = True
    """Whether to keep the weights of the best epoch instead of the last."""


class ReduceLROnPlateau(Model):
    """Lower the learning rate when nothing gets better."""

    monitor: Monitor = "val_loss"
    """What is watched."""
    factor: Annotated[float, Field(gt=0, lt=1), Evaluated] = 0.1
    """Factor on the learning rate."""
    patience: Natural = 10
    """Epochs without improvement before it is lowered."""
    min_delta: NonNegative = 0.0001
    """Least change that counts as an improvement."""
    mode: Mode = "auto"
    """Whether less or more is better; `auto` knows it by the name."""
    cooldown: Natural = 0
    """Epochs after lowering before it watches again."""
    min_lr: NonNegative = 0.0
    """Least learning rate."""


class Train(Model):
    """How the model is trained."""

    epochs: Positive
    """Passes over the training split, at most."""
    batch_size: Positive = 32
    """Rows in a step."""
    seed: Seed = 0
    """Seed of weights, shuffles and dropout."""
    optimizer: AnyOptimizer = Adam()
    """What turns gradients into steps."""
    loss: dict[Name, Loss] = Field(default_factory=dict)
    """Loss of each output. Without one: sparse_categorical_crossentropy of a category,
    binary_crossentropy of a binary, mean_squared_error of a number."""
    loss_weights: dict[Name, NonNegative] = Field(default_factory=dict)
    """Weight of each output's loss in the sum; without one, 1."""
    metrics: dict[Name, Annotated[tuple[Metric, ...], Spread()]] = Field(default_factory=dict)
    """Metrics of each output. Without any: accuracy of labels, mean_absolute_error of numbers."""
    early_stopping: EarlyStopping | None = None
    """Stop when nothing gets better."""
    reduce_lr_on_plateau: ReduceLROnPlateau | None = None
    """Lower the learning rate when nothing gets better."""
    class_weight: ClassWeight | None = None
    """Weight of the rows of each label: `balanced`, or a mapping. For a single output of labels."""
    deterministic: bool = True
    """Whether the same seed gives the same weights, bit for bit."""
