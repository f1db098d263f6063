"""Early stopping and learning-rate reduction as values: what a checkpoint has to keep is all
there is.

The rules are those of `keras.callbacks.EarlyStopping` and `ReduceLROnPlateau`; Keras' own hold
their state in attributes that no checkpoint sees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Mode = Literal["min", "max"]

_GROWING = ("accuracy", "auc", "precision", "recall", "f1", "r2")


def direction(monitor: str, mode: Mode | Literal["auto"]) -> Mode:
    """`mode`, and for "auto" what is better in a metric of this name."""
    if mode == "auto":
        return "max" if monitor.endswith(_GROWING) else "min"
    return mode


def improves(value: float, best: float | None, *, mode: Mode, min_delta: float) -> bool:
    """Whether `value` is better than `best` by more than `min_delta`."""
    if best is None:
        return True
    gain = value - best if mode == "max" else best - value
    return gain > min_delta


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a metric has not improved."""

    best: float | None = None
    best_epoch: int = 0
    wait: int = 0
    cooldown: int = 0
    """Epochs left in which a reduction of the learning rate is given time to work."""

    def seen(self, value: float, epoch: int, *, mode: Mode, min_delta: float) -> Patience:
        """The state after `epoch` ended with `value`; `wait` is 0 when it improved."""
        cooldown = max(0, self.cooldown - 1)
        if improves(value, self.best, mode=mode, min_delta=min_delta):
            return Patience(value, epoch, 0, cooldown)
        return replace(self, wait=0 if cooldown else self.wait + 1, cooldown=cooldown)

    def reduced(self, cooldown: int) -> Patience:
        """The state after the learning rate was reduced."""
        return replace(self, wait=0, cooldown=cooldown)
