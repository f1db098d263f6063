from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kspec.data.dataset import Split, load_dataset
from kspec.data.splits import shuffled
from kspec.features.kinds import decisions_of
from kspec.models.keras_model import build_model
from kspec.pipeline.proof.metrics import task_metrics
from kspec.spec import load
from kspec.spec.diagnostics import KspecError
from kspec.training.adaptation import adapt
from kspec.training.batches import Batches
from kspec.training.checkpoints import read_newest
from kspec.training.fit import TrainResult, fit, run_identity
from kspec.training.interrupts import Terminated
from kspec.training.monitors import Silent
from kspec.training.weights import load_weights, read_weights
from tests.training.small import build, dataset, spec

ALL = ("kind", "yes", "size")
OUTPUTS = {
    "kind": {"category": {"labels": ["a", "b", "c"]}},
    "yes": {"binary": {"labels": ["no", "yes"]}},
    "size": {"number": 1},
}
SETTINGS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "schedule": (("kind",), {}),
    "stops": (("kind",), {"epochs": 12, "early_stopping": {"patience": 1, "min_delta": 0.03}}),
    "plateau": (
        ("kind",),
        {
            "optimizer": {"rmsprop": {"learning_rate": 0.05, "momentum": 0.5}},
            "reduce_lr_on_plateau": {"patience": 1, "min_delta": 0.05, "cooldown": 1},
            "early_stopping": None,
            "class_weight": "balanced",
        },
    ),
    "average": (
        ("kind",),
        {
            "optimizer": {"sgd": {"momentum": 0.9, "use_ema": True, "clipnorm": 1.0}},
            "early_stopping": None,
            "class_weight": {"a": 2.0},
        },
    ),
    "several": (
        ALL,
        {
            "optimizer": {"adamw": {"gradient_accumulation_steps": 2}},
            "early_stopping": {"monitor": "val_yes_auc", "patience": 2},
            "loss": {"yes": {"binary_focal_crossentropy": {"gamma": 1.0}}, "size": "huber"},
            "loss_weights": {"size": 0.5},
            "metrics": {
                "yes": ["accuracy", "auc"],
                "size": ["mean_absolute_error", "r2_score"],
                "kind": ["accuracy", "top_5_accuracy"],
            },
        },
    ),
}


class Interrupted(Silent):
    """Raises at a step, as Ctrl-C does."""

    def __init__(self, *places: tuple[int, int]) -> None:
        self.places = list(places)
        self.done: list[int] = []

    def begin(self, *, epochs: int, steps: int, done: int) -> None:
        self.done.append(done)

    def step(self, *, epoch: int, step: int, loss: float) -> None:
        if self.places and (epoch, step) == self.places[0]:
            self.places.pop(0)
            raise KeyboardInterrupt


def train(name: str, run_dir: Path, monitor: Any = None) -> TrainResult:
    outputs, settings = SETTINGS[name]
    written = spec({each: OUTPUTS[each] for each in outputs}, **settings)
    return fit(build(outputs), dataset(outputs), written, run_dir, monitor=monitor or Silent())


@pytest.mark.parametrize("name", SETTINGS)
def test_a_resumed_run_ends_with_the_same_bytes(name, tmp_path):
    whole = train(name, tmp_path / "whole")
    monitor = Interrupted((1, 2), (2, 6), (3, 1), (3, 5))
    for done in (0, 1, 2, 2):
        with pytest.raises(KeyboardInterrupt) as interrupted:
            train(name, tmp_path / "cut", monitor)
        (note,) = interrupted.value.__notes__
        assert note.startswith(f"the checkpoint after epoch {done} " if done else "no epoch was")
        assert not (tmp_path / "cut/weights.safetensors").exists()
    resumed = train(name, tmp_path / "cut", monitor)
    assert monitor.done == [0, 0, 1, 2, 2]
    assert resumed.weights.read_bytes() == whole.weights.read_bytes()
    assert resumed.history == whole.history
    assert resumed.epochs_run == whole.epochs_run == len(whole.history)
    assert resumed.stopped_early == whole.stopped_early == (name == "stops")
    again = train(name, tmp_path / "cut", monitor)
    assert monitor.done[-1] == whole.epochs_run
    assert again.weights.read_bytes() == whole.weights.read_bytes()
    assert again.history == whole.history
    if name == "plateau":
        rates = [epoch["learning_rate"] for epoch in whole.history]
        assert min(rates) < rates[0] == pytest.approx(0.05)
    if name == "several":
        assert {"val_size_r2_score", "yes_auc", "kind_top_5_accuracy"} <= whole.history[0].keys()


def test_the_weights_are_those_of_the_best_epoch(tmp_path):
    import keras

    settings = {"optimizer": {"adam": 0.05}, "epochs": 60, "early_stopping": {"patience": 3}}
    result = fit(build(), dataset(), spec(**settings), tmp_path, monitor=Silent())
    best = min(epoch["val_loss"] for epoch in result.history)
    assert best < result.history[-1]["val_loss"]
    model, validation = build(), dataset().validation
    load_weights(model, result.weights)
    answers = model(dict(validation.inputs), training=False)["kind"]
    truth = validation.targets["kind"]
    loss = keras.losses.SparseCategoricalCrossentropy()(truth, answers)
    assert float(loss) == pytest.approx(best, rel=1e-5)


