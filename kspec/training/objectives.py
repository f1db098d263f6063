"""Losses, metrics, optimizer and class weights of a spec as Keras objects.

One table has the losses and metrics that fit each kind of output. The checks do not import Keras.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from kspec.features.kinds import scores_of
from kspec.schemas import Spec
from kspec.schemas.features import Binary, Category, Quantity, Tensor
from kspec.schemas.keras_objects import KerasObject
from kspec.schemas.losses import (
    LOSSES,
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
from kspec.schemas.optimizers import SCHEDULES
from kspec.schemas.train import Train
from kspec.spec.diagnostics import Diagnostic, KspecError, Route

if TYPE_CHECKING:
    import keras

    from kspec.data.dataset import Split
    from kspec.data.table import Array

_CATEGORICAL = (SparseCategoricalCrossentropy,)
_BINARY = (BinaryCrossentropy, BinaryFocalCrossentropy)
_OF_NUMBERS = tuple(loss for loss in LOSSES if loss not in _CATEGORICAL + _BINARY)
_ERRORS = {
    "mean_absolute_error": "MeanAbsoluteError",
    "mean_squared_error": "MeanSquaredError",
    "root_mean_squared_error": "RootMeanSquaredError",
}


@dataclass(frozen=True, slots=True)
class Objectives:
    """The losses and metrics that fit outputs of one kind."""

    losses: tuple[type[KerasObject], ...]
    default: KerasObject
    """The loss of an output whose loss the spec does not name."""
    metrics: Mapping[str, str]
    """The class in ``keras.metrics`` by the metric's name in a spec. The first one is measured for
    an output whose metrics the spec does not name."""


OBJECTIVES: Mapping[type, Objectives] = MappingProxyType(
    {
        Category: Objectives(
            losses=_CATEGORICAL,
            default=SparseCategoricalCrossentropy(),
            metrics={
                "accuracy": "SparseCategoricalAccuracy",
                "top_5_accuracy": "SparseTopKCategoricalAccuracy",
            },
        ),
        Binary: Objectives(
            losses=_BINARY,
            default=BinaryCrossentropy(),
            metrics={
                "accuracy": "BinaryAccuracy",
                "auc": "AUC",
                "precision": "Precision",
                "recall": "Recall",
            },
        ),
        Quantity: Objectives(
            losses=_OF_NUMBERS,
            default=MeanSquaredError(),
            metrics={**_ERRORS, "r2_score": "R2Score"},
        ),
        Tensor: Objectives(losses=_OF_NUMBERS, default=MeanSquaredError(), metrics=_ERRORS),
    }
)
"""By the class of the output's kind."""

_ON_LOGITS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "BinaryAccuracy": {"threshold": 0.0},
        "AUC": {"from_logits": True},
        "Precision": {"thresholds": 0.0},
        "Recall": {"thresholds": 0.0},
    }
)
"""Arguments for an output without sigmoid: a logit of 0 is a probability of 0.5."""


def training_settings(spec: Spec) -> Train:
    """Return the section `train`. Raises KspecError KS605 for a spec without it."""
    if spec.train is None:
        raise KspecError(Diagnostic("KS605", "the spec does not say how to train"))
    return spec.train


def check_training(spec: Spec, *, validated: bool) -> None:
    """Raise KspecError KS602 to KS605 with all settings of `train` that do not fit the spec.

    `validated` says whether the data has validation rows, so that epochs have metrics `val_...`.
    """
    settings = training_settings(spec)
    problems = [*_misfits(spec, settings), *_fixed_rate(settings)]
    if not problems:
        problems += _unwatchable(settings, metric_names(spec), validated=validated)
    if problems:
        raise KspecError(*problems)


def loss_of(spec: Spec, output: str) -> KerasObject:
    """Return the loss of an output."""
    return training_settings(spec).loss.get(output) or _objectives(spec, output).default


def metrics_of(spec: Spec, output: str) -> tuple[str, ...]:
    """Return the names of an output's metrics."""
    written = training_settings(spec).metrics.get(output)
    return written or tuple(_objectives(spec, output).metrics)[:1]


def _objectives(spec: Spec, output: str) -> Objectives:
    return OBJECTIVES[type(spec.outputs[output].kind)]


def metric_names(spec: Spec) -> tuple[str, ...]:
    """Return Keras' names of the losses and metrics of an epoch, without the validation metrics."""
    if len(spec.outputs) == 1:
        return ("loss", *(name for output in spec.outputs for name in metrics_of(spec, output)))
    each = (f"{o}_{name}" for o in spec.outputs for name in ("loss", *metrics_of(spec, o)))
    return ("loss", *each)


