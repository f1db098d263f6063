"""Inputs and outputs of a model as the templates print them.

Classes, constants and components are called after kinds and places alone; the names, columns and
labels of a spec are values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from kspec.features.description import Description
from kspec.features.signature import InputPort, OutputPort
from kspec.targets.platforms.templates import Verbatim

Details = InputPort | OutputPort
"""An input or output as ``kspec-bundle.json`` describes it."""

VARIES = -1
"""Stands for a size that comes with the values."""
_SAMPLING = MappingProxyType({None: "NONE", "nearest": "NEAREST", "bilinear": "BILINEAR"})
_TYPES = MappingProxyType({"float32": "FLOAT", "int32": "INT32"})
_COLUMNS = MappingProxyType(
    {"Classification": "LABEL", "float": "DataTypes.FloatType", "float[]": "NUMBERS"}
)
_BOXED = MappingProxyType({"float": "Float"})


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output: a constant of Java, and in records of several a component."""

    kind: str
    name: str
    folder: str
    """The templates of the constant's class."""
    port: Verbatim
    """The constant's class: ``ImageInput``."""
    constant: Verbatim
    """``INPUT``, or ``INPUT2`` of several."""
    component: Verbatim
    """``image1``."""
    part: Verbatim
    """What is behind a record to get at the component; nothing where it is the only one."""
    value: Verbatim
    """The type of a row's value: ``Picture``."""
    arguments: tuple[Any, ...]
    """What the constant is made with, after the name."""
    texts: tuple[str, ...] | None
    """Its last argument, columns or labels, where it has one."""
    details: Details

    @property
    def boxed(self) -> Verbatim:
        """The value's type in a list."""
        return Verbatim(_BOXED.get(self.value.text, self.value.text))

    @property
    def column(self) -> Verbatim:
        """The type of an output's values in Spark."""
        return Verbatim(_COLUMNS[self.value.text])


@dataclass(frozen=True, slots=True)
class Kind:
    """How Java has a kind of input or output."""

    folder: str
    port: str
    component: str
    value: Callable[[Details], str]
    arguments: Callable[[Details], tuple[Any, ...]]
    texts: Callable[[Details], tuple[str, ...]] | None = None


def inputs(about: Description) -> tuple[Port, ...]:
    """The inputs of the model, in the spec's order."""
    return _ports("INPUT", about.signature.inputs, INPUT_KINDS)


def outputs(about: Description) -> tuple[Port, ...]:
    """The outputs of the model, in the spec's order."""
    return _ports("OUTPUT", about.signature.outputs, OUTPUT_KINDS)


def _ports(constant: str, given: Sequence[Details], kinds: Mapping[str, Kind]) -> tuple[Port, ...]:
    found = []
    for place, details in enumerate(given, 1):
        kind = kinds[details.kind]
        found.append(
            Port(
                kind=details.kind,
                name=details.name,
                folder=kind.folder,
                port=Verbatim(kind.port),
                constant=Verbatim(constant if len(given) == 1 else f"{constant}{place}"),
                component=Verbatim(f"{kind.component}{place}"),
                part=Verbatim("" if len(given) == 1 else f".{kind.component}{place}()"),
                value=Verbatim(kind.value(details)),
                arguments=kind.arguments(details),
                texts=kind.texts(details) if kind.texts else None,
                details=details,
            )
        )
    return tuple(found)


def _image(details: Details) -> tuple[Any, ...]:
    assert isinstance(details, InputPort)
    picture = details.picture
    assert picture is not None
    sampling = Verbatim(f"Sampling.{_SAMPLING[picture.resize]}")
    return (*details.row, picture.maximum, sampling)


def _tensor(details: Details) -> tuple[Any, ...]:
    return (Verbatim(f"OnnxJavaType.{_TYPES[details.dtype]}"), *_sizes(details))


def _number(details: Details) -> str:
    return "float" if details.row == (1,) else "float[]"


def _columns(details: Details) -> tuple[str, ...]:
    """One for each number; none where a column holds several."""
    assert isinstance(details, InputPort)
    return details.columns if details.columns_by_name else ()


def _labels(details: Details) -> tuple[str, ...]:
    assert isinstance(details, OutputPort)
    return details.labels


def _sizes(details: Details) -> tuple[Any, ...]:
    return tuple(size if isinstance(size, int) else VARIES for size in details.row)


def _always(value: Any) -> Callable[[Details], Any]:
    return lambda _: value


_PICTURE, _NUMBERS, _TENSOR = _always("Picture"), _always("float[]"), _always("Tensor")
_LABEL = _always("Classification")

INPUT_KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "image": Kind("image", "ImageInput", "image", _PICTURE, _image),
        "number": Kind("number_input", "NumberInput", "numbers", _NUMBERS, _sizes, _columns),
        "tensor": Kind("tensor", "TensorInput", "tensor", _TENSOR, _tensor),
    }
)
"""By what ``kspec-bundle.json`` calls them."""
_VALUES = Kind("number", "NumberOutput", "number", _number, _sizes)
OUTPUT_KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "category": Kind("labels", "LabelOutput", "label", _LABEL, _always((False,)), _labels),
        "binary": Kind("labels", "LabelOutput", "label", _LABEL, _always((True,)), _labels),
        "number": _VALUES,
        "tensor": _VALUES,
    }
)
