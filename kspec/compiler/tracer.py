"""The tracer, which lowers each operation of ``keras.ops`` and each layer by its rule. A layer
without a rule is lowered by the rules of the operations that it calls."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
from keras import tree

from kspec.compiler import ops
from kspec.compiler.arguments import (
    computed_arguments,
    computed_call,
    known_arguments,
    known_only,
)
from kspec.compiler.builder import Builder
from kspec.compiler.failures import NOT_TRACED, OTHERWISE, failing_layer, reason, said
from kspec.compiler.ir import (
    DType,
    ElementTypeError,
    Origin,
    Shape,
    TensorType,
    Value,
)
from kspec.compiler.masking import Masks
from kspec.compiler.precision import EXACT, WIDER, element_type
from kspec.compiler.recorded import Symbols, recorded
from kspec.compiler.recording import recording
from kspec.compiler.substitutes import traceable
from kspec.compiler.table import Table

TEXT = (
    "turn text into numbers before the model: call StringLookup, Hashing or TextVectorization on "
    "the data, and give the model their results"
)


class Tracer(Builder):
    """Lowers calls of layers and operations into a graph under construction. Rules convert their
    arguments with ``value`` and add nodes with ``emit``."""

    def __init__(
        self,
        rules: Table[Callable[..., Any]],
        calls: Table[Callable[..., Any]],
        origins: Mapping[str, Origin],
    ) -> None:
        super().__init__(origins)
        self.rules = rules
        """``function(tracer, operation, *arguments)`` by the class of an operation or layer."""
        self.calls = calls
        """The same for layers, and their subclasses, that are traced by a call other than
        ``call``."""
        self.masks = Masks()
        self.narrow: dict[str, str] = {}
        """Keras' element type of each value whose type in the IR is wider, by the value's name."""
        self._symbols = Symbols()

    def input(self, name: str, dtype: str, shape: Shape) -> Value:
        """Add a graph input, in the IR type that represents every number of Keras' ``dtype``."""
        with self.inside(name):
            if dtype == "string":
                raise self.error("the input is text", code="KS742", help_=TEXT)
            with self._explained("the input"):
                held, narrow = element_type(dtype)
        value = Value(self.fresh(name), TensorType(held, shape))
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
            self.layers[result.name] = "/".join(self.scope)
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
            if inner is None or inner in self.scope:
                raise self.error(reason(error)) from error
            with self.inside(inner):
                raise self.error(reason(error)) from error
        return graph._run_through_graph(values, self.operation)  # noqa: SLF001

    def _unmasked(self, result: Any) -> Any:
        """Remove masks from an operation's results; a result may be one of its masked inputs."""
        return tree.map_structure(
            lambda each: self.emit(ops.Identity(), each) if each in self.masks else each, result
        )


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
