from __future__ import annotations

import io
from typing import Any

import pytest

from kspec.schemas.train import EarlyStopping, ReduceLROnPlateau
from kspec.spec.diagnostics import KspecError
from kspec.training.callbacks import Patience, reduced, watch_plateau, watch_stopping
from kspec.training.monitors import Bar, Lines, Silent, monitor_for
from kspec.training.objectives import check_training, metric_names
from tests.training.small import COSINE, spec

KIND = {"kind": {"category": {"labels": ["a", "b", "c"]}}}
TWO = {"u": {"binary": {}}, "v": {"binary": {}}}
NUMBER = {"n": {"number": 2}}


@pytest.mark.parametrize(
    ("outputs", "train", "code", "route", "named"),
    [
        (KIND, {"early_stopping": {"monitor": "val_acc"}}, "KS602",
         ("train", "early_stopping", "monitor"), "val_accuracy"),
        (KIND, {"reduce_lr_on_plateau": {"monitor": "auc"}, "optimizer": "sgd"}, "KS602",
         ("train", "reduce_lr_on_plateau", "monitor"), "loss, accuracy, val_loss"),
        (KIND, {"loss": {"kind": "mean_squared_error"}}, "KS603", ("train", "loss", "kind"),
         "sparse_categorical_crossentropy"),
        (NUMBER, {"metrics": {"n": ["accuracy"]}}, "KS603", ("train", "metrics", "n"), "r2_score"),
        (KIND, {"metrics": {"kind": ["auc"]}}, "KS603", ("train", "metrics", "kind"), "accuracy"),
        (KIND, {"reduce_lr_on_plateau": {}}, "KS604", ("train", "reduce_lr_on_plateau"), None),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_are_refused(outputs, train, code, route, named):
    with pytest.raises(KspecError) as caught:
        check_training(spec(outputs, **train), validated=True)
    [found] = caught.value.diagnostics
    assert (found.code, found.route) == (code, route)
    assert named is None or named in found.help


def test_what_is_validated_decides_what_can_be_watched():
    check_training(spec(), validated=True)
    with pytest.raises(KspecError, match="KS602 unknown metric `val_loss`"):
        check_training(spec(), validated=False)
    assert metric_names(spec(TWO)) == ("loss", "u_loss", "u_accuracy", "v_loss", "v_accuracy")


def stopping_epochs(values: list[float], **rule: Any) -> tuple[int, int, list[float]]:
    state, rule_ = Patience(), EarlyStopping(monitor="val_loss", **rule)
    for epoch, value in enumerate(values):
        state, stopped = watch_stopping(state, value, epoch, rule_)
        if stopped:
            return epoch, state.best_epoch, [state.best or 0.0]
    return len(values), state.best_epoch, [state.best or 0.0]


SERIES = (
    [1.0, 0.9, 0.95, 0.94, 0.91, 0.8, 0.81, 0.82, 0.83, 0.7, 0.7, 0.7, 0.7, 0.7],
    [3.0, 2.0, 2.5, 2.6, 1.9, 1.95, 1.85, 1.8, 1.9, 1.9, 1.9, 1.9, 1.9, 1.9],
)


@pytest.mark.parametrize("values", SERIES)
@pytest.mark.parametrize(
    "rule",
    [
        {"patience": 0},
        {"patience": 2},
        {"patience": 3, "min_delta": 0.05},
        {"patience": 1, "start_from_epoch": 4},
        {"patience": 3, "baseline": 0.85},
        {"patience": 2, "mode": "max"},
    ],
)
def test_early_stopping_stops_where_keras_does(values, rule):
    import keras

    class Model:
        stop_training = False
        optimizer = None

        def get_weights(self) -> list[Any]:
            return []

    theirs = keras.callbacks.EarlyStopping(monitor="val_loss", **({"mode": "min"} | rule))
    theirs.set_model(Model())
    theirs.on_train_begin()
    for stopped, value in enumerate(values):
        theirs.on_epoch_end(stopped, {"val_loss": value})
        if theirs.model.stop_training:
            break
    else:
        stopped = len(values)
    assert stopping_epochs(values, **rule)[0] == stopped


@pytest.mark.parametrize("values", SERIES)
@pytest.mark.parametrize("rule", [{"patience": 1}, {"patience": 2, "cooldown": 2}, {"patience": 0}])
def test_the_learning_rate_falls_where_keras_lets_it_fall(values, rule):
    import keras

    theirs = keras.callbacks.ReduceLROnPlateau(monitor="val_loss", mode="min", **rule)
    optimizer = keras.optimizers.SGD(1.0)
    theirs.set_model(type("Model", (), {"optimizer": optimizer})())
    theirs.on_train_begin()
    ours, state, rule_ = 1.0, Patience(), ReduceLROnPlateau(**rule)
    for epoch, value in enumerate(values):
        theirs.on_epoch_end(epoch, {"val_loss": value})
        state, falls = watch_plateau(state, value, epoch, rule_)
        if falls:
            ours, state = ours * rule_.factor, reduced(state, rule_)
        assert ours == pytest.approx(float(optimizer.learning_rate), rel=1e-5), epoch


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_monitors_write_a_line_an_epoch_a_bar_or_nothing():
    kinds = {Lines: io.StringIO(), Bar: Terminal()}
    assert isinstance(monitor_for(io.StringIO(), quiet=True), Silent)
    for kind, stream in kinds.items():
        monitor = monitor_for(stream)
        assert type(monitor) is kind
        with monitor:
            monitor.begin(epochs=3, steps=2, done=1)
            monitor.step(epoch=2, step=1, loss=0.7)
            monitor.epoch(epoch=2, metrics={"loss": 0.51234, "val_loss": 0.25})
    assert kinds[Lines].getvalue().splitlines() == [
        "training 3 epochs of 2 steps, resumed after epoch 1",
        "epoch 2/3  loss 0.5123  val_loss 0.25",
    ]
    assert "2/3" in kinds[Bar].getvalue()
    assert "val_loss 0.25" in kinds[Bar].getvalue()


def test_the_schedule_of_a_spec_is_the_one_of_keras():
    from kspec.training.objectives import make_optimizer

    optimizer = make_optimizer(spec(optimizer={"adam": {"learning_rate": COSINE}}).train.optimizer)
    optimizer.iterations.assign(20)
    assert float(optimizer.learning_rate) == pytest.approx(0.01)
