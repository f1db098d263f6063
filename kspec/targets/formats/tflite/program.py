"""A TFLite program in memory: builtin operators over named tensors, as the rules emit them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from kspec.compiler.ir import Array, DType, Graph, Node, TensorType, Value
from kspec.compiler.names import Names
from kspec.compiler.table import Table
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
    """A graph that no TFLite file can hold."""


ABSENT = Value("", TensorType(DType.float32, ()))
"""Stands for an optional input that is left out."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One builtin operator, by its name in the schema: ``CONV_2D``."""

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
    """Tensors that an operator changes in place."""
    bodies: tuple[Program, ...] = ()
    """The functions that loops call, by numbers that begin with 1: this one, the main one, is 0."""


class Emitter:
    """Collects the operators that stand for a graph's nodes.

    A rule names its last result by ``into=node.output``; what lies before it is named after the
    node, so that every name is unique and tells where it comes from.
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
            self._rules[type(node.op)](node.op, node, self)

    def program(self, inputs: tuple[Value, ...], outputs: tuple[Value, ...]) -> Program:
        """What was emitted, as a function; the bodies are the main one's."""
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
        """For the body of a loop, which has its constants with it."""
        inner = Emitter(body, self._rules, self._bodies)
        inner._node = self._node
        return inner

    def add_body(self, program: Program) -> int:
        """The number by which an operator calls the function."""
        self._bodies.append(program)
        return len(self._bodies)

    def array(self, value: Value) -> Array | None:
        """The array of a constant, None for a value that is computed."""
        return self.constants.get(value.name)

    def numbers(self, value: Value) -> list[int]:
        """The elements of a vector that ``integers`` made."""
        numbers: list[int] = self.constants[value.name].tolist()
        return numbers

    def weights(self, value: Value, array: Array) -> Value:
        """A constant in the layout that an operator wants, named after the one it is made of."""
        return self._constant(f"{value.name}/{'x'.join(map(str, array.shape))}", array)

    def constant(self, array: Array) -> Value:
        """A small constant that a rule made up: a shape, axes, a number; equal ones are one."""
        array = np.asarray(array)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._shared:
            self._shared[key] = self._constant(f"{self._node}/constant", array)
        return self._shared[key]

    def integers(self, *numbers: int) -> Value:
        """A vector of int32."""
        return self.constant(np.array(numbers, np.int32))

    def number(self, number: float, like: Value) -> Value:
        """A scalar of the element type of ``like``."""
        return self.constant(np.array(number, like.dtype.numpy))

    def emit(
        self,
        code: str,
        *inputs: Value,
        options: Options | None = None,
        type_: TensorType | None = None,
        into: Value | None = None,
    ) -> Value:
        """Apply an operator. The result is ``into``, or a new value of the given type, which is
        the first input's unless said otherwise."""
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
        """Apply an operator that has several results."""
        self.operators.append(Operator(code, inputs, outputs, options))

    def variable(self, start: Value, type_: TensorType, part: str) -> Value:
        """A tensor that an operator changes in place. It begins each call of the model with the
        start, which is written to it: the runtime by itself would keep it from one call to the
        next."""
        value = self.value(type_, part)
        self._variables.add(value.name)
        shape = self.integers(*(int(dim) for dim in type_.shape))
        return self.emit("BROADCAST_TO", start, shape, into=value)

    def value(self, type_: TensorType, part: str = "whole") -> Value:
        """A new value on the way to the node's output."""
        return Value(self._names.fresh(f"{self._node}/{part}"), type_)

    def producer(self, value: Value) -> Operator | None:
        """The operator that gives a value; None for an input or a constant."""
        return self._producers.get(value.name)

    def _constant(self, name: str, array: Array) -> Value:
        value = Value(self._names.fresh(name), TensorType.of(array))
        self.constants[value.name] = array
        return value


Rule = Callable[[Any, Node, Emitter], None]
"""Emits the operators that give a node's outputs; called with the node's operation as well, so
that its class is the one that the table says."""
