"""Binding of symbolic dimensions to numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from kspec.compiler.ir import Dim, Graph, Node, Shape, TensorType, Value
from kspec.compiler.ops import Scan
from kspec.compiler.passes import Pass


def bind_dimensions(sizes: Mapping[str, Dim]) -> Pass:
    """Return a pass that replaces the named dimensions by numbers, in every type and in every
    operation with a shape field. Types are inferred again, so ``time+2`` becomes a number too."""

    def bind(graph: Graph) -> Graph:
        types: dict[str, TensorType] = {}
        known: dict[str, Dim] = dict(sizes)

        def retyped(value: Value) -> Value:
            return Value(value.name, types.get(value.name, value.type))

        for value in graph.inputs:
            types[value.name] = value.type.with_shape(*_bound(value.shape, known))
        nodes: list[Node] = []
        for node in graph.nodes:
            op, inputs = _bind_fields(node.op, known), tuple(map(retyped, node.inputs))
            inferred = op.infer(*(value.type for value in inputs))
            for output, type_ in zip(node.outputs, inferred, strict=True):
                types[output.name] = type_
                pairs = zip(output.shape, type_.shape, strict=True)
                known |= {before: now for before, now in pairs if isinstance(before, str)}
            nodes.append(
                replace(node, op=op, inputs=inputs, outputs=tuple(map(retyped, node.outputs)))
            )
        return replace(
            graph,
            inputs=tuple(map(retyped, graph.inputs)),
            outputs=tuple(map(retyped, graph.outputs)),
            nodes=tuple(nodes),
        )

    return bind


def _bound(shape: Shape, known: Mapping[str, Dim]) -> Shape:
    return tuple(_bound_dim(dim, known) if isinstance(dim, str) else dim for dim in shape)


def _bound_dim(dim: str, known: Mapping[str, Dim]) -> Dim:
    """Return the bound dimension. ``time+2`` is known from its inferred type; ``batch*6`` occurs
    only in reshapes, so it is multiplied here."""
    if dim in known or "*" not in dim:
        return known.get(dim, dim)
    factors = [known.get(factor, factor) for factor in dim.split("*")]
    names = [factor for factor in factors if isinstance(factor, str) and not factor.isdecimal()]
    number = math.prod(int(factor) for factor in factors if factor not in names)
    if not names:
        return number
    return "*".join([*names, *([str(number)] if number != 1 else [])])


def _bind_fields(op: Any, known: Mapping[str, Dim]) -> Any:
    if isinstance(op, Scan):
        return replace(op, body=bind_dimensions(known)(op.body))
    if "shape" not in {field.name for field in fields(op)}:
        return op
    return replace(op, shape=_bound(op.shape, known))
