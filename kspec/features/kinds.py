"""The meaning of each kind of input and output: a table keyed by the class in the schema.

An input kind of known steps needs one class in `kspec.schemas.features` and one row here.
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
"""Sizes without the batch; a name is a symbolic dimension, known at run time only."""
Sort = Literal["number", "text", "bytes", "time"]
"""The type of the cells of a column."""


@dataclass(frozen=True, slots=True)
class InputKind:
    """The meaning of a kind of input. Each function takes the kind's instance in the spec."""

    shape: Callable[[Any], Shape]
    dtype: Callable[[Any], str]
    """Element type of the artifact's input: ``float32`` or ``int32``."""
    named: bool = False
    """Whether an application may pass each number by the name of its column."""
    cell: tuple[Sort, ...] = ("number",)
    """Sorts that a single column may have, the preferred one first. Several columns have one number
    each."""
    steps: Callable[[Any], tuple[HostStep, ...]] = lambda _: ()
    """The steps that decode a cell of bytes; empty if the cell already contains numbers."""
    range: Callable[[Any], tuple[float, float] | None] = lambda _: None
    """Minimum and maximum value; None if the kind does not bound values."""


@dataclass(frozen=True, slots=True)
class OutputKind:
    """The meaning of a kind of output. Each function takes the kind's instance in the spec."""

    shape: Callable[[Any], Shape]
    spell: Callable[[Any], str]
    """The output in the words of a message: ``a category of 3 labels``."""
    decision: Callable[[Any, Scores], Decision | None] = lambda *_: None
    """The decision between labels; None for numbers."""
    target: Callable[[Array], Array] | None = None
    """The target array from the index of each row's label, int64[rows]."""


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
    """Return the table row of an input's kind."""
    return INPUTS[type(kind)]


def output_kind(kind: Choice) -> OutputKind:
    """Return the table row of an output's kind."""
    return OUTPUTS[type(kind)]


def host_steps(kind: Choice) -> tuple[HostStep, ...]:
    """Return the steps from one raw cell to the values of an input, in order."""
    return input_kind(kind).steps(kind)


def golden_cell(kind: Choice) -> tuple[str, bytes] | None:
    """Return a fixed cell of bytes, with which clients prove the steps of an input: the suffix of
    its file, and the content. None if cells are not bytes."""
    return next((each.golden() for each in host_steps(kind)), None)


def steps_of(item: Input) -> tuple[Step, ...]:
    """Return all steps between one raw cell of an input and the network, in order."""
    steps: list[Step] = list(host_steps(item.kind))
    if (item.rescale, item.offset) != (1.0, 0.0):
        steps.append(Rescale(scale=item.rescale, offset=item.offset))
    if item.normalize:
        steps.append(Normalize())
    return tuple(steps)


def ranges_of(spec: Spec) -> dict[str, tuple[float, float]]:
    """Return the minimum and maximum raw value of each input whose kind bounds them."""
    found = {name: input_kind(each.kind).range(each.kind) for name, each in spec.inputs.items()}
    return {name: each for name, each in found.items() if each is not None}


def decision_of(output: Output, scores: Scores = "probabilities") -> Decision | None:
    """Return the decision of an output; None for numbers."""
    return output_kind(output.kind).decision(output.kind, scores)


def labels_of(output: Output) -> tuple[str, ...]:
    """Return the labels of an output; empty for numbers."""
    decision = decision_of(output)
    return decision.labels if decision is not None else ()


def scores_of(spec: Spec, output: str) -> Scores:
    """Return whether an output has probabilities or logits, by the loss in the spec."""
    loss = spec.train.loss.get(output) if spec.train is not None else None
    return "logits" if getattr(loss, "from_logits", False) else "probabilities"


def decisions_of(spec: Spec) -> Decisions:
    """Return the decision of each output of a spec, in the spec's order."""
    return {name: decision_of(each, scores_of(spec, name)) for name, each in spec.outputs.items()}
