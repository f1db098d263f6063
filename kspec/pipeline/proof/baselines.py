"""The best constant answer of each output on the judging rows, which a useful model must beat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kspec.features.decision import Decision, Decisions
from kspec.pipeline.proof.metrics import metric_of
from kspec.spec.diagnostics import Diagnostic

if TYPE_CHECKING:
    from kspec.compiler.ir import Array

ROWS: Mapping[str, str] = {
    "test": "test rows",
    "validation": "validation rows",
    "train": "training rows",
}


@dataclass(frozen=True, slots=True)
class Baseline:
    """The best constant answer of one output."""

    output: str
    metric: str
    """The metric of the model that the constant answer is compared with."""
    value: float
    """The metric's value for the constant answer."""
    answer: str
    """The constant answer as a message shows it: `the label 'cat'`."""


def baselines(truth: Mapping[str, Array], outputs: Decisions) -> tuple[Baseline, ...]:
    """Return a baseline for each output: for labels the accuracy of the most frequent label, for
    numbers the root mean squared error of each column's mean, both on the targets of the judging
    rows."""
    return tuple(
        _of_numbers(name, truth[name], outputs)
        if decision is None
        else _of_labels(name, decision, truth[name], outputs)
        for name, decision in outputs.items()
    )


def _of_labels(name: str, decision: Decision, truth: Array, outputs: Decisions) -> Baseline:
    import numpy as np

    counts = np.bincount(truth.reshape(-1).astype("int64"), minlength=len(decision.labels))
    label = decision.labels[int(counts.argmax())]
    share = float(counts.max() / counts.sum())
    return Baseline(name, metric_of(name, "accuracy", outputs), share, f"the label {label!r}")


def _of_numbers(name: str, truth: Array, outputs: Decisions) -> Baseline:
    import numpy as np

    values = truth.astype("float64").reshape(len(truth), -1)
    error = float(np.sqrt(((values - values.mean(axis=0)) ** 2).mean()))
    return Baseline(name, metric_of(name, "root_mean_squared_error", outputs), error, "the mean")


def useless(
    metrics: Mapping[str, float], found: tuple[Baseline, ...], split: str
) -> Iterator[Diagnostic]:
    """Yield a warning (KS609) for each output whose model does not beat its constant answer."""
    for each in found:
        value = metrics[each.metric]
        is_share = each.metric.endswith("accuracy")
        if value > each.value if is_share else value < each.value:
            continue
        message = (
            f"{each.metric} is {value:.4g} on the {ROWS[split]}, no better than {each.value:.4g},"
            f" the score of answering {each.answer} for every row"
        )
        help_ = "look at the data, the learning rate and the epochs; a gate makes this a failure"
        yield Diagnostic("KS609", message, ("outputs", each.output), help=help_)
