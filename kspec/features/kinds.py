"""What each kind of input and output means: a table keyed by the class in the schema.

An input kind that is made of known steps is one class in `kspec.schemas.features` and one row here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from kspec.features.decision import Decision, Decisions, Scores
from kspec.features.steps import (
    DecodeImage,
    Normalize,
    Resample,
    Rescale,
    ScalePixels,
    Step,
)
from kspec.schemas.base import Choice
from kspec.schemas.features import Binary, Category, Image, Input, Output, Quantity, Tensor
from kspec.schemas.spec import Spec

Shape = tuple[int | str, ...]
"""Sizes without the batch; a name is a size that is known at run time only."""
FULL = 255.0
"""A full channel of 8 bits."""


@dataclass(frozen=True, slots=True)
class InputKind:
    """What a kind of input means. Each function takes the kind as the spec has it."""

    shape: Callable[[Any], Shape]
    dtype: Callable[[Any], str]
    """The type of the values that the artifact takes: ``float32`` or ``int32``."""
    named: bool = False
    """Whether an application may hand over each number by the name of its column."""
    steps: Callable[[Any], tuple[Step, ...]] = lambda _: ()
    """What makes a value of one raw cell of bytes; none where the cell already holds numbers."""


@dataclass(frozen=True, slots=True)
class OutputKind:
    """What a kind of output means. Each function takes the kind as the spec has it."""

    shape: Callable[[Any], Shape]
    decision: Callable[[Any, Scores], Decision | None]
    """How the values choose a label; None for numbers."""


def _decode(kind: Image) -> tuple[Step, ...]:
    steps: list[Step] = [DecodeImage(channels=kind.channels)]
    if kind.resize is not None:
        steps.append(Resample(height=kind.height, width=kind.width, method=kind.resize))
    if kind.maximum != FULL:
        steps.append(ScalePixels(maximum=kind.maximum))
    return tuple(steps)


INPUTS: Mapping[type[Choice], InputKind] = MappingProxyType(
    {
        Image: InputKind(
            lambda kind: (kind.height, kind.width, kind.channels),
            lambda _: "float32",
            steps=_decode,
        ),
        Quantity: InputKind(lambda kind: (kind.size,), lambda _: "float32", named=True),
        Tensor: InputKind(lambda kind: tuple(kind.shape), lambda kind: str(kind.dtype)),
    }
)
OUTPUTS: Mapping[type[Choice], OutputKind] = MappingProxyType(
    {
        Category: OutputKind(
            lambda kind: (len(kind.labels),),
            lambda kind, scores: Decision(labels=kind.labels, scores=scores),
        ),
        Binary: OutputKind(
            lambda _: (1,), lambda kind, scores: Decision.binary(kind.labels, scores)
        ),
        Quantity: OutputKind(lambda kind: (kind.size,), lambda *_: None),
        Tensor: OutputKind(lambda kind: tuple(kind.shape), lambda *_: None),
    }
)


def input_kind(kind: Choice) -> InputKind:
    """The row of an input's kind."""
    return INPUTS[type(kind)]


def output_kind(kind: Choice) -> OutputKind:
    """The row of an output's kind."""
    return OUTPUTS[type(kind)]


def steps_of(item: Input) -> tuple[Step, ...]:
    """All steps between one raw cell of an input and the network, in order."""
    steps = list(input_kind(item.kind).steps(item.kind))
    if (item.rescale, item.offset) != (1.0, 0.0):
        steps.append(Rescale(scale=item.rescale, offset=item.offset))
    if item.normalize:
        steps.append(Normalize())
    return tuple(steps)


def decision_of(output: Output, scores: Scores = "probabilities") -> Decision | None:
    """How an output decides; None for numbers."""
    return output_kind(output.kind).decision(output.kind, scores)


def scores_of(spec: Spec, output: str) -> Scores:
    """What the values of an output are, by the loss that the spec trains it with."""
    loss = spec.train.loss.get(output) if spec.train is not None else None
    return "logits" if getattr(loss, "from_logits", False) else "probabilities"


def decisions_of(spec: Spec) -> Decisions:
    """How each output of a spec decides, in the spec's order."""
    return {name: decision_of(each, scores_of(spec, name)) for name, each in spec.outputs.items()}