def test_the_average_of_the_weights_is_taken_once_at_the_end(tmp_path):
    """Keras takes it at the end of each call of fit: a call an epoch would train otherwise."""
    from kspec.training.objectives import compile_model

    settings = SETTINGS["average"][1] | {"class_weight": None}
    result = fit(build(), dataset(), spec(**settings), tmp_path, monitor=Silent())
    model, data = build(), dataset()
    compile_model(model, spec(**settings))
    adapt(model, data.train)
    batches = Batches.of(data.train, 16)
    model.fit(
        batches.shuffled(3, 0, 6), epochs=6, steps_per_epoch=batches.steps, verbose=0, shuffle=False
    )
    stored = read_weights(result.weights)
    for variable in model.weights:
        np.testing.assert_array_equal(stored[variable.path], variable.numpy())


def test_killed_at_any_moment_a_run_ends_with_the_same_bytes(tmp_path):
    killed, done = -signal.SIGKILL, 0
    plans = [
        ("whole", "never", done),
        # In a step, in the midst of writing, after the rename, before the weights are written.
        *(("cut", plan, killed) for plan in ("step:2:4", "write:2:half", "write:1:whole")),
        ("cut", "write:4:half", killed),
        ("cut", "never", done),
        *(("steps", f"step:{place}", killed) for place in ("1:3", "4:1", "6:6")),
        ("steps", "never", done),
    ]
    command = [sys.executable, "-m", "tests.training.small"]
    for folder, plan, _ in plans:
        command += [str(tmp_path / folder), plan]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(Path.cwd())}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    codes = [int(line) for line in run.stdout.split()]
    assert codes == [expected for _, _, expected in plans], run.stderr
    whole, *others = (tmp_path / each for each in ("whole", "cut", "steps"))
    for folder in others:
        name = "weights.safetensors"
        assert (folder / name).read_bytes() == (whole / name).read_bytes()
        left = sorted(path.name for path in (folder / "checkpoints").iterdir())
        assert left == ["epoch-000005.checkpoint", "epoch-000006.checkpoint"]


def test_damaged_and_foreign_checkpoints_are_passed_over(tmp_path):
    monitor = Interrupted((5, 2))
    with pytest.raises(KeyboardInterrupt):
        train("schedule", tmp_path, monitor)
    folder = tmp_path / "checkpoints"
    newest = max(folder.iterdir())
    identity = run_identity(build(), dataset(), spec())
    sound = newest.read_bytes()
    flipped = bytearray(sound)
    flipped[-1] ^= 1
    for content in (
        sound[:-1],
        sound[:9],
        b"",
        bytes(flipped),
        sound.replace(b"accuracy", b"accuracz"),
    ):
        newest.write_bytes(content)
        found = read_newest(folder, identity)
        assert found is not None
        assert found.progress.epochs == 3
    newest.write_bytes(sound)
    assert read_newest(folder, identity).progress.epochs == 4
    assert read_newest(folder, "another run") is None
    (folder / "epoch-000003.checkpoint").unlink()
    newest.write_bytes(sound[:-1])
    assert train("schedule", tmp_path, monitor).epochs_run == 6
    assert monitor.done == [0, 0]


def test_sigterm_is_raised_and_the_handler_put_back(tmp_path):
    class Asked(Silent):
        def step(self, *, epoch: int, step: int, loss: float) -> None:
            if epoch == 2:
                os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Terminated):
        train("schedule", tmp_path, Asked())
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == [
        "epoch-000001.checkpoint"
    ]


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path):
    written = spec(
        {"size": OUTPUTS["size"]}, optimizer={"sgd": {"learning_rate": 1e18}}, early_stopping=None
    )
    with pytest.raises(KspecError) as caught:
        fit(build(("size",)), dataset(("size",)), written, tmp_path, monitor=Silent())
    [found] = caught.value.diagnostics
    assert found.code == "KS601"
    assert found.message.startswith("loss is ")
    assert "epoch 1, step" in found.message
    assert "learning rate" in found.help
    assert caught.value.exit_code == 1
    assert not (tmp_path / "weights.safetensors").exists()


