"""Training through Keras' `fit`, with a checkpoint after each epoch that survives a kill."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kspec.data.dataset import Dataset
from kspec.schemas import Spec
from kspec.schemas.train import Train
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.training.adaptation import adapt
from kspec.training.batches import Batches
from kspec.training.callbacks import Patience, reduced, watch_plateau, watch_stopping
from kspec.training.checkpoints import (
    Checkpoint,
    Epoch,
    Progress,
    read_newest,
    restore,
    state_of,
    write_checkpoint,
)
from kspec.training.interrupts import terminable
from kspec.training.monitors import Monitor
from kspec.training.objectives import (
    check_training,
    compile_model,
    row_weights,
    training_settings,
)
from kspec.training.weights import Weights, save_weights

if TYPE_CHECKING:
    import keras

WEIGHTS = "weights.safetensors"


@dataclass(frozen=True, slots=True)
class TrainResult:
    """The result of a finished run."""

    weights: Path
    """The trained weights: of the best epoch if early stopping restores it, else of the last
    epoch."""
    history: tuple[Epoch, ...]
    """The means of each epoch by Keras' names, and the learning rate at its end."""
    epochs_run: int
    stopped_early: bool
    seconds: float
    """The time spent on epochs, in all processes of the run."""


def fit(
    model: keras.Model,
    dataset: Dataset,
    spec: Spec,
    run_dir: Path,
    *,
    monitor: Monitor,
    secret: bytes = b"",
) -> TrainResult:
    """Train `model` and write its weights to `run_dir/weights.safetensors`.

    `model` is built and not compiled; its inputs and outputs are dicts by the names of the spec.
    Normalization layers without statistics are adapted to the training rows first, unless the spec
    has weights, which contain the statistics. A killed run resumes after its last whole epoch; with
    `deterministic`, its weights equal the weights of an uninterrupted run bit for bit if the model
    began with the same weights. A finished run is not repeated. A checkpoint counts only if it was
    written with the same `secret`.

    Raises KspecError KS601 if the loss is no longer finite, and KS602 to KS605 if the settings do
    not fit. KeyboardInterrupt (`Terminated` on SIGTERM) propagates; checkpoints stay.
    """
    check_training(spec, validated=len(dataset.validation) > 0)
    settings = training_settings(spec)
    _seed(settings)
    compile_model(model, spec)
    folder, identity = run_dir / "checkpoints", run_identity(model, dataset, spec)
    with terminable(), monitor:
        run = _Run(
            model, settings, folder, (identity, secret), monitor, adapts=spec.weights is None
        )
        try:
            run.train(dataset, row_weights(spec, dataset.train))
        except KeyboardInterrupt as interrupt:
            interrupt.add_note(kept(folder, identity, secret))
            raise
        save_weights(model, run_dir / WEIGHTS)
    return TrainResult(
        weights=run_dir / WEIGHTS,
        history=run.progress.history,
        epochs_run=run.progress.epochs,
        stopped_early=run.progress.stopped,
        seconds=run.progress.seconds,
    )


def kept(folder: Path, identity: str, secret: bytes) -> str:
    """Return what an interrupted run leaves, as a sentence."""
    checkpoint = read_newest(folder, identity, secret)
    if checkpoint is None:
        return "no epoch was finished, so there is no checkpoint: training will begin anew"
    done = checkpoint.progress.epochs
    return f"the checkpoint after epoch {done} is kept; run the command again to resume from it"


