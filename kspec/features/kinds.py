"""What each kind of input and output means: a table keyed by the class in the schema.

An input kind that is made of known steps is one class in `kspec.schemas.features` and one row here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from kspec.features.decision import Decision, Decisions, Scores
from kspec.features.steps import (
    FULL,
    Array,
    DecodeImage,
    HostStep,
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
Sort = Literal["number", "text", "bytes", "time"]
"""What the cells of a column hold."""


@dataclass(frozen=True, slots=True)
class InputKind:
    """What a kind of input means. Each function takes the kind as the spec has it."""

    shape: Callable[[Any], Shape]
    dtype: Callable[[Any], str]
    """The type of the values that the artifact takes: ``float32`` or ``int32``."""
    named: bool = False
    """Whether an application may hand over each number by the name of its column."""
    cell: tuple[Sort, ...] = ("number",)
    """What a single column may hold for it, the preferred sort first. Several columns hold a number
    each."""
    steps: Callable[[Any], tuple[HostStep, ...]] = lambda _: ()
    """What makes the values of one cell of bytes; none where the cell already holds numbers."""
    range: Callable[[Any], tuple[float, float] | None] = lambda _: None
    """The least and the greatest value, where the kind bounds them."""


@dataclass(frozen=True, slots=True)
class OutputKind:
    """What a kind of output means. Each function takes the kind as the spec has it."""

    shape: Callable[[Any], Shape]
    spell: Callable[[Any], str]
    """What the output is, for a message: ``a category of 3 labels``."""
    decision: Callable[[Any, Scores], Decision | None] = lambda *_: None
    """How the values choose a label; None for numbers."""
    target: Callable[[Array], Array] | None = None
    """What the values are compared with, from the index of each row's label: int64[rows]."""


def _decode(kind: Image) -> tuple[HostStep, ...]:
    height, width, channels = kind.height, kind.width, kind.channels
    steps: list[HostStep] = []
    if kind.resize is None:
        steps.append(DecodeImage(channels=channels, height=height, width=width))
    else:
        steps.append(DecodeImage(channels=channels))
        steps.append(Resample(height=height, width=width, method=kind.resize))
    if kind.maximum != FULL:
        steps.append(ScalePixels(maximum=kind.maximum))
    return tuple(steps)


INPUTS: Mapping[type[Choice], InputKind] = MappingProxyType(
    {
        Image: InputKind(
            lambda kind: (kind.height, kind.width, kind.channels),
            lambda _: "float32",
            cell=("bytes", "number"),
            steps=_decode,
            range=lambda kind: (0.0, kind.maximum),
        ),
        Quantity: InputKind(lambda kind: (kind.size,), lambda _: "float32", named=True),
        Tensor: InputKind(lambda kind: tuple(kind.shape), lambda kind: str(kind.dtype)),
    }
)
OUTPUTS: Mapping[type[Choice], OutputKind] = MappingProxyType(
    {
        Category: OutputKind(
            lambda kind: (len(kind.labels),),
            lambda kind: f"a category of {len(kind.labels)} labels",
            lambda kind, scores: Decision(labels=kind.labels, scores=scores),
            lambda codes: codes.astype("int32"),
        ),
        Binary: OutputKind(
            lambda _: (1,),
            lambda _: "binary, one probability",
            lambda kind, scores: Decision.binary(kind.labels, scores),
            lambda codes: codes.astype("float32")[:, None],
        ),
        Quantity: OutputKind(
            lambda kind: (kind.size,),
            lambda kind: "a number" if kind.size == 1 else f"{kind.size} numbers",
        ),
        Tensor: OutputKind(
            lambda kind: tuple(kind.shape), lambda kind: f"a tensor of {_show(kind.shape)}"
        ),
    }
)


def _show(shape: Shape) -> str:
    from kspec.schemas.layers.base import show

    return show(shape)


def input_kind(kind: Choice) -> InputKind:
    """The row of an input's kind."""
    return INPUTS[type(kind)]


def output_kind(kind: Choice) -> OutputKind:
    """The row of an output's kind."""
    return OUTPUTS[type(kind)]


def host_steps(kind: Choice) -> tuple[HostStep, ...]:
    """The steps that make the values of an input of one raw cell, in order."""
    return input_kind(kind).steps(kind)


def golden_cell(kind: Choice) -> tuple[str, bytes] | None:
    """A cell of bytes for clients to prove the steps of an input with, always the same: the suffix
    of its file, and the content. None if a cell is not bytes."""
    return next((each.golden() for each in host_steps(kind)), None)


def steps_of(item: Input) -> tuple[Step, ...]:
    """All steps between one raw cell of an input and the network, in order."""
    steps: list[Step] = list(host_steps(item.kind))
    if (item.rescale, item.offset) != (1.0, 0.0):
        steps.append(Rescale(scale=item.rescale, offset=item.offset))
    if item.normalize:
        steps.append(Normalize())
    return tuple(steps)


def ranges_of(spec: Spec) -> dict[str, tuple[float, float]]:
    """The least and the greatest raw value of each input whose kind bounds them."""
    found = {name: input_kind(each.kind).range(each.kind) for name, each in spec.inputs.items()}
    return {name: each for name, each in found.items() if each is not None}


def decision_of(output: Output, scores: Scores = "probabilities") -> Decision | None:
    """How an output decides; None for numbers."""
    return output_kind(output.kind).decision(output.kind, scores)


def labels_of(output: Output) -> tuple[str, ...]:
    """The labels of an output; empty for numbers."""
    decision = decision_of(output)
    return decision.labels if decision is not None else ()


def scores_of(spec: Spec, output: str) -> Scores:
    """What the values of an output are, by the loss that the spec trains it with."""
    loss = spec.train.loss.get(output) if spec.train is not None else None
    return "logits" if getattr(loss, "from_logits", False) else "probabilities"


def decisions_of(spec: Spec) -> Decisions:
    """How each output of a spec decides, in the spec's order."""
    return {name: decision_of(each, scores_of(spec, name)) for name, each in spec.outputs.items()}
