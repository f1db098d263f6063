"""Inputs and outputs of a model as values for the templates.

Components of records have the spec's names; columns and labels are literals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from kspec.features.signature import InputPort, OutputPort
from kspec.features.steps import DecodeImage, Step
from kspec.targets.platforms.identifiers import JAVA, identifiers
from kspec.targets.platforms.steps import client_steps
from kspec.targets.platforms.templates import Verbatim, spell_json

if TYPE_CHECKING:
    from kspec.features.description import Description

Details = InputPort | OutputPort
"""An input or output as ``kspec-bundle.json`` describes it."""

VARIES = -1
"""The size of a dimension that the values determine."""
_TYPES = MappingProxyType({"float32": "FLOAT", "int32": "INT32"})
_COLUMNS = MappingProxyType(
    {"Classification": "LABEL", "float": "DataTypes.FloatType", "float[]": "NUMBERS"}
)
_BOXED = MappingProxyType({"float": "Float"})


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output: a Java constant, and a component of the record if there are several."""

    name: str
    folder: str
    """The name of the templates of the constant's class, and of the class in other templates."""
    port: Verbatim
    """The constant's class: ``ImageInput``."""
    constant: Verbatim
    """``INPUT``, or ``INPUT_PHOTO`` if there are several inputs."""
    component: Verbatim
    """The identifier for the name in the spec: ``photo``."""
    part: Verbatim
    """The call that reads the component from a record; empty for a single input or output."""
    value: Verbatim
    """The type of a row's value: ``Picture``."""
    arguments: tuple[Any, ...]
    """The arguments of the constant's constructor, after the name."""
    texts: tuple[str, ...] | None
    """The last argument, columns or labels, if the constructor has one."""
    details: Details

    @property
    def boxed(self) -> Verbatim:
        """The type of the value in a list."""
        return Verbatim(_BOXED.get(self.value.text, self.value.text))

    @property
    def column(self) -> Verbatim:
        """The Spark type of an output's values."""
        return Verbatim(_COLUMNS[self.value.text])


@dataclass(frozen=True, slots=True)
class Kind:
    """The Java classes of a form of inputs or outputs."""

    folder: str
    port: str
    value: Callable[[Details], str]
    arguments: Callable[[Details], tuple[Any, ...]]
    texts: Callable[[Details], tuple[str, ...]] | None = None


def inputs(about: Description) -> tuple[Port, ...]:
    """Return the inputs of the model, in the spec's order."""
    return _ports("INPUT", [(each, _input_kind(each)) for each in about.signature.inputs])


def outputs(about: Description) -> tuple[Port, ...]:
    """Return the outputs of the model, in the spec's order."""
    return _ports("OUTPUT", [(each, _output_kind(each)) for each in about.signature.outputs])


def _ports(constant: str, given: Sequence[tuple[Details, Kind]]) -> tuple[Port, ...]:
    found = []
    names = [each.name for each, _ in given]
    own = identifiers(names, JAVA)
    constants = identifiers([f"{constant}_{each.upper()}" for each in names], frozenset())
    for place, (details, kind) in enumerate(given):
        found.append(
            Port(
                name=details.name,
                folder=kind.folder,
                port=Verbatim(kind.port),
                constant=Verbatim(constant if len(given) == 1 else constants[place]),
                component=Verbatim(own[place]),
                part=Verbatim("" if len(given) == 1 else f".{own[place]}()"),
                value=Verbatim(kind.value(details)),
                arguments=kind.arguments(details),
                texts=kind.texts(details) if kind.texts else None,
                details=details,
            )
        )
    return tuple(found)


def _input_kind(details: InputPort) -> Kind:
    if details.entry is not None:
        return ENTRIES[details.entry]
    return VECTOR if details.is_vector and details.dtype == "float32" else TENSOR


def _output_kind(details: OutputPort) -> Kind:
    return LABEL if details.decides else VALUES


def _image(details: Details) -> tuple[Any, ...]:
    assert isinstance(details, InputPort)
    decode, *others = (
        f"new {each['type'].text}({', '.join(spell_json(value) for _, value in each['fields'])})"
        for each in client_steps(details)
    )
    return (*details.row, Verbatim(decode), Verbatim(f"List.of({', '.join(others)})"))


def _tensor(details: Details) -> tuple[Any, ...]:
    return (Verbatim(f"OnnxJavaType.{_TYPES[details.dtype]}"), *_sizes(details))


def _number(details: Details) -> str:
    return "float" if details.row == (1,) else "float[]"


def _columns(details: Details) -> tuple[str, ...]:
    """Return one column per number; empty if a column contains several numbers."""
    assert isinstance(details, InputPort)
    return details.columns if details.columns_by_name else ()


def _labels(details: Details) -> tuple[str, ...]:
    assert isinstance(details, OutputPort)
    return details.labels


def _decision(details: Details) -> tuple[Any, ...]:
    """Return whether the output has a threshold, the threshold, and whether values are logits."""
    assert isinstance(details, OutputPort)
    decision = details.decision
    assert decision is not None
    binary = decision.threshold is not None
    return (binary, decision.threshold if binary else 0.0, decision.scores == "logits")


def _sizes(details: Details) -> tuple[Any, ...]:
    return tuple(size if isinstance(size, int) else VARIES for size in details.row)


def _always(value: Any) -> Callable[[Details], Any]:
    return lambda _: value


_PICTURE, _NUMBERS, _TENSOR = _always("Picture"), _always("float[]"), _always("Tensor")
_LABEL = _always("Classification")

IMAGE = Kind("image", "ImageInput", _PICTURE, _image)
VECTOR = Kind("number_input", "NumberInput", _NUMBERS, _sizes, _columns)
TENSOR = Kind("tensor", "TensorInput", _TENSOR, _tensor)
LABEL = Kind("labels", "LabelOutput", _LABEL, _decision, _labels)
VALUES = Kind("number", "NumberOutput", _number, _sizes)
ENTRIES: Mapping[type[Step], Kind] = MappingProxyType({DecodeImage: IMAGE})
"""Java classes of inputs, by the step that takes the cell."""
