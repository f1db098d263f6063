"""Early stopping and learning-rate reduction as values that a checkpoint can store.

The rules are the rules of `keras.callbacks.EarlyStopping` and `ReduceLROnPlateau`; Keras' callbacks
store their state in attributes that no checkpoint contains.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from kspec.schemas.train import EarlyStopping, ReduceLROnPlateau

_GROWING = ("accuracy", "auc", "precision", "recall", "r2_score")


def improves(value: float, best: float | None, rule: EarlyStopping | ReduceLROnPlateau) -> bool:
    """Return whether `value` is better than `best` by more than the rule's `min_delta`."""
    if best is None:
        return True
    gain = value - best if direction(rule) == "max" else best - value
    return gain > rule.min_delta


def direction(rule: EarlyStopping | ReduceLROnPlateau) -> Literal["min", "max"]:
    """Return whether less or more is better; for "auto", the name of the metric decides."""
    if rule.mode == "auto":
        return "max" if rule.monitor.endswith(_GROWING) else "min"
    return rule.mode


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a metric has not improved."""

    best: float | None = None
    best_epoch: int = -1
    """The epoch of the best value, counted from 0; -1 before the first value."""
    wait: int = 0
    """The number of epochs without improvement."""
    cooldown: int = 0
    """The number of epochs that a reduced learning rate still gets before the next reduction."""


def watch_stopping(
    state: Patience, value: float, epoch: int, rule: EarlyStopping
) -> tuple[Patience, bool]:
    """Return the state after `epoch` (from 0) ended with `value`, and whether training stops."""
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
    """Return the state after `epoch` (from 0) ended with `value`, and whether the learning rate is
    reduced."""
    cooldown = max(0, state.cooldown - 1)
    if improves(value, state.best, rule):
        return Patience(value, epoch, 0, cooldown), False
    state = replace(state, wait=0 if cooldown else state.wait + 1, cooldown=cooldown)
    return state, not cooldown and state.wait >= rule.patience


def reduced(state: Patience, rule: ReduceLROnPlateau) -> Patience:
    """Return the state after the learning rate was reduced."""
    return replace(state, wait=0, cooldown=rule.cooldown)
