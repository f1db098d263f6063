"""A TFLite program in memory: builtin operators on named tensors, emitted by the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from kspec.compiler.ir import Array, DType, Graph, TensorType, Value
from kspec.compiler.names import Names
from kspec.compiler.table import Table
from kspec.targets.formats.rule import EmittingRule, apply_rule
from kspec.targets.formats.tflite.builtins import Options

TENSOR_TYPES: Mapping[DType, int] = {
    DType.float32: 0,
    DType.float16: 1,
    DType.int32: 2,
    DType.uint8: 3,
    DType.int64: 4,
    DType.boolean: 6,
    DType.int8: 9,
    DType.float64: 10,
}
"""The schema's number of each element type."""


class TFLiteError(ValueError):
    """A graph that cannot be written as a TFLite file."""


ABSENT = Value("", TensorType(DType.float32, ()))
"""An omitted optional input."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A builtin operator, by its name in the schema: ``CONV_2D``."""

    code: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    options: Options | None = None

    @property
    def output(self) -> Value:
        (output,) = self.outputs
        return output


@dataclass(frozen=True, slots=True)
class Program:
    """A function in the file. ``constants`` may be views in any memory order."""

    name: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    operators: tuple[Operator, ...]
    constants: Mapping[str, Array]
    variables: frozenset[str] = frozenset()
    """Names of tensors that operators change in place."""
    bodies: tuple[Program, ...] = ()
    """The functions that loops call, numbered from 1; the main function is 0."""


class Emitter:
    """The operators of a graph's nodes, under construction.

    A rule names its last result with ``into=node.output``; intermediate values have unique names
    that begin with the node's name.
    """

    def __init__(
        self, graph: Graph, rules: Table[Rule], bodies: list[Program] | None = None
    ) -> None:
        self.graph = graph
        self.operators: list[Operator] = []
        self._rules = rules
        self._bodies: list[Program] = [] if bodies is None else bodies
        self._variables: set[str] = set()
        self.constants: dict[str, Array] = dict(graph.constants)
        self._names = Names({value.name for value in graph.values()} | set(graph.constants))
        self._producers: dict[str, Operator] = {}
        self._shared: dict[tuple[str, tuple[int, ...], bytes], Value] = {}
        self._node = ""

    def run(self) -> None:
        """Emit every node of the graph."""
        for node in self.graph.nodes:
            self._node = node.name
            apply_rule(self._rules, node, self)

    def program(self, inputs: tuple[Value, ...], outputs: tuple[Value, ...]) -> Program:
        """Return the emitted function; bodies belong to the main function."""
        return Program(
            self.graph.name,
            inputs,
            outputs,
            tuple(self.operators),
            self.constants,
            frozenset(self._variables),
        )

    def bodies(self) -> tuple[Program, ...]:
        return tuple(self._bodies)

    def inside(self, body: Graph) -> Emitter:
        """Return an emitter for the body of a loop, which contains its constants."""
        inner = Emitter(body, self._rules, self._bodies)
        inner._node = self._node
        return inner

    def add_body(self, program: Program) -> int:
        """Add a function and return the number by which operators call it."""
        self._bodies.append(program)
        return len(self._bodies)

    def array(self, value: Value) -> Array | None:
        """Return the array of a constant; None for a computed value."""
        return self.constants.get(value.name)

    def numbers(self, value: Value) -> list[int]:
        """Return the elements of a vector created by ``integers``."""
        numbers: list[int] = self.constants[value.name].tolist()
        return numbers

    def weights(self, value: Value, array: Array) -> Value:
        """Return a constant in an operator's layout, named after the original constant."""
        return self._constant(f"{value.name}/{'x'.join(map(str, array.shape))}", array)

    def constant(self, array: Array) -> Value:
        """Return a small constant of a rule, such as a shape or a number; equal constants are
        shared."""
        array = np.asarray(array)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._shared:
            self._shared[key] = self._constant(f"{self._node}/constant", array)
        return self._shared[key]

    def integers(self, *numbers: int) -> Value:
        """Return a constant vector of int32."""
        return self.constant(np.array(numbers, np.int32))

    def number(self, number: float, like: Value) -> Value:
        """Return a constant scalar in the element type of ``like``."""
        return self.constant(np.array(number, like.dtype.numpy))

    def emit(
        self,
        code: str,
        *inputs: Value,
        options: Options | None = None,
        type_: TensorType | None = None,
        into: Value | None = None,
    ) -> Value:
        """Apply an operator. The result is ``into``, or a new value of type ``type_``, which
        defaults to the type of the first input."""
        output = into or self.value(type_ or inputs[0].type, code.lower())
        operator = Operator(code, inputs, (output,), options)
        self.operators.append(operator)
        self._producers[output.name] = operator
        return output

    def emit_all(
        self,
        code: str,
        *inputs: Value,
        outputs: tuple[Value, ...],
        options: Options | None = None,
    ) -> None:
        """Apply an operator with several results."""
        self.operators.append(Operator(code, inputs, outputs, options))

    def variable(self, start: Value, type_: TensorType, part: str) -> Value:
        """Return a tensor that operators change in place. It is set to ``start`` at the beginning
        of each call, since the runtime keeps it between calls."""
        value = self.value(type_, part)
        self._variables.add(value.name)
        shape = self.integers(*(int(dim) for dim in type_.shape))
        return self.emit("BROADCAST_TO", start, shape, into=value)

    def value(self, type_: TensorType, part: str = "whole") -> Value:
        """Return a new intermediate value of the node."""
        return Value(self._names.fresh(f"{self._node}/{part}"), type_)

    def producer(self, value: Value) -> Operator | None:
        """Return the operator that computes a value; None for an input or a constant."""
        return self._producers.get(value.name)

    def _constant(self, name: str, array: Array) -> Value:
        value = Value(self._names.fresh(name), TensorType.of(array))
        self.constants[value.name] = array
        return value


Rule: TypeAlias = EmittingRule[Emitter, None]
"""Emits the operators of one node of the graph."""
