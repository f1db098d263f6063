"""What is minimised and measured: losses, metrics, optimizer and class weights, as Keras objects.

The tables say which loss and which metric is made for which kind of output; the checks need no
Keras, so that a spec can be refused before anything heavy is imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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

DEFAULT_LOSS: Mapping[type, KerasObject] = MappingProxyType(
    {
        Category: SparseCategoricalCrossentropy(),
        Binary: BinaryCrossentropy(),
        Quantity: MeanSquaredError(),
        Tensor: MeanSquaredError(),
    }
)
_OF_NUMBERS = tuple(loss for loss in LOSSES if loss not in _CATEGORICAL + _BINARY)
LOSSES_OF: Mapping[type, tuple[type[KerasObject], ...]] = MappingProxyType(
    {
        Category: _CATEGORICAL,
        Binary: _BINARY,
        Quantity: _OF_NUMBERS,
        Tensor: _OF_NUMBERS,
    }
)
METRICS_OF: Mapping[type, Mapping[str, str]] = MappingProxyType(
    {
        Category: {
            "accuracy": "SparseCategoricalAccuracy",
            "top_5_accuracy": "SparseTopKCategoricalAccuracy",
        },
        Binary: {
            "accuracy": "BinaryAccuracy",
            "auc": "AUC",
            "precision": "Precision",
            "recall": "Recall",
        },
        Quantity: {
            "mean_absolute_error": "MeanAbsoluteError",
            "mean_squared_error": "MeanSquaredError",
            "root_mean_squared_error": "RootMeanSquaredError",
            "r2_score": "R2Score",
        },
        Tensor: {
            "mean_absolute_error": "MeanAbsoluteError",
            "mean_squared_error": "MeanSquaredError",
            "root_mean_squared_error": "RootMeanSquaredError",
        },
    }
)
"""Keras' metric for each name, by kind of output; the first is measured where none is named."""

_ON_LOGITS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "BinaryAccuracy": {"threshold": 0.0},
        "AUC": {"from_logits": True},
        "Precision": {"thresholds": 0.0},
        "Recall": {"thresholds": 0.0},
    }
)
"""Arguments for an output without sigmoid, where 0 stands for the probability of a half."""


def training_settings(spec: Spec) -> Train:
    """The section `train`; raises KspecError KS605 when there is none."""
    if spec.train is None:
        raise KspecError(Diagnostic("KS605", "the spec does not say how to train"))
    return spec.train


def check_training(spec: Spec, *, validated: bool) -> None:
    """Raise KspecError KS602 to KS605 with all settings of `train` that do not fit the spec.

    `validated` says whether there are validation rows, and with them metrics `val_...`.
    """
    settings = training_settings(spec)
    problems = [*_misfits(spec, settings), *_fixed_rate(settings)]
    if not problems:
        problems += _unwatchable(settings, metric_names(spec), validated=validated)
    if problems:
        raise KspecError(*problems)


def loss_of(spec: Spec, output: str) -> KerasObject:
    """The loss of an output."""
    written = training_settings(spec).loss.get(output)
    return written or DEFAULT_LOSS[type(spec.outputs[output].kind)]


def metrics_of(spec: Spec, output: str) -> tuple[str, ...]:
    """The names of an output's metrics."""
    written = training_settings(spec).metrics.get(output)
    return written or tuple(METRICS_OF[type(spec.outputs[output].kind)])[:1]


def metric_names(spec: Spec) -> tuple[str, ...]:
    """What Keras calls the losses and metrics of an epoch, without those of the validation."""
    if len(spec.outputs) == 1:
        return ("loss", *(name for output in spec.outputs for name in metrics_of(spec, output)))
    each = (f"{o}_{name}" for o in spec.outputs for name in ("loss", *metrics_of(spec, o)))
    return ("loss", *each)


def compile_model(model: keras.Model, spec: Spec) -> None:
    """Compile the model and build its optimizer, so that all variables are there."""
    settings = training_settings(spec)
    model.compile(
        optimizer=make_optimizer(settings.optimizer),
        loss={name: _loss(loss_of(spec, name)) for name in spec.outputs},
        loss_weights={name: settings.loss_weights.get(name, 1.0) for name in spec.outputs},
        metrics={name: _metrics(spec, name) for name in spec.outputs},
        # XLA takes seconds to compile what the small networks of today train in less, and has no
        # deterministic form of every op.
        jit_compile=False,
    )
    model.optimizer.build(model.trainable_variables)


def make_optimizer(written: KerasObject) -> Any:
    """The Keras optimizer, its schedule included."""
    import keras

    arguments = written.arguments()
    if isinstance(rate := arguments["learning_rate"], dict):
        arguments["learning_rate"] = keras.optimizers.schedules.deserialize(rate)
    return getattr(keras.optimizers, written.keras)(**arguments)


def row_weights(spec: Spec, split: Split) -> dict[str, Array] | None:
    """Weights of the rows, float32[rows] by output, or None without `class_weight`.

    `balanced` weighs each label by rows / (labels × rows of the label), as scikit-learn does.
    """
    import numpy as np

    settings = training_settings(spec)
    if settings.class_weight is None:
        return None
    # The schema allows them for a single output of labels only.
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

    table = METRICS_OF[type(spec.outputs[output].kind)]
    logits = scores_of(spec, output) == "logits"
    return [
        getattr(keras.metrics, table[name])(
            name=name, **(_ON_LOGITS.get(table[name], {}) if logits else {})
        )
        for name in metrics_of(spec, output)
    ]


def _misfits(spec: Spec, settings: Train) -> Iterator[Diagnostic]:
    for name, item in spec.outputs.items():
        kind, metrics = type(item.kind), METRICS_OF[type(item.kind)]
        loss = settings.loss.get(name)
        if loss is not None and not isinstance(loss, LOSSES_OF[kind]):
            known = (each.key for each in LOSSES_OF[kind])
            yield _misfit(loss.key, kind.key, ("train", "loss", name), known)
        for metric in settings.metrics.get(name, ()):
            if metric not in metrics:
                yield _misfit(metric, kind.key, ("train", "metrics", name), iter(metrics))


def _misfit(found: str, kind: str, route: Route, known: Iterator[str]) -> Diagnostic:
    return Diagnostic(
        "KS603",
        f"{found} is not made for an output of the kind {kind}",
        route,
        help=f"made for it are {', '.join(known)}",
    )


def _fixed_rate(settings: Train) -> Iterator[Diagnostic]:
    rate = getattr(settings.optimizer, "learning_rate", None)
    if settings.reduce_lr_on_plateau is not None and isinstance(rate, SCHEDULES):
        yield Diagnostic(
            "KS604",
            f"{rate.key} decides the learning rate of every step",
            ("train", "reduce_lr_on_plateau"),
            help="leave out the schedule or reduce_lr_on_plateau",
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
                f"no epoch has a metric {watching.monitor!r}",
                ("train", key, "monitor"),
                help=f"the metrics are {', '.join(known)}",
            )
