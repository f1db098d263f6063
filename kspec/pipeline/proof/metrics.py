"""Task metrics in NumPy: one formula for the trained model and for every artifact."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kspec.features.decision import Decision, Decisions

if TYPE_CHECKING:
    from kspec.compiler.ir import Array

_OF_LABELS = ("accuracy",)
_OF_NUMBERS = ("mean_absolute_error", "root_mean_squared_error")


def metric_names(outputs: Decisions) -> tuple[str, ...]:
    """Return the names of the metrics that ``task_metrics`` returns for these outputs."""
    return tuple(
        metric_of(name, each, outputs)
        for name, decision in outputs.items()
        for each in (_OF_NUMBERS if decision is None else _OF_LABELS)
    )


def task_metrics(
    found: Mapping[str, Array], truth: Mapping[str, Array], outputs: Decisions
) -> dict[str, float]:
    """Return the accuracy of labels, and the mean absolute and root mean squared error of numbers.
    With several outputs a metric's name is ``<output>_<metric>``."""
    return {
        metric_of(name, metric, outputs): value
        for name, decision in outputs.items()
        for metric, value in _measured(decision, found[name], truth[name]).items()
    }


def _measured(decision: Decision | None, found: Array, truth: Array) -> dict[str, float]:
    return decision.metrics(found, truth) if decision is not None else _errors(found, truth)


def _errors(found: Array, truth: Array) -> dict[str, float]:
    """Return the mean absolute and the root mean squared error, in the unit of the column."""
    difference = found.astype("float64") - truth.reshape(found.shape)
    values = (float(abs(difference).mean()), math.sqrt((difference**2).mean()))
    return dict(zip(_OF_NUMBERS, values, strict=True))


def metric_of(output: str, metric: str, outputs: Decisions) -> str:
    """Return a metric's name, which contains the output's name if the model has several outputs."""
    return metric if len(outputs) == 1 else f"{output}_{metric}"
