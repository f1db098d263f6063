"""The MIL function under construction, with its values by their IR names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, TypeAlias

import numpy as np

from kspec.compiler.ir import Array, DType, Graph, Node, Value
from kspec.targets.formats.coreml.names import Identifiers
from kspec.targets.formats.coreml.options import CoreMLOptions
from kspec.targets.formats.coreml.toolkit import Toolkit
from kspec.targets.formats.rule import EmittingRule, apply_rule

_FIRST = 16
"""Number of leading elements by which equal arrays are searched."""

Var = Any
"""A value of the MIL builder of coremltools."""


class Emission:
    """A MIL function under construction. Calling it adds one operation::

    emit("add", node.name, x=emit[x], y=emit[y])
    """

    def __init__(
        self, graph: Graph, options: CoreMLOptions, kit: Toolkit, rules: Mapping[type, Rule]
    ) -> None:
        self.graph = graph
        self._rules = rules
        self.kit = kit
        self.identifiers = Identifiers.of(graph)
        self._half = options.precision == "float16"
        self._vars: dict[str, Var] = {}
        self._shared: dict[tuple[str, tuple[int, ...], bytes], Var] = {}
        self._measured: dict[str, Var] = {}
        self._alike: dict[tuple[str, tuple[int, ...], bytes], list[tuple[Array, Var]]] = {}
        self._own: dict[int, Var] = {}
        self._loop: Any = None
        self.minimum = options.minimum
        computed = {value.name for node in graph.nodes for value in node.outputs}
        self.delivered = frozenset(
            value.name
            for value in graph.outputs
            if value.name not in computed
            or self.computed_as(value.dtype) is DType.float16
            or value.dtype is DType.boolean
        )
        """Graph outputs that need an additional operation: the node has another element type."""

    def run(self, node: Node) -> None:
        """Write a node by its rule."""
        made = apply_rule(self._rules, node, self)
        results = made if isinstance(made, tuple) else (made,)
        for value, var in zip(node.outputs, results, strict=True):
            self.bind(value, var)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Enter the block of a loop. Values computed in the block are unknown outside; constants
        are placed before the outermost loop, so that all blocks share them."""
        outside = self._vars, self._measured, self._loop
        self._vars, self._measured = dict(self._vars), dict(self._measured)
        self._loop = self._loop or self.kit.mil.block.curr_block().outer_op
        try:
            yield
        finally:
            self._vars, self._measured, self._loop = outside

    def __call__(self, kind: str, name: str, **parameters: Any) -> Var:
        """Add an operation under an IR name; parameters that are not MIL values become
        constants."""
        own = f"{name}/computed" if name in self.delivered else name
        return self._add(kind, self.identifiers[own], parameters)

    def several(self, kind: str, name: str, **parameters: Any) -> tuple[Var, ...]:
        """Add an operation with several results, each named by its index."""
        results: tuple[Var, ...] = self._add(kind, self.identifiers[name], parameters)
        for number, var in enumerate(results):
            var.name = self.identifiers[f"{name}/{number}"]
        return results

    def deliver(self, kind: str, output: Value, **parameters: Any) -> Var:
        """Add the operation that has the public name of an output."""
        return self._add(kind, self.public(output), parameters)

    def __getitem__(self, value: Value) -> Var:
        """Return the MIL value of an IR value; a constant is added at its first use."""
        if value.name not in self._vars:
            array = self.graph.constants[value.name]
            self._vars[value.name] = self.constant(value.name, array)
        return self._vars[value.name]

    def bind(self, value: Value, var: Var) -> None:
        self._vars[value.name] = var

    def public(self, value: Value) -> str:
        """Return the name of an input or output in the file."""
        return self.identifiers[value.name]

    def constant(self, name: str, array: Array) -> Var:
        """Return a named constant, with floats in the chosen precision."""
        own = f"{name}/constant" if name in self.delivered else name
        return self._constant(self.array(array), self.identifiers[own])

    def exact(self, name: str, array: Array) -> Var:
        """Return a named constant in the precision of the array."""
        return self._constant(np.ascontiguousarray(array), self.identifiers[name])

    def array(self, array: Array) -> Array:
        """Convert an array to the chosen precision; values beyond float16 are clipped to its
        range."""
        if array.dtype.kind != "f" or not self._half:
            return np.ascontiguousarray(array) if array.ndim else array
        limit = np.finfo(np.float16).max
        return np.asarray(np.clip(array, -limit, limit), np.float16, order="C")

    def scalar(self, number: float, like: DType = DType.float32) -> Any:
        """Return a number in the element type in which ``like`` is computed."""
        return self.array(np.asarray(number, like.numpy))[()]

    def computed_as(self, dtype: DType) -> DType:
        """Return the element type in the chosen precision."""
        return DType.float16 if self._half and dtype.is_float else dtype

    def cast(self, var: Var, dtype: DType, name: str) -> Var:
        return self("cast", name, x=var, dtype=self.kit.mil_names[self.computed_as(dtype)])

    def parameter(self, value: Any) -> Any:
        """Convert a number, text, array or list of integers to a constant; return MIL values as
        they are."""
        if isinstance(value, bool | int | float | str | np.generic | np.ndarray):
            return self._share(value)
        if isinstance(value, list | tuple) and not isinstance(value[0], self.kit.mil.Var):
            return self._share(np.array(value, bool if isinstance(value[0], bool) else np.int32))
        return value

    def measurable(self, dim: str) -> bool:
        """Return whether an input of the graph has this dimension."""
        return any(dim in value.shape for value in self.graph.inputs)

    def measure(self, dim: str) -> Var:
        """Return the size of a dimension at run time, int32[1], read from the shape of an input."""
        if dim not in self._measured:
            value = next(each for each in self.graph.inputs if dim in each.shape)
            shape = self("shape", f"{value.name}/shape/{dim}", x=self[value])
            at = np.array([value.shape.index(dim)], np.int32)
            name = f"{value.name}/size/{dim}"
            self._measured[dim] = self("gather", name, x=shape, indices=at, axis=0)
        return self._measured[dim]

    def is_foreign_constant(self, var: Var) -> bool:
        """Return whether the builder created this constant itself."""
        return var.op is not None and var.op.op_type == "const" and id(var) not in self._own

    def own(self, var: Var) -> None:
        """Mark a constant as named by the emission. It is kept alive: a block may be built twice,
        and a new object at the address of a deleted constant must not be taken for it."""
        self._own[id(var)] = var

    def _add(self, kind: str, identifier: str, parameters: dict[str, Any]) -> Var:
        given = {key: self.parameter(value) for key, value in parameters.items()}
        return getattr(self.kit.builder, kind)(name=identifier, **given)

    def _constant(self, value: Any, identifier: str) -> Var:
        """Return a constant with that name, or an existing equal one: layers share weights, and the
        builder may build a block twice."""
        array = np.asarray(value)
        first: bytes = array.flat[:_FIRST].tobytes()
        alike = self._alike.setdefault((array.dtype.str, array.shape, first), [])
        for other, var in alike:
            if np.array_equal(other, array, equal_nan=array.dtype.kind == "f"):
                return var
        with self._loop.enclosing_block if self._loop else nullcontext():
            var = self.kit.builder.const(val=value, name=identifier, before_op=self._loop)
        self.own(var)
        alike.append((array, var))
        return var

    def _share(self, value: Any) -> Var:
        """Return one constant for equal parameters, which otherwise dominate files of small
        layers."""
        if type(value) is int:
            value = np.int32(value)
        array = np.asarray(value)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._shared:
            identifier = self.identifiers.fresh(f"{array.dtype.name}_{len(self._shared)}")
            self._shared[key] = self._constant(value, identifier)
        return self._shared[key]


Rule: TypeAlias = EmittingRule[Emission, Var | tuple[Var, ...]]
"""Adds the MIL operations of one node, and returns the MIL value of its output, which has the
output's name; a tuple if the node has several outputs."""