def test_class_weights_weigh_rows_in_training_only(tmp_path):
    from kspec.training.objectives import row_weights

    split = dataset().train
    counts = np.bincount(split.targets["kind"])
    balanced = row_weights(spec(class_weight="balanced"), split)["kind"]
    np.testing.assert_allclose(balanced, (90 / (3 * counts))[split.targets["kind"]], rtol=1e-6)
    mapped = row_weights(spec(class_weight={"b": 5.0}), split)["kind"]
    np.testing.assert_array_equal(mapped, np.where(split.targets["kind"] == 1, 5, 1))
    rate = {"sgd": {"learning_rate": 0.0}}
    heavy, plain = (
        fit(build(), dataset(), spec(optimizer=rate, epochs=1, class_weight=weight),
            tmp_path / str(i), monitor=Silent()).history[0]
        for i, weight in enumerate(({"a": 9.0, "b": 9.0, "c": 9.0}, None))
    )  # fmt: skip
    assert heavy["val_loss"] == pytest.approx(plain["val_loss"])
    assert heavy["accuracy"] == pytest.approx(plain["accuracy"])
    assert heavy["loss"] == pytest.approx(9 * plain["loss"], rel=1e-5)


def test_every_epoch_has_all_rows_in_an_order_of_its_own():
    split = dataset().train
    batches = Batches.of(split, 16)
    seen = [x["x"].numpy() for x, _ in batches.shuffled(3, 0, 3)]
    assert [len(batch) for batch in seen] == ([16] * 5 + [10]) * 3
    epochs = np.concatenate(seen).reshape(3, 90, 6)
    for epoch, rows in enumerate(epochs):
        expected = split.inputs["x"][shuffled(90, "epoch", 3, epoch)]
        np.testing.assert_array_equal(rows, expected)
    later = np.concatenate([x["x"].numpy() for x, _ in batches.shuffled(3, 2, 3)])
    np.testing.assert_array_equal(later, epochs[2])
    assert not np.array_equal(epochs[0], epochs[1])


def test_checkpoints_hold_no_path_and_no_time_of_day(tmp_path):
    train("schedule", tmp_path)
    content = max((tmp_path / "checkpoints").iterdir()).read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    state = json.loads(header["__metadata__"]["kspec"].partition(" ")[2])
    assert state.keys() == {"run", "progress"}
    assert str(tmp_path) not in json.dumps(state)


def test_normalisation_anywhere_takes_its_statistics_from_the_training_rows(tmp_path):
    import keras

    keras.utils.set_random_seed(5)
    x = keras.Input((2, 3), name="x")
    h = keras.layers.Normalization(axis=(1, 2), name="first")(x)
    h = keras.layers.Dense(4, activation="relu", name="dense")(h)
    h = keras.layers.Normalization(axis=None, name="second")(h)
    h = keras.layers.Flatten(name="flat")(h)
    model = keras.Model({"x": x}, {"y": keras.layers.Dense(1, name="y")(h)})
    rows = np.random.default_rng(0).normal(7, 3, (1500, 2, 3)).astype(np.float32)
    adapt(model, Split({"x": rows}, {}, np.arange(1500)))
    first, second = model.get_layer("first"), model.get_layer("second")
    np.testing.assert_allclose(first.adapt_mean, rows.mean(axis=0, dtype="f8"), rtol=1e-6)
    np.testing.assert_allclose(first.adapt_variance, rows.var(axis=0, dtype="f8"), rtol=1e-6)
    seen = keras.Model(model.input, second.output)({"x": rows}).numpy()
    assert seen.mean() == pytest.approx(0, abs=1e-5)
    assert seen.std() == pytest.approx(1, abs=1e-5)


def test_given_weights_keep_their_statistics(tmp_path):
    model, given = build(), spec(epochs=1).model_copy(update={"weights": "given.safetensors"})
    normalization = model.get_layer("x.normalize")
    normalization.adapt_mean.assign(np.full(6, 7.0))
    before = model.get_layer("hidden").kernel.numpy()
    fit(model, dataset(), given, tmp_path, monitor=Silent())
    np.testing.assert_array_equal(normalization.adapt_mean, 7.0)
    assert (model.get_layer("hidden").kernel.numpy() != before).any()


AGAIN = """\
kspec: 1
name: again
data: {source: {csv: rows.csv}}
inputs: {x: {number: 6, columns: "x_*"}}
outputs: {again: {tensor: [2, 3], columns: "x_*"}}
network:
  - dense: 6
  - reshape: [2, 3]
    name: again
train: {epochs: 1}
"""


def test_a_tensor_is_learnt(tmp_path):
    rows = np.random.default_rng(0).normal(size=(40, 6))
    names = ",".join(f"x_{index}" for index in range(6))
    np.savetxt(tmp_path / "rows.csv", rows, delimiter=",", header=names, comments="")
    (tmp_path / "model.yaml").write_text(AGAIN)
    document = load(tmp_path / "model.yaml")
    data, model = load_dataset(document), build_model(document)
    assert data.train.targets["again"].shape == (28, 2, 3)
    result = fit(model, data, document.spec, tmp_path / "run", monitor=Silent())
    assert {"loss", "val_loss", "mean_absolute_error"} <= set(result.history[0])
    found = {"again": np.asarray(model({"x": data.test.inputs["x"]})["again"])}
    error = found["again"] - data.test.targets["again"]
    metrics = task_metrics(found, data.test.targets, decisions_of(document.spec))
    assert metrics["mean_absolute_error"] == pytest.approx(abs(error).mean(), rel=1e-6)
