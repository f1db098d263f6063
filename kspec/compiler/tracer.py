"""The tracer, which lowers each operation of ``keras.ops`` and each layer by its rule. A layer
without a rule is lowered by the rules of the operations that it calls."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import tree

from kspec.compiler import ops
from kspec.compiler.arguments import (
    computed_arguments,
    computed_call,
    known_arguments,
    known_only,
)
from kspec.compiler.failures import NOT_TRACED, TraceError, failing_layer, reason, said
from kspec.compiler.ir import (
    Array,
    DType,
    ElementTypeError,
    Graph,
    Node,
    Op,
    Origin,
    Shape,
    TensorType,
    Value,
)
from kspec.compiler.masking import Masks
from kspec.compiler.names import Names
from kspec.compiler.precision import EXACT, WIDER, as_constant, element_type
from kspec.compiler.recorded import Symbols, recorded
from kspec.compiler.recording import recording
from kspec.compiler.renaming import renamed
from kspec.compiler.substitutes import traceable
from kspec.compiler.table import Table

OTHERWISE = "write it with other functions of keras.ops, or compute it outside of the model"
TEXT = (
    "turn text into numbers before the model: call StringLookup, Hashing or TextVectorization on "
    "the data, and give the model their results"
)


@dataclass(slots=True)
class Tracer:
    """A graph under construction. Rules convert their arguments with ``value`` and add nodes with
    ``emit``."""

    rules: Table[Callable[..., Any]]
    """``function(tracer, operation, *arguments)`` by the class of an operation or layer."""
    calls: Table[Callable[..., Any]]
    """The same for layers, and their subclasses, that are traced by a call other than ``call``."""
    origins: Mapping[str, Origin]
    inputs: list[Value] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)
    masks: Masks = field(default_factory=Masks)
    narrow: dict[str, str] = field(default_factory=dict)
    """Keras' element type of each value whose type in the IR is wider, by the value's name."""
    _symbols: Symbols = field(default_factory=Symbols)
    _scope: list[str] = field(default_factory=list)
    _names: Names = field(default_factory=Names)
    _variables: dict[int, Value] = field(default_factory=dict)
    _layers: dict[str, str] = field(default_factory=dict)

    def input(self, name: str, dtype: str, shape: Shape) -> Value:
        """Add a graph input, in the IR type that represents every number of Keras' ``dtype``."""
        with self.inside(name):
            if dtype == "string":
                raise self.error("the input is text", code="KS742", help_=TEXT)
            with self._explained("the input"):
                held, narrow = element_type(dtype)
        value = Value(self._fresh(name), TensorType(held, shape))
        if narrow is not None:
            self.narrow[value.name] = narrow
        self.inputs.append(value)
        return value

    def operation(self, operation: keras.Operation) -> Any:
        """Return the function that a walk through a Keras graph calls in place of the operation."""

        def call(*args: Any, **kwargs: Any) -> Any:
            return self.apply(operation, *args, **kwargs)

        return call

    def apply(self, operation: keras.Operation, *args: Any, **kwargs: Any) -> Any:
        """Lower one call on values of a layer or an operation of ``keras.ops``."""
        if isinstance(operation, keras.Layer):
            kwargs.pop("training", None)
            with self.inside(operation.name), self._explained(type(operation).__name__):
                return self._layer(operation, args, kwargs)
        with self._explained(f"keras.ops {type(operation).__name__}"):
            return self._operation(operation, args, kwargs)

    def _operation(self, operation: keras.Operation, args: Any, kwargs: Any) -> Any:
        kind = type(operation)
        rule = self.rules.get(kind)
        if rule is None:
            reason = self.rules.refused.get(kind, "it has no rule")
            raise self.error(f"keras.ops {kind.__name__}: {reason}", help_=OTHERWISE)
        computed = computed_arguments(operation, (keras.KerasTensor, Value))
        computed += filter(None, [computed_call(operation, args, Value)])
        if computed:
            raise self.error(known_only(operation, computed[0]))
        narrow = self._narrow(kind, (args, kwargs))
        result = self._unmasked(rule(self, known_arguments(operation), *args, **kwargs))
        for each in tree.flatten(result):
            if narrow and isinstance(each, Value) and each.dtype is WIDER[narrow]:
                self.narrow[each.name] = narrow
        return result

    def _layer(self, layer: keras.Layer, args: Any, kwargs: Any) -> Any:
        kind = type(layer)
        if mode := getattr(layer, "quantization_mode", None):
            raise self.error(
                f"the layer is quantised ({mode}), and its weights would be read as unquantised",
                code="KS743",
                help_="compile the model as it was before `quantize`",
            )
        if layer.compute_dtype in WIDER or layer.compute_dtype == "float16":
            raise self.error(
                f"the layer keeps its numbers in {layer.variable_dtype}",
                code="KS742",
                help_="a mixed policy, such as mixed_float16, keeps them in float32",
            )
        rule = self.rules.get(kind)
        reasons = [self.rules.refused[each] for each in kind.__mro__ if each in self.rules.refused]
        if reasons and rule is None:
            raise self.error(f"{kind.__name__}: {reasons[0]}")
        before = len(self.nodes)
        args, kwargs = self._converted(layer, (args, kwargs))
        kwargs |= self.masks.arguments(layer, args, kwargs)
        masks = self.masks.previous(layer, args, kwargs)
        result = (rule or _descend)(self, layer, *args, **kwargs)
        if len(self.nodes) > before and isinstance(result, Value):
            self._layers[result.name] = "/".join(self._scope)
        self.masks.settle(layer, args, kwargs, result, masks, self.record)
        return result

    def _converted(self, layer: keras.Layer, given: Any) -> Any:
        """Cast a layer's float arguments to its compute type, as Keras does."""
        if isinstance(layer, keras.Function | keras.Sequential) or not layer.autocast:
            return given
        wanted = layer.compute_dtype

        def converted(each: Any) -> Any:
            if not isinstance(each, Value) or not each.dtype.is_float or wanted != "float32":
                return each
            if each.name in self.narrow or each.dtype is not DType.float32:
                return self.emit(ops.Cast(DType.float32), each)
            return each

        return tree.map_structure(converted, given)

    def _narrow(self, kind: type, given: Any) -> str | None:
        """Return the Keras element type of an operation's values if the IR lacks it, else None.
        The operation must yield the same numbers in the wider type."""
        for each in tree.flatten(given):
            narrow = self.narrow.get(each.name) if isinstance(each, Value) else None
            if narrow is not None:
                if kind not in EXACT:
                    raise self.error(
                        f"keras.ops {kind.__name__} computes in {narrow}, which artifacts do not",
                        code="KS742",
                        help_="cast to int32 or float32 before it",
                    )
                return narrow
        return None

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Convert exceptions of the block to a TraceError of the layer."""
        try:
            yield
        except ElementTypeError as error:
            raise self.error(
                f"{what}: {error}", code="KS742", help_="artifacts compute in float32 and int32"
            ) from error
        except ops.OpError as error:
            raise self.error(str(error)) from error
        except NOT_TRACED as error:
            raise self.error(
                f"{what} cannot be lowered as it is used here "
                f"({type(error).__name__}: {said(error)})",
                code="KS740",
                help_="please report it with the arguments of this call",
            ) from error

    def emit(self, op: Op, *inputs: Value) -> Value:
        """Add a node with one output, named after the layer and the operation."""
        (output,) = self.emit_all(op, *inputs)
        return output

    def emit_all(self, op: Op, *inputs: Value) -> tuple[Value, ...]:
        """Add a node and return all its outputs."""
        name = "/".join([*self._scope, type(op).__name__.lower()])
        try:
            types = op.infer(*(value.type for value in inputs))
        except ops.OpError as error:
            raise self.error(str(error)) from error
        outputs = tuple(Value(self._fresh(name), each) for each in types)
        self.nodes.append(Node(op, inputs, outputs, self._origin()))
        return outputs

    def placeholder(self, hint: str, type_: TensorType) -> Value:
        """Return an input value for the body of a loop."""
        return Value(self._fresh("/".join([*self._scope, hint])), type_)

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
        return self._constant("/".join([*self._scope, hint]), array)

    def _vector(self, given: Sequence[Any]) -> Value:
        """Return a vector of numbers of which some are computed."""
        first = next(each for each in given if isinstance(each, Value))
        numbers = [self.value(each, like=first) for each in given]
        cast = [
            each if each.dtype is first.dtype else self.emit(ops.Cast(first.dtype), each)
            for each in numbers
        ]
        return self.emit(ops.Concat(0), *(self.emit(ops.Reshape((1,)), each) for each in cast))

    def record(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function written in ``keras.ops`` on symbols in place of the values among its
        arguments, and lower the recorded operations."""
        if function is keras.activations.linear:
            return args[0]
        values: list[Value] = []
        symbols: list[Any] = []

        def symbol(given: Any) -> Any:
            if not isinstance(given, Value):
                return given
            shape = tuple(None if isinstance(dim, str) else dim for dim in given.shape)
            values.append(given)
            symbols.append(self._symbols.tensor(shape, given.dtype.value))
            return symbols[-1]

        args, kwargs = tree.map_structure(symbol, (args, kwargs))
        try:
            with recording(symbols):
                outputs = function(*args, **kwargs)
            graph = keras.Function(symbols, outputs)
        except NOT_TRACED as error:
            inner = failing_layer(error)
            if inner is None or inner in self._scope:
                raise self.error(reason(error)) from error
            with self.inside(inner):
                raise self.error(reason(error)) from error
        return graph._run_through_graph(values, self.operation)  # noqa: SLF001

    def error(self, message: str, *, code: str = "KS711", help_: str = "") -> TraceError:
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
                names[value.name] = taken.fresh(self._layers.get(value.name, value.name))
        return renamed(
            Graph(name, tuple(self.inputs), (), tuple(self.nodes), self.constants), names, results
        )

    def _unmasked(self, result: Any) -> Any:
        """Remove masks from an operation's results; a result may be one of its masked inputs."""
        return tree.map_structure(
            lambda each: self.emit(ops.Identity(), each) if each in self.masks else each, result
        )

    def _constant(self, name: str, array: Array) -> Value:
        array = as_constant(array)
        value = Value(self._fresh(name), TensorType.of(array))
        self.constants[value.name] = array
        return value

    def _fresh(self, name: str) -> str:
        return self._names.fresh(name)

    def _origin(self) -> Origin:
        for depth in range(len(self._scope), 0, -1):
            origin = self.origins.get("/".join(self._scope[:depth]))
            if origin is not None:
                return origin
        return Origin("/".join(self._scope))

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """Name the block's values after a layer and set their origin to that layer."""
        self._scope.append(name)
        try:
            yield
        finally:
            self._scope.pop()


def _descend(tracer: Tracer, layer: keras.Layer, *args: Any, **kwargs: Any) -> Any:
    """Trace the operations and layers that a layer calls."""
    if isinstance(layer, keras.Function | keras.Sequential):
        return recorded(layer)._run_through_graph(tree.flatten(args), tracer.operation)  # noqa: SLF001
    if "training" in inspect.signature(layer.call).parameters:
        kwargs["training"] = False
    with traceable(layer):
        for each in type(layer).__mro__:
            if each in tracer.calls:
                return tracer.calls[each](tracer, layer, *args, **kwargs)
        return tracer.record(layer.call, *args, **kwargs)
