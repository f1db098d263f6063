"""The tensor IR: typed values, nodes with one operation each, and graphs of nodes.

All classes are frozen; a pass returns a new graph. One rule binds all passes: **a value's name
means the same numbers in every graph derived from one trace**. A pass that changes the numbers of a
value (another layout, another scale) renames the value. Verification relies on this rule to name
the first wrong node.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

import numpy as np

Dim = int | str
"""A size, or the name of a symbolic dimension, known only at run time: ``"batch"``, ``"time"``."""

Shape = tuple[Dim, ...]
Array = np.ndarray
Route = tuple[str | int, ...]


class ElementTypeError(ValueError):
    """A name that is not an element type of the IR."""


class DType(StrEnum):
    """Element types, with NumPy's names. Any other name raises ElementTypeError."""

    boolean = "bool"
    int8 = "int8"
    uint8 = "uint8"
    int32 = "int32"
    int64 = "int64"
    float16 = "float16"
    float32 = "float32"
    float64 = "float64"

    @classmethod
    def _missing_(cls, value: object) -> DType:
        raise ElementTypeError(f"{value} is not an element type of the IR")

    @property
    def numpy(self) -> np.dtype:
        return np.dtype(self.value)

    @property
    def is_float(self) -> bool:
        return self.value.startswith("float")


@dataclass(frozen=True, slots=True)
class TensorType:
    """The element type and shape of a value."""

    dtype: DType
    shape: Shape

    @property
    def rank(self) -> int:
        return len(self.shape)

    def with_shape(self, *shape: Dim) -> TensorType:
        return TensorType(self.dtype, shape)

    def with_dtype(self, dtype: DType) -> TensorType:
        return TensorType(dtype, self.shape)

    @classmethod
    def of(cls, array: Array) -> TensorType:
        return cls(DType(array.dtype.name), array.shape)

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"


@dataclass(frozen=True, slots=True)
class Value:
    """A named tensor: a graph input, a constant, or the output of a node."""

    name: str
    type: TensorType

    @property
    def shape(self) -> Shape:
        return self.type.shape

    @property
    def dtype(self) -> DType:
        return self.type.dtype

    def __str__(self) -> str:
        return f"{self.name}: {self.type}"


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a node: the layer's name, and the layer's route in the YAML (or empty)."""

    layer: str = ""
    route: Route = ()


@dataclass(frozen=True, slots=True)
class Op(ABC):
    """An operation. Its dataclass fields are its attributes; tensors are never fields."""

    @abstractmethod
    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        """Return the types of the outputs for these input types. Raises OpError."""


@dataclass(frozen=True, slots=True)
class Node:
    """One operation applied to values. Its name is the name of its first output."""

    op: Op
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    origin: Origin = Origin()

    @property
    def name(self) -> str:
        return self.outputs[0].name

    @property
    def output(self) -> Value:
        """The only output. Raises ValueError for a node with several."""
        (output,) = self.outputs
        return output


@dataclass(frozen=True, slots=True)
class Graph:
    """A function from ``inputs`` to ``outputs``, its nodes in topological order.

    ``constants`` maps the name of a value to its array. The names of inputs and outputs are the
    public names of the signature; every pass keeps them.
    """

    name: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    nodes: tuple[Node, ...]
    constants: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "constants", MappingProxyType(dict(self.constants)))

    def with_nodes(
        self, nodes: tuple[Node, ...], constants: Mapping[str, Array] | None = None
    ) -> Graph:
        kept = self.constants if constants is None else constants
        return replace(self, nodes=nodes, constants=kept)

    def constant(self, value: Value) -> Array | None:
        """Return the array of a constant, or None for a computed value."""
        return self.constants.get(value.name)

    def producers(self) -> dict[str, Node]:
        return {output.name: node for node in self.nodes for output in node.outputs}

    def consumers(self) -> dict[str, list[Node]]:
        """Return the nodes that read each value, once per node, in order."""
        readers: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(value.name for value in node.inputs):
                readers.setdefault(name, []).append(node)
        return readers

    def values(self) -> Iterator[Value]:
        """Yield the inputs, then the outputs of each node, in order; constants are omitted."""
        yield from self.inputs
        for node in self.nodes:
            yield from node.outputs
