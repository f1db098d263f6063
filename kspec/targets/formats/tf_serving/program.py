"""Conversion of a graph to TensorFlow ops, in the current context: a function, a graph, or
eager."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import tensorflow as tf

from kspec.compiler import ops
from kspec.compiler.ir import Graph, Value
from kspec.compiler.table import Table
from kspec.targets.formats.rule import rule_of
from kspec.targets.formats.tf_serving.rules import Rule
from kspec.targets.formats.tf_serving.rules.loop import static

Tensor = Any


def apply(graph: Graph, rules: Table[Rule], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the outputs by name, for tensors of all inputs and constants."""
    values = dict(tensors)
    extents = _Extents(values)
    for value in graph.inputs:
        extents.locate(value)
    for node in graph.nodes:
        op: Any = node.op
        with rule_of(node, tf.errors.OpError), tf.name_scope(tensor_name(node.name)):
            inputs = [values[value.name] for value in node.inputs]
            if isinstance(op, ops.Reshape | ops.BroadcastTo):
                op = replace(op, shape=extents.shape(op))
            if isinstance(op, ops.Scan):
                results = rules[ops.Scan](op, partial(apply, op.body, rules), *inputs)
            else:
                results = [rules[type(op)](op, *inputs)]
        for value, result in zip(node.outputs, results, strict=True):
            # TensorFlow loses static sizes after a computed shape; the graph has them.
            result.set_shape(static(value.type))
            values[value.name] = result
            extents.locate(value)
    return {value.name: values[value.name] for value in graph.outputs}


def tensor_name(name: str) -> str:
    """Return a valid TensorFlow name; TensorFlow makes names unique itself."""
    return re.sub(r"^[^A-Za-z0-9.]|[^A-Za-z0-9_./-]|/$", ".", name)


class _Extents:
    """The sizes of symbolic dimensions at run time, each measured on the first tensor that has
    it."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._tensors = tensors
        self._places: dict[str, tuple[str, int]] = {}

    def locate(self, value: Value) -> None:
        for axis, dim in enumerate(value.shape):
            if isinstance(dim, str):
                self._places.setdefault(dim, (value.name, axis))

    def shape(self, op: ops.Reshape | ops.BroadcastTo) -> Any:
        """Return the op's shape with sizes for symbolic dimensions. One dimension of a Reshape is
        -1: the only symbolic one, or the only one that no tensor has yet (``time*4``)."""
        names = [dim for dim in op.shape if isinstance(dim, str)]
        fresh = [dim for dim in names if dim not in self._places]
        if isinstance(op, ops.Reshape) and 1 in (len(names), len(fresh)):
            rest = (fresh or names)[0]
            return tuple(
                -1 if dim == rest else self._measure(dim) if isinstance(dim, str) else dim
                for dim in op.shape
            )
        return tuple(self._measure(dim) if isinstance(dim, str) else dim for dim in op.shape)

    def _measure(self, dim: str) -> Tensor:
        if dim not in self._places:
            raise ValueError(f"no value has the dimension {dim} before it is needed")
        name, axis = self._places[dim]
        return tf.shape(self._tensors[name])[axis]
