"""Checks that outputs with labels end in what their loss requires: probabilities or logits.

Only a certain mistake is an error. The end of an output is traced through steps that keep values
unchanged; a layer with unknown values passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from kspec.schemas.features import Binary, Category
from kspec.schemas.layers import Layer
from kspec.spec.diagnostics import Diagnostic
from kspec.spec.document import Document, ResolvedStep
from kspec.training.objectives import loss_of

SAME = frozenset(
    [
        "activity_regularization",
        "alpha_dropout",
        "dropout",
        "flatten",
        "gaussian_dropout",
        "gaussian_noise",
        "identity",
        "permute",
        "reshape",
        "spatial_dropout1d",
        "spatial_dropout2d",
        "spatial_dropout3d",
    ]
)
"""Layers that keep values unchanged at inference."""
LINEAR = "linear"
SUM_TO_ONE = frozenset({"softmax", "sparsemax"})
IN_UNIT = frozenset({"hard_sigmoid", "sigmoid", "sparse_sigmoid"})
GOOD: Mapping[type, frozenset[str]] = MappingProxyType({Category: SUM_TO_ONE, Binary: IN_UNIT})
"""The activations that return probabilities, by kind of output."""
WANTED: Mapping[type, str] = MappingProxyType({Category: "softmax", Binary: "sigmoid"})


@dataclass(frozen=True, slots=True)
class Ending:
    """The last function of an output."""

    activation: str
    """Keras' name of the function; `linear` for no activation."""
    step: ResolvedStep
    """The step with the function."""


def check_endings(document: Document) -> Iterator[Diagnostic]:
    """Yield errors for outputs whose loss does not accept their values (KS606, KS607), and a
    warning for probabilities that do not sum to 1 (KS608)."""
    if document.spec.train is None:
        return
    steps = {step.name: step for step in document.steps}
    for name, output in document.spec.outputs.items():
        kind = type(output.kind)
        ending = ending_of(name, steps) if kind in GOOD else None
        if ending is None:
            continue
        loss = loss_of(document.spec, name)
        judge = _of_logits if getattr(loss, "from_logits", False) else _of_probabilities
        yield from judge(name, kind, ending, loss.key)


def ending_of(output: str, steps: Mapping[str, ResolvedStep]) -> Ending | None:
    """Return the last function of an output; None if it is unknown."""
    step: ResolvedStep | None = steps.get(output)
    while step is not None and _keeps(step.layer):
        step = steps.get(step.inputs[0])
    activation = _activation(step.layer) if step is not None else None
    return Ending(activation, step) if step is not None and activation is not None else None


def _keeps(layer: Layer) -> bool:
    return layer.key in SAME or (layer.key == "activation" and _activation(layer) == LINEAR)


def _activation(layer: Any) -> str | None:
    """Return the function that a layer applies last; None if it is unknown."""
    fields = type(layer).model_fields
    if "activation" in fields:
        return layer.activation or LINEAR
    if layer.key == "softmax":
        return "softmax" if layer.axis == fields["axis"].default else None
    is_plain_relu = layer.key == "relu" and layer.max_value is None
    return layer.key if is_plain_relu or layer.key in ("elu", "leaky_relu", "prelu") else None


def _of_probabilities(name: str, kind: type, ending: Ending, loss: str) -> Iterator[Diagnostic]:
    if ending.activation in GOOD[kind]:
        return
    if kind is Category and ending.activation in IN_UNIT:
        message = f"the output {name!r} ends in {ending.activation}: its values do not sum to 1"
        yield _at(ending, "KS608", message, "activation: softmax")
        return
    found = _spell(ending.activation)
    if kind is Binary and ending.activation in SUM_TO_ONE:
        found = f"{ending.activation} of a single value, which is always 1"
    message = f"the output {name!r} ends in {found}, and {loss} takes probabilities"
    on_logits = f"train: {{loss: {{{name}: {{{loss}: {{from_logits: true}}}}}}}}"
    yield _at(ending, "KS606", message, f"activation: {WANTED[kind]}, or {on_logits}")


def _of_logits(name: str, kind: type, ending: Ending, loss: str) -> Iterator[Diagnostic]:
    if ending.activation not in SUM_TO_ONE | IN_UNIT:
        return
    message = f"the output {name!r} ends in {ending.activation}, and {loss} takes logits"
    help_ = f"leave out the activation, or `from_logits`: {WANTED[kind]} is then the right one"
    yield _at(ending, "KS607", message, help_)


def _spell(activation: str) -> str:
    return "no activation" if activation == LINEAR else activation


def _at(ending: Ending, code: str, message: str, help_: str) -> Diagnostic:
    route = ending.step.route
    return Diagnostic(code, message, route, help=help_, calls=ending.step.calls)