def run_identity(model: keras.Model, dataset: Dataset, spec: Spec) -> str:
    """Return the SHA-256, in hex, of everything that decides a run except its initial weights."""
    import keras
    import tensorflow as tf

    parts = {
        "train": training_settings(spec).model_dump(mode="json"),
        "outputs": {name: item.model_dump(mode="json") for name, item in spec.outputs.items()},
        "rows": [
            hashlib.sha256(split.rows.astype("<i8").tobytes()).hexdigest()
            for split in (dataset.train, dataset.validation)
        ],
        "data": dataset.digest,
        "variables": [[variable.path, list(variable.shape)] for variable in model.weights],
        "versions": [keras.__version__, tf.__version__],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _seed(settings: Train) -> None:
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(settings.seed)
    if settings.deterministic:
        tf.config.experimental.enable_op_determinism()


class _Run:
    """One run, from its first epoch or the last checkpoint to its end."""

    def __init__(
        self,
        model: keras.Model,
        settings: Train,
        folder: Path,
        identity: tuple[str, bytes],
        monitor: Monitor,
        *,
        adapts: bool,
    ) -> None:
        self._model = model
        self._settings = settings
        self._folder = folder
        self._identity = identity
        self._monitor = monitor
        self._adapts = adapts
        self.progress = Progress()
        self._best: Weights = {}
        self._started = 0.0

    def train(self, dataset: Dataset, weights: Mapping[str, Any] | None) -> None:
        """Train to the end; the model then has the weights to keep."""
        import keras

        settings, model = self._settings, self._model
        batches = Batches.of(dataset.train, settings.batch_size, weights)
        self._resume(dataset)
        done = self.progress.epochs
        self._monitor.begin(epochs=settings.epochs, steps=batches.steps, done=done)
        if done < settings.epochs and not self.progress.stopped:
            callback = keras.callbacks.LambdaCallback(
                on_train_batch_end=self._end_step, on_epoch_end=self._end_epoch
            )
            self._started = time.perf_counter()
            # One call for all epochs: at the end of each call Keras puts the moving average of
            # `use_ema` into the weights.
            model.fit(
                batches.shuffled(settings.seed, done, settings.epochs),
                initial_epoch=done,
                epochs=settings.epochs,
                steps_per_epoch=batches.steps,
                validation_data=_validation(dataset, settings),
                callbacks=[callback],
                shuffle=False,
                verbose=0,
            )
        else:
            model.optimizer.finalize_variable_values(model.trainable_variables)
        self._restore_best()

    def _resume(self, dataset: Dataset) -> None:
        from kspec.models.keras_model import finalize

        checkpoint = read_newest(self._folder, *self._identity)
        if checkpoint is None:
            if self._adapts:
                adapt(self._model, dataset.train)
            return
        restore(self._model, checkpoint.state)
        finalize(self._model)
        self.progress, self._best = checkpoint.progress, checkpoint.best

    def _end_step(self, step: int, logs: Mapping[str, float]) -> None:
        epoch, loss = self.progress.epochs + 1, float(logs["loss"])
        _check_finite("loss", loss, f"epoch {epoch}, step {step + 1}")
        self._monitor.step(epoch=epoch, step=step + 1, loss=loss)

    def _end_epoch(self, epoch: int, logs: Mapping[str, float]) -> None:
        metrics = {name: float(value) for name, value in logs.items()}
        for name, value in metrics.items():
            _check_finite(name, value, f"epoch {epoch + 1}")
        stopping, stopped = self._watch_stopping(epoch, metrics)
        now = time.perf_counter()
        self.progress = replace(
            self.progress,
            history=(*self.progress.history, metrics | {"learning_rate": self._rate()}),
            stopping=stopping,
            plateau=self._watch_plateau(epoch, metrics),
            stopped=stopped,
            seconds=self.progress.seconds + now - self._started,
        )
        self._started = now
        checkpoint = Checkpoint(self.progress, state_of(self._model), self._best)
        write_checkpoint(self._folder, checkpoint, *self._identity)
        self._monitor.epoch(epoch=epoch + 1, metrics=self.progress.history[-1])
        self._model.stop_training = stopped

    def _watch_stopping(self, epoch: int, metrics: Epoch) -> tuple[Patience, bool]:
        rule = self._settings.early_stopping
        if rule is None:
            return self.progress.stopping, False
        value = metrics[rule.monitor]
        state, stopped = watch_stopping(self.progress.stopping, value, epoch, rule)
        if rule.restore_best_weights and state.best_epoch == epoch:
            self._best = {
                f"{index:05d}": variable.numpy().copy()
                for index, variable in enumerate(self._model.weights)
            }
        return state, stopped

    def _watch_plateau(self, epoch: int, metrics: Epoch) -> Patience:
        rule = self._settings.reduce_lr_on_plateau
        if rule is None:
            return self.progress.plateau
        value = metrics[rule.monitor]
        state, falls = watch_plateau(self.progress.plateau, value, epoch, rule)
        rate = self._rate()
        if not falls or rate <= np.float32(rule.min_lr):
            return state
        self._model.optimizer.learning_rate = max(rate * rule.factor, rule.min_lr)
        return reduced(state, rule)

    def _rate(self) -> float:
        return float(self._model.optimizer.learning_rate)

    def _restore_best(self) -> None:
        if self._best:
            tensors = (self._best[name] for name in sorted(self._best))
            for variable, tensor in zip(self._model.weights, tensors, strict=True):
                variable.assign(tensor)


def _validation(dataset: Dataset, settings: Train) -> Any:
    if len(dataset.validation) == 0:
        return None
    return Batches.of(dataset.validation, settings.batch_size).in_order()


def _check_finite(name: str, value: float, place: str) -> None:
    if not math.isfinite(value):
        raise KspecError(
            Diagnostic(
                "KS601",
                f"{name} is {value} in {place}",
                ("train",),
                help="try a tenth of the learning rate, or `clipnorm: 1` in the optimizer; look for"
                " inputs of very different sizes, which `normalize: true` or a rescale evens out",
            )
        )
