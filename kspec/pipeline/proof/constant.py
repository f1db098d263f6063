"""Diagnostics for models whose outputs do not vary between rows: any artifact would agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kspec.compiler import ops
from kspec.compiler.ir import Graph
from kspec.compiler.reference import evaluate
from kspec.pipeline.proof.rows import Rows
from kspec.spec.diagnostics import Diagnostic

APART = 0.1
"""The least difference between a metric's training and validation values that counts as a sign."""
SETTLED = 0.01
"""The largest share of a moving average that may still come from its initial value."""


def ignores_inputs(help_: str) -> Diagnostic:
    """Return KS722: random rows have equal outputs, whatever the weights are."""
    return Diagnostic(
        "KS722",
        "the network answers the same for every row, so that a comparison proves nothing",
        ("network",),
        help=help_,
    )


@dataclass(frozen=True, slots=True)
class Training:
    """The course of a training."""

    epochs: tuple[Mapping[str, float], ...]
    """The metrics of each epoch; validation metrics begin with ``val_``."""
    steps: int
    """The number of batches that the model was trained on."""
    momentum: float | None
    """The largest momentum of a BatchNormalization; None if the model has none."""


def answers_a_constant(graph: Graph, rows: Rows, training: Training) -> Diagnostic:
    """Return KS724: the trained model's outputs are equal for all golden rows, with the likely
    reason."""
    reasons = [*_averages(training), *_dead(graph, rows), *_stuck(training)]
    return Diagnostic(
        "KS724",
        "the trained model answers the same for every golden row, so that a comparison proves"
        f" nothing{''.join(f'; {each}' for each in reasons[:1])}",
        ("train",),
        help=_HELP[type(reasons[0])] if reasons else "look at the data and at the loss",
    )


class _Averages(str):
    """The moving averages differ from the statistics of batches."""


class _Dead(str):
    """A layer returns 0 for every row."""


class _Stuck(str):
    """The loss did not decrease."""


_HELP: Mapping[type, str] = {
    _Averages: "train for more steps, or give batch_normalization a smaller momentum",
    _Dead: "lower the learning rate, or use leaky_relu",
    _Stuck: "look at the learning rate: it may be too large or too small",
}


def _averages(training: Training) -> Iterator[str]:
    if training.momentum is None or not training.epochs:
        return
    last = training.epochs[-1]
    pairs = [
        (name, value, last[f"val_{name}"])
        for name, value in last.items()
        if f"val_{name}" in last and "accuracy" in name
    ]
    kept = training.momentum**training.steps
    shown = [each for each in pairs if each[1] - each[2] > APART]
    if shown or kept > SETTLED:
        seen = "".join(
            f" ({name} {ours:.2f} on training batches, {theirs:.2f} on validation)"
            for name, ours, theirs in (shown or pairs)[:1]
        )
        yield _Averages(
            f"BatchNormalization uses moving averages, and after {training.steps} steps their"
            f" initial values still have a weight of {kept:.0%}{seen}"
        )


def _dead(graph: Graph, rows: Rows) -> Iterator[str]:
    values = evaluate(graph, rows.inputs, keep=True)
    for node in graph.nodes:
        if isinstance(node.op, ops.Relu) and not values[node.name].any():
            yield _Dead(f"the ReLU of layer {node.origin.layer!r} gives 0 for every row")


def _stuck(training: Training) -> Iterator[str]:
    losses = [each["loss"] for each in training.epochs if "loss" in each]
    if losses and not losses[-1] < losses[0]:
        yield _Stuck(
            f"the loss was {losses[0]:.3g} after the first epoch and {losses[-1]:.3g} last"
        )


def training_of(history: Mapping[str, Any], steps: int, momentum: float | None) -> Training:
    """Return the course of a training from its history file."""
    return Training(tuple(history["epochs"]), steps, momentum)
