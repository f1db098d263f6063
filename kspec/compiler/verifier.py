"""The check of the IR's invariants, which every pass may assume and must preserve."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from kspec.compiler.ir import DType, Graph, Node, TensorType, Value
from kspec.compiler.ops import Scan


class IrError(Exception):
    """A graph that breaks an invariant of the IR: a bug in a pass, or a damaged file."""


_ELEMENTS = frozenset(DType.__members__.values())


def verify(graph: Graph) -> None:
    """Raise IrError, which names the node or value, unless names are unique and not empty, every
    value is defined before its use and has one type everywhere, constants match their types, and
    each node's outputs have the types that its operation infers."""
    types = _signature(graph)
    for node in graph.nodes:
        where = _name(node)
        for value in node.inputs:
            _expect_known(value, types, where)
        if isinstance(node.op, Scan):
            _verify_body(node.op.body, where)
        inferred = _infer(node, where)
        if tuple(each.type for each in node.outputs) != inferred:
            found = ", ".join(map(str, node.outputs))
            raise IrError(f"{where} declares ({found}), infers ({', '.join(map(str, inferred))})")
        _define(node.outputs, types, where)
    for value in graph.outputs:
        _expect_known(value, types, "the graph's outputs")
    _expect_unique(graph.outputs, "output")


def _verify_body(body: Graph, where: str) -> None:
    try:
        verify(body)
    except IrError as error:
        raise IrError(f"{where}, in its body: {error}") from error


def _signature(graph: Graph) -> dict[str, TensorType]:
    types: dict[str, TensorType] = {}
    for name, array in graph.constants.items():
        if not name:
            raise IrError("a constant has an empty name")
        if not isinstance(array, np.ndarray) or array.dtype.name not in _ELEMENTS:
            raise IrError(
                f"constant {name!r} is not an array of a known element type: {array!r:.80}"
            )
        types[name] = TensorType.of(array)
    _define(graph.inputs, types, "the graph's inputs")
    return types


def _name(node: Node) -> str:
    if not node.outputs:
        raise IrError(f"a node of {type(node.op).__name__} has no output")
    return f"node {node.name!r} ({type(node.op).__name__})"


def _define(values: Iterable[Value], types: dict[str, TensorType], where: str) -> None:
    for value in values:
        if not value.name:
            raise IrError(f"{where}: a value has an empty name")
        if value.name in types:
            raise IrError(f"{where}: the name {value.name!r} is defined twice")
        types[value.name] = value.type


def _expect_known(value: Value, types: dict[str, TensorType], where: str) -> None:
    known = types.get(value.name)
    if known is None:
        raise IrError(f"{where} reads {value.name!r}, which nothing before it defines")
    if known != value.type:
        raise IrError(f"{where} reads {value}, but its type is {known}")


def _infer(node: Node, where: str) -> tuple[TensorType, ...]:
    try:
        return node.op.infer(*(value.type for value in node.inputs))
    except (ValueError, LookupError, TypeError, ArithmeticError) as error:
        # A type rule assumes consistent fields; a damaged file may have inconsistent ones.
        raise IrError(f"{where}: {error}") from error


def _expect_unique(values: Iterable[Value], kind: str) -> None:
    seen: set[str] = set()
    for value in values:
        if value.name in seen:
            raise IrError(f"the {kind} {value.name!r} is listed twice")
        seen.add(value.name)
