"""The signature of a model: its inputs and outputs for clients, in the spec's order."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from pydantic import Field

from kspec.features.decision import Decision, Decisions
from kspec.features.kinds import (
    Shape,
    decision_of,
    input_kind,
    scores_of,
    steps_of,
)
from kspec.features.steps import AnyStep, Step
from kspec.schemas.base import Model
from kspec.schemas.spec import Spec

if TYPE_CHECKING:
    from kspec.compiler.ir import TensorType

ONE_DECISION = 2
"""Rank of an output with one decision, or one vector of numbers, for each row."""

Dtype = Literal["bool", "int8", "uint8", "int32", "int64", "float16", "float32", "float64"]
Sizes = Annotated[tuple[int | str, ...], Field(min_length=1)]
"""A shape with the batch first; a name is a symbolic dimension, known at run time only."""


class Port(Model):
    """A named tensor of an artifact."""

    name: str
    """The name in the spec."""
    kind: str
    """The key of the kind in the spec: ``image``, ``category``."""
    dtype: Dtype
    """The type of the elements."""
    shape: Sizes
    """The sizes, ``batch`` first."""

    @property
    def row(self) -> Shape:
        """The shape of one row: the sizes without the batch."""
        return self.shape[1:]

    @property
    def is_vector(self) -> bool:
        """Whether a row is a list of a known number of elements."""
        return len(self.row) == 1 and isinstance(self.row[0], int)


class InputPort(Port):
    """An input of an artifact, which takes raw values; its graph steps are in the artifact."""

    columns: tuple[str, ...]
    """The columns of its values in the data, in the order of the values."""
    columns_by_name: bool = False
    """Whether an application may pass a row as one number for each column, by name. False for a
    vector in a single column."""
    steps: tuple[AnyStep, ...] = ()
    """All steps between a raw cell and the network, in order; each says where it runs."""

    @property
    def columns_of_numbers(self) -> tuple[str, ...]:
        """The columns if each contains one number of a row, for any kind: a row of a table is then
        the input. Empty if a column contains several numbers."""
        return self.columns if _one_each(self.columns, self.row) else ()

    @property
    def on_host(self) -> tuple[Step, ...]:
        """The steps of the data reader and of clients."""
        return tuple(each for each in self.steps if each.place == "host")

    @property
    def entry(self) -> type[Step] | None:
        """The class of the step that takes the raw cell on the host; None if the raw cells are the
        numbers of the tensor."""
        return next((type(each) for each in self.on_host), None)

    @property
    def in_graph(self) -> tuple[Step, ...]:
        """The steps inside the artifact; no client may repeat them."""
        return tuple(each for each in self.steps if each.place == "graph")


class OutputPort(Port):
    """An output with its meaning."""

    decision: Decision | None = None
    """The labels and the choice between them; null for numbers."""

    @property
    def decides(self) -> bool:
        """Whether each row has one label: a decision without an axis besides the labels."""
        return self.decision is not None and len(self.shape) == ONE_DECISION

    @property
    def meaning(self) -> Literal["category", "binary", "number"]:
        """The meaning of a row: one label of several, one of two, or numbers."""
        if self.decision is None or not self.decides:
            return "number"
        return "category" if self.decision.threshold is None else "binary"

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in the order of the values; empty for numbers."""
        return self.decision.labels if self.decision is not None else ()


class Signature(Model):
    """The inputs and outputs of artifacts."""

    inputs: Annotated[tuple[InputPort, ...], Field(min_length=1)]
    """The inputs in the spec's order."""
    outputs: Annotated[tuple[OutputPort, ...], Field(min_length=1)]
    """The outputs in the spec's order."""

    def input(self, name: str) -> InputPort:
        """Return the input of that name; raises KeyError."""
        return {each.name: each for each in self.inputs}[name]

    def output(self, name: str) -> OutputPort:
        """Return the output of that name; raises KeyError."""
        return {each.name: each for each in self.outputs}[name]

    @property
    def decisions(self) -> Decisions:
        """The decision of each output, in order."""
        return {each.name: each.decision for each in self.outputs}


def signature_of(
    spec: Spec, types: Mapping[str, TensorType], columns: Mapping[str, tuple[str, ...]]
) -> Signature:
    """Return the signature of a spec's model. ``types`` has the type of each input and output by
    name, the batch first; ``columns`` has the data columns of each input."""
    return Signature(
        inputs=tuple(
            InputPort(
                name=name,
                kind=item.kind.key,
                **_type(types[name]),
                columns=tuple(columns[name]),
                columns_by_name=input_kind(item.kind).named
                and _one_each(columns[name], types[name].shape[1:]),
                steps=cast("tuple[AnyStep, ...]", steps_of(item)),
            )
            for name, item in spec.inputs.items()
        ),
        outputs=tuple(
            OutputPort(
                name=name,
                kind=item.kind.key,
                **_type(types[name]),
                decision=decision_of(item, scores_of(spec, name)),
            )
            for name, item in spec.outputs.items()
        ),
    )


def _type(of: TensorType) -> dict[str, Any]:
    return {"dtype": str(of.dtype), "shape": tuple(of.shape)}


def _one_each(columns: tuple[str, ...], shape: Shape) -> bool:
    """Whether each number of a row has its own column, such as a single number or a vector of size
    1 in one column."""
    sizes = [size for size in shape if isinstance(size, int)]
    return len(sizes) == len(shape) and len(columns) == prod(sizes)
