"""Give symbolic dimensions a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from kspec.compiler.ir import Graph, Node, Shape, TensorType, Value
from kspec.compiler.passes import Pass


def bind_dimensions(sizes: Mapping[str, int]) -> Pass:
    """A pass that replaces the named dimensions by numbers, in every type and in every operation
    that writes a shape out. Types are inferred again, so sums such as ``time+2`` become numbers."""

    def bind(graph: Graph) -> Graph:
        types: dict[str, TensorType] = {}

        def retyped(value: Value) -> Value:
            return Value(value.name, types.get(value.name, value.type))

        for value in graph.inputs:
            types[value.name] = value.type.with_shape(*_bound(value.shape, sizes))
        nodes: list[Node] = []
        for node in graph.nodes:
            op, inputs = _bind_fields(node.op, sizes), tuple(map(retyped, node.inputs))
            inferred = op.infer(*(value.type for value in inputs))
            types |= {out.name: type_ for out, type_ in zip(node.outputs, inferred, strict=True)}
            outputs = tuple(map(retyped, node.outputs))
            nodes.append(replace(node, op=op, inputs=inputs, outputs=outputs))
        return replace(
            graph,
            inputs=tuple(map(retyped, graph.inputs)),
            outputs=tuple(map(retyped, graph.outputs)),
            nodes=tuple(nodes),
        )

    return bind


def _bound(shape: Shape, sizes: Mapping[str, int]) -> Shape:
    return tuple(sizes.get(dim, dim) if isinstance(dim, str) else dim for dim in shape)


def _bind_fields(op: Any, sizes: Mapping[str, int]) -> Any:
    if "shape" not in {field.name for field in fields(op)}:
        return op
    return replace(op, shape=_bound(op.shape, sizes))
