"""Task metrics, in NumPy: the same formula for the trained model and for every artifact."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from kspec.schemas.features import Binary, Category, Output, Quantity, Tensor

if TYPE_CHECKING:
    from kspec.compiler.ir import Array


def _category(found: Array, truth: Array) -> dict[str, float]:
    return {"accuracy": float((found.argmax(axis=-1) == truth.reshape(-1)).mean())}


def _binary(found: Array, truth: Array) -> dict[str, float]:
    return {"accuracy": float(((found.reshape(-1) > 0.5) == (truth.reshape(-1) > 0.5)).mean())}


def _quantity(found: Array, truth: Array) -> dict[str, float]:
    """Mean absolute and root mean squared error, in the unit of the column."""
    difference = found.astype("float64") - truth.reshape(found.shape)
    return {
        "mean_absolute_error": float(abs(difference).mean()),
        "root_mean_squared_error": math.sqrt((difference**2).mean()),
    }


_METRICS: Mapping[type, Callable[[Array, Array], dict[str, float]]] = {
    Category: _category,
    Binary: _binary,
    Quantity: _quantity,
    Tensor: _quantity,
}


def metric_names(outputs: Mapping[str, Output]) -> tuple[str, ...]:
    """What ``task_metrics`` gives for these outputs."""
    labels, numbers = ("accuracy",), ("mean_absolute_error", "root_mean_squared_error")
    names = {Category: labels, Binary: labels, Quantity: numbers, Tensor: numbers}
    return tuple(
        _named(output, each, outputs)
        for output, spec in outputs.items()
        for each in names[type(spec.kind)]
    )


def task_metrics(
    found: Mapping[str, Array], truth: Mapping[str, Array], outputs: Mapping[str, Output]
) -> dict[str, float]:
    """Accuracy of labels, mean absolute and root mean squared error of numbers; the names have
    the output before them, ``<output>_<metric>``, where there are several outputs."""
    return {
        _named(name, metric, outputs): value
        for name, output in outputs.items()
        for metric, value in _METRICS[type(output.kind)](found[name], truth[name]).items()
    }


def _named(output: str, metric: str, outputs: Mapping[str, Output]) -> str:
    return metric if len(outputs) == 1 else f"{output}_{metric}"
