"""The ONNX model under construction: nodes and initializers as plain data, without ``onnx``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from kspec.compiler.ir import Array, Dim, DType, Graph, Node, Shape, Value
from kspec.compiler.names import Names
from kspec.compiler.ops import Scan
from kspec.compiler.passes.bodies import renamed
from kspec.compiler.table import Table
from kspec.targets.formats.limits import read_constants
from kspec.targets.formats.rule import EmittingRule, apply_rule

SHARED = 2**16
"""Bytes up to which equal constants are found by content; the common passes have merged larger
ones."""
Operand = Value | str | Array | None
"""A value, its name, an array that becomes an initializer, or None for an omitted optional
input."""


@dataclass(frozen=True, slots=True)
class OnnxNode:
    """A node of the file, named after its first output; an omitted input or output has an empty
    name."""

    operator: str
    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]

    @property
    def name(self) -> str:
        return next(filter(None, self.outputs))


@dataclass(frozen=True, slots=True)
class OnnxBody:
    """The body of a loop, which reads outer values by name."""

    name: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    nodes: tuple[OnnxNode, ...]


Attribute = (
    int | float | str | DType | tuple[int, ...] | tuple[float, ...] | tuple[str, ...] | OnnxBody
)


class Emission:
    """An ONNX model to which rules add nodes.

    ``emit.result`` adds the node with the op's output, named after it; ``emit`` itself adds an
    intermediate node, named after that output and the operator (``dense/matmul``), distinct from
    the names of the graph. Arrays among the inputs become initializers; equal ones are stored
    once.
    """

    def __init__(self, graph: Graph) -> None:
        self.nodes: list[OnnxNode] = []
        self.initializers: dict[str, Array] = {}
        self._graph = graph
        self._read = {value.name for node in graph.nodes for value in node.inputs}
        self._read |= {value.name for value in graph.outputs}
        self._output = graph.name
        self._outputs: tuple[str, ...] = ()
        self._rules: Table[Rule] = Table("onnx")
        self._names = Names((*graph.constants, *(value.name for value in graph.values())))
        self._shared: dict[tuple[str, Shape, bytes | int], str] = {}
        self._dimensions: dict[Dim, tuple[str, int]] = {}
        self._measured: dict[Dim, str] = {}
        self._stands_for = {
            name: self._share(graph.constants[name], name) for name in read_constants(graph)
        }
        self._locate(graph.inputs)

    def write(self, node: Node, rules: Table[Rule]) -> None:
        """Write a node of the graph by its rule."""
        self._rules, self._output = rules, node.name
        self._outputs = tuple(value.name for value in node.outputs)
        apply_rule(rules, node, self)
        self._locate(node.outputs)

    def result(self, operator: str, *inputs: Operand, **attributes: Attribute) -> None:
        """Add the node whose output is the op's output."""
        self._append(operator, (self._output,), inputs, attributes)

    def __call__(self, operator: str, *inputs: Operand, **attributes: Attribute) -> str:
        """Add an intermediate node and return the name of its output."""
        name = self._fresh(operator.lower())
        self._append(operator, (name,), inputs, attributes)
        return name

    def pair(self, operator: str, *inputs: Operand, **attributes: Attribute) -> tuple[str, str]:
        """Add an intermediate node with two outputs and return their names."""
        first, second = (self._fresh(f"{operator.lower()}_{part}") for part in ("values", "places"))
        self._append(operator, (first, second), inputs, attributes)
        return first, second

    def all_results(self, operator: str, *inputs: Operand, **attributes: Attribute) -> None:
        """Add the node whose outputs are all outputs of the op."""
        self._append(operator, self._outputs, inputs, attributes)

    def wanted(self, operator: str, *inputs: Operand, **attributes: Attribute) -> list[str]:
        """Add an intermediate node with as many outputs as the op has, and return their names; an
        unused output has an empty name."""
        names = [
            self._fresh(f"{operator.lower()}_{k}") if name in self._read else ""
            for k, name in enumerate(self._outputs)
        ]
        self._append(operator, tuple(names), inputs, attributes)
        return names

    def give(self, number: int, operator: str, *inputs: Operand, **attributes: Attribute) -> None:
        """Add the node whose output is one of the op's outputs, by index."""
        self._append(operator, (self._outputs[number],), inputs, attributes)

    def array(self, value: Value) -> Array | None:
        """Return the array of a constant; None for a computed value."""
        return self._graph.constant(value)

    def body(self, loop: Scan, captured: tuple[Value, ...]) -> OnnxBody:
        """Return the body of a loop, with unique names of its values."""
        outer = self.nodes, self._output, self._outputs, self._read, self._graph
        places = dict(self._dimensions), dict(self._measured)
        first = len(loop.body.inputs) - len(captured)
        names = {
            each.name: outside
            for each, outside in zip(loop.body.inputs[first:], captured, strict=True)
        }
        for value in (*loop.body.inputs[:first], *(v for n in loop.body.nodes for v in n.outputs)):
            names[value.name] = replace(value, name=self._fresh(value.name.rpartition("/")[2]))
        body = renamed(loop.body, names)
        self.nodes, self._read = [], {v.name for n in body.nodes for v in n.inputs}
        self._read |= {value.name for value in body.outputs}
        self._graph = replace(body, constants=self._graph.constants)
        try:
            for node in body.nodes:
                self.write(node, self._rules)
            made = tuple(self.nodes)
        finally:
            self.nodes, self._output, self._outputs, self._read, self._graph = outer
            self._dimensions, self._measured = places
        return OnnxBody(f"{self._output}/body", body.inputs[:first], body.outputs, made)

    def extent(self, dim: Dim) -> str | Array:
        """Return a dimension as int64 of shape (1,): a number is a constant, a symbolic dimension
        is measured once at run time on the first value that has it."""
        if isinstance(dim, int):
            return np.array([dim], np.int64)
        if dim not in self._measured:
            if dim not in self._dimensions:
                raise ValueError(f"{self._output}: no value before it has the dimension {dim}")
            value, axis = self._dimensions[dim]
            self._measured[dim] = self("Shape", value, start=axis, end=axis + 1)
        return self._measured[dim]

    def _append(
        self,
        operator: str,
        outputs: tuple[str, ...],
        inputs: tuple[Operand, ...],
        attributes: Mapping[str, Attribute],
    ) -> None:
        names = [self._name(each) for each in inputs]
        while names and not names[-1]:
            names.pop()
        self.nodes.append(OnnxNode(operator, outputs, tuple(names), attributes))

    def _name(self, operand: Operand) -> str:
        if operand is None:
            return ""
        if isinstance(operand, Value):
            return self._stands_for.get(operand.name, operand.name)
        return operand if isinstance(operand, str) else self._share(operand)

    def _share(self, array: Array, name: str | None = None) -> str:
        array = np.asarray(array, order="C")
        small = array.nbytes <= SHARED
        content = hashlib.sha256(array.data).digest() if small else id(array)
        key = (array.dtype.name, array.shape, content)
        if key not in self._shared:
            self._shared[key] = name or self._fresh("constant")
            self.initializers[self._shared[key]] = array
        return self._shared[key]

    def _fresh(self, suffix: str) -> str:
        return self._names.fresh(f"{self._output}/{suffix}")

    def _locate(self, values: tuple[Value, ...]) -> None:
        for value in values:
            for axis, dim in enumerate(value.shape):
                self._dimensions.setdefault(dim, (value.name, axis))


Rule: TypeAlias = EmittingRule[Emission, None]
"""Writes the ONNX nodes of one node of the graph."""
