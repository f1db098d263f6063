"""A graph under construction, from values of Keras."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import tree

from kspec.compiler import ops
from kspec.compiler.failures import TraceError
from kspec.compiler.ir import Array, Graph, Node, Op, Origin, TensorType, Value
from kspec.compiler.names import Names
from kspec.compiler.precision import as_constant
from kspec.compiler.renaming import renamed


class Builder:
    """A graph under construction. The layers that are open (``inside``) name new values, and give
    nodes their origin."""

    def __init__(self, origins: Mapping[str, Origin]) -> None:
        self.inputs: list[Value] = []
        self.nodes: list[Node] = []
        self.constants: dict[str, Array] = {}
        self.origins = origins
        """The origin of each layer, by its name."""
        self.scope: list[str] = []
        """The names of the open layers, from the outermost."""
        self.layers: dict[str, str] = {}
        """The layer of each value that is a layer's result, by the value's name."""
        self._names = Names()
        self._variables: dict[int, Value] = {}

    def emit(self, op: Op, *inputs: Value) -> Value:
        """Add a node with one output, named after the layer and the operation."""
        (output,) = self.emit_all(op, *inputs)
        return output

    def emit_all(self, op: Op, *inputs: Value) -> tuple[Value, ...]:
        """Add a node and return all its outputs."""
        name = "/".join([*self.scope, type(op).__name__.lower()])
        try:
            types = op.infer(*(value.type for value in inputs))
        except ops.OpError as error:
            raise self.error(str(error)) from error
        outputs = tuple(Value(self.fresh(name), each) for each in types)
        self.nodes.append(Node(op, inputs, outputs, self._origin()))
        return outputs

    def placeholder(self, hint: str, type_: TensorType) -> Value:
        """Return an input value for the body of a loop."""
        return Value(self.fresh("/".join([*self.scope, hint])), type_)

    @contextmanager
    def body(self) -> Iterator[list[Node]]:
        """Collect the block's nodes in a separate list, the body of a loop."""
        outside, self.nodes = self.nodes, []
        try:
            yield self.nodes
        finally:
            self.nodes = outside

    def value(self, given: Any, hint: str = "constant", like: Value | None = None) -> Value:
        """Convert an argument of an operation to a value: a value, a variable, an array, or a
        number (in the element type of ``like``)."""
        if isinstance(given, Value):
            return given
        if isinstance(given, keras.Variable):
            known = self._variables.get(id(given))
            if known is None:
                known = self._constant(given.path, np.asarray(given))
                self._variables[id(given)] = known
            return known
        if any(isinstance(each, Value) for each in tree.flatten(given)):
            return self._vector(given)
        array = np.asarray(
            keras.ops.convert_to_numpy(given) if keras.ops.is_tensor(given) else given
        )
        if like is not None and isinstance(given, int | float):
            array = array.astype(like.dtype.numpy)
        return self._constant("/".join([*self.scope, hint]), array)

    def _vector(self, given: Sequence[Any]) -> Value:
        """Return a vector of numbers of which some are computed."""
        first = next(each for each in given if isinstance(each, Value))
        numbers = [self.value(each, like=first) for each in given]
        cast = [
            each if each.dtype is first.dtype else self.emit(ops.Cast(first.dtype), each)
            for each in numbers
        ]
        return self.emit(ops.Concat(0), *(self.emit(ops.Reshape((1,)), each) for each in cast))

    def error(self, message: str, *, code: str = "KS711", help_: str = "") -> TraceError:
        """Return the error of the innermost open layer that has an origin."""
        origin = self._origin()
        return TraceError(origin.layer, message, origin.route, code=code, help_=help_)

    def graph(self, name: str, results: Mapping[str, Value]) -> Graph:
        """Return the finished graph. Results have their public names, a layer's result has the
        layer's name, every other value keeps its name."""
        taken = Names((*(value.name for value in self.inputs), *self.constants, *results))
        produced = {output.name for node in self.nodes for output in node.outputs}
        names = {name: taken.fresh(name) for name in self.constants if name in results}
        for output, value in results.items():
            named = value
            if value.name in names or value.name not in produced:
                named = self.emit(ops.Identity(), value)
            names[named.name] = output
        for value in (each for node in self.nodes for each in node.outputs):
            if value.name not in names:
                names[value.name] = taken.fresh(self.layers.get(value.name, value.name))
        return renamed(
            Graph(name, tuple(self.inputs), (), tuple(self.nodes), self.constants), names, results
        )

    def _constant(self, name: str, array: Array) -> Value:
        array = as_constant(array)
        value = Value(self.fresh(name), TensorType.of(array))
        self.constants[value.name] = array
        return value

    def fresh(self, name: str) -> str:
        """Return a name that no other value has."""
        return self._names.fresh(name)

    def _origin(self) -> Origin:
        for depth in range(len(self.scope), 0, -1):
            origin = self.origins.get("/".join(self.scope[:depth]))
            if origin is not None:
                return origin
        return Origin("/".join(self.scope))

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """Name the block's values after a layer and set their origin to that layer."""
        self.scope.append(name)
        try:
            yield
        finally:
            self.scope.pop()