def compile_model(model: keras.Model, spec: Spec) -> None:
    """Compile the model and build its optimizer, which creates all variables."""
    settings = training_settings(spec)
    model.compile(
        optimizer=make_optimizer(settings.optimizer),
        loss={name: _loss(loss_of(spec, name)) for name in spec.outputs},
        loss_weights={name: settings.loss_weights.get(name, 1.0) for name in spec.outputs},
        metrics={name: _metrics(spec, name) for name in spec.outputs},
        # XLA compiles for seconds, longer than a small network trains, and some of its ops are not
        # deterministic.
        jit_compile=False,
    )
    model.optimizer.build(model.trainable_variables)


def make_optimizer(written: KerasObject) -> Any:
    """Return the Keras optimizer with its schedule."""
    import keras

    arguments = written.arguments()
    if isinstance(rate := arguments["learning_rate"], dict):
        arguments["learning_rate"] = keras.optimizers.schedules.deserialize(rate)
    return getattr(keras.optimizers, written.keras)(**arguments)


def row_weights(spec: Spec, split: Split) -> dict[str, Array] | None:
    """Return the weights of the rows, float32 (rows,) by output, or None without `class_weight`.

    `balanced` weights each label by rows / (labels × rows of the label), as scikit-learn does.
    """
    import numpy as np

    settings = training_settings(spec)
    if settings.class_weight is None:
        return None
    # The schema allows class weights for a single output with labels only.
    [(name, output)] = spec.outputs.items()
    labels = output.kind.label_names
    codes = split.targets[name].astype(np.int64).reshape(-1)
    if settings.class_weight == "balanced":
        counts = np.maximum(np.bincount(codes, minlength=len(labels)), 1)
        by_label = len(codes) / (len(labels) * counts)
    else:
        by_label = np.array([settings.class_weight.get(label, 1.0) for label in labels])
    return {name: by_label.astype(np.float32)[codes]}


def _loss(written: KerasObject) -> Any:
    import keras

    return getattr(keras.losses, written.keras)(**written.arguments())


def _metrics(spec: Spec, output: str) -> list[Any]:
    import keras

    table = _objectives(spec, output).metrics
    logits = scores_of(spec, output) == "logits"
    return [
        getattr(keras.metrics, table[name])(
            name=name, **(_ON_LOGITS.get(table[name], {}) if logits else {})
        )
        for name in metrics_of(spec, output)
    ]


def _misfits(spec: Spec, settings: Train) -> Iterator[Diagnostic]:
    for name, item in spec.outputs.items():
        kind, fitting = item.kind.key, _objectives(spec, name)
        loss = settings.loss.get(name)
        if loss is not None and not isinstance(loss, fitting.losses):
            known = [each.key for each in fitting.losses]
            yield _misfit(f"loss `{loss.key}`", kind, ("train", "loss", name), known)
        for metric in settings.metrics.get(name, ()):
            if metric not in fitting.metrics:
                route = ("train", "metrics", name)
                yield _misfit(f"metric `{metric}`", kind, route, fitting.metrics)


def _misfit(found: str, kind: str, route: Route, known: Iterable[str]) -> Diagnostic:
    return Diagnostic(
        "KS603",
        f"the {found} does not fit an output of the kind `{kind}`",
        route,
        help=f"available: {', '.join(known)}",
    )


def _fixed_rate(settings: Train) -> Iterator[Diagnostic]:
    rate = getattr(settings.optimizer, "learning_rate", None)
    if settings.reduce_lr_on_plateau is not None and isinstance(rate, SCHEDULES):
        yield Diagnostic(
            "KS604",
            f"the schedule `{rate.key}` sets the learning rate of every step",
            ("train", "reduce_lr_on_plateau"),
            help="remove the schedule or `reduce_lr_on_plateau`",
        )


def _unwatchable(
    settings: Train, metrics: tuple[str, ...], *, validated: bool
) -> Iterator[Diagnostic]:
    known = [*metrics, *(f"val_{name}" for name in metrics if validated)]
    for key in ("early_stopping", "reduce_lr_on_plateau"):
        watching = getattr(settings, key)
        if watching is not None and watching.monitor not in known:
            yield Diagnostic(
                "KS602",
                f"unknown metric `{watching.monitor}`",
                ("train", key, "monitor"),
                help=f"available: {', '.join(known)}",
            )
