"""Early stopping and learning-rate reduction as values: what a checkpoint has to keep is all
there is.

The rules are those of `keras.callbacks.EarlyStopping` and `ReduceLROnPlateau`; Keras' own hold
their state in attributes that no checkpoint sees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from kspec.schemas.train import EarlyStopping, ReduceLROnPlateau

_GROWING = ("accuracy", "auc", "precision", "recall", "r2_score")


def improves(value: float, best: float | None, rule: EarlyStopping | ReduceLROnPlateau) -> bool:
    """Whether `value` is better than `best` by more than the rule's `min_delta`."""
    if best is None:
        return True
    gain = value - best if direction(rule) == "max" else best - value
    return gain > rule.min_delta


def direction(rule: EarlyStopping | ReduceLROnPlateau) -> Literal["min", "max"]:
    """Whether less or more is better, for "auto" by the name of the metric."""
    if rule.mode == "auto":
        return "max" if rule.monitor.endswith(_GROWING) else "min"
    return rule.mode


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a metric has not improved."""

    best: float | None = None
    best_epoch: int = -1
    """Counted from 0; -1 before anything was watched."""
    wait: int = 0
    """Epochs without improvement."""
    cooldown: int = 0
    """Epochs left in which a reduced learning rate is given time to work."""


def watch_stopping(
    state: Patience, value: float, epoch: int, rule: EarlyStopping
) -> tuple[Patience, bool]:
    """The state after `epoch` (from 0) ended with `value`, and whether training stops there."""
    if epoch < rule.start_from_epoch:
        return state, False
    if improves(value, state.best, rule):
        reached = rule.baseline is None or improves(value, rule.baseline, rule)
        return Patience(value, epoch, 0 if reached else state.wait + 1), False
    state = replace(state, wait=state.wait + 1)
    return state, state.wait >= rule.patience


def watch_plateau(
    state: Patience, value: float, epoch: int, rule: ReduceLROnPlateau
) -> tuple[Patience, bool]:
    """The state after `epoch` (from 0) ended with `value`, and whether the rate is to fall."""
    cooldown = max(0, state.cooldown - 1)
    if improves(value, state.best, rule):
        return Patience(value, epoch, 0, cooldown), False
    state = replace(state, wait=0 if cooldown else state.wait + 1, cooldown=cooldown)
    return state, not cooldown and state.wait >= rule.patience


def reduced(state: Patience, rule: ReduceLROnPlateau) -> Patience:
    """The state after the learning rate was reduced."""
    return replace(state, wait=0, cooldown=rule.cooldown)
