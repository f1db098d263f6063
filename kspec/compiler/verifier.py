"""The invariants of the IR, checked: what every pass may take for granted and must keep."""

from __future__ import annotations

from collections.abc import Iterable

from kspec.compiler.ir import Graph, Node, TensorType, Value


class IrError(Exception):
    """A graph breaks an invariant of the IR: a bug of a pass, or a damaged file."""


def verify(graph: Graph) -> None:
    """Raise IrError, naming the node or value, unless names are unique and not empty, every value
    is defined before it is used and has one type everywhere, constants are what their type says,
    and each node's outputs are what its operation infers."""
    types = _signature(graph)
    for node in graph.nodes:
        where = _name(node)
        for value in node.inputs:
            _expect_known(value, graph, types, where)
        inferred = _infer(node, where)
        if tuple(each.type for each in node.outputs) != inferred:
            found = ", ".join(map(str, node.outputs))
            raise IrError(f"{where} declares ({found}), infers ({', '.join(map(str, inferred))})")
        _define(node.outputs, graph, types, where)
    for value in graph.outputs:
        _expect_known(value, graph, types, "the graph's outputs")
    _expect_unique(graph.outputs, "output")


def _signature(graph: Graph) -> dict[str, TensorType]:
    types: dict[str, TensorType] = {}
    _define(graph.inputs, graph, types, "the graph's inputs")
    if "" in graph.constants:
        raise IrError("a constant has an empty name")
    return types


def _name(node: Node) -> str:
    if not node.outputs:
        raise IrError(f"a node of {type(node.op).__name__} has no output")
    return f"node {node.name!r} ({type(node.op).__name__})"


def _define(
    values: Iterable[Value], graph: Graph, types: dict[str, TensorType], where: str
) -> None:
    for value in values:
        if not value.name:
            raise IrError(f"{where}: a value has an empty name")
        if value.name in types or value.name in graph.constants:
            raise IrError(f"{where}: the name {value.name!r} is defined twice")
        types[value.name] = value.type


def _expect_known(value: Value, graph: Graph, types: dict[str, TensorType], where: str) -> None:
    array = graph.constant(value)
    known = types.get(value.name)
    if array is not None:
        try:
            known = TensorType.of(array)
        except ValueError as error:
            raise IrError(f"constant {value.name!r} has element type {array.dtype}") from error
    if known is None:
        raise IrError(f"{where} reads {value.name!r}, which nothing before it defines")
    if known != value.type:
        raise IrError(f"{where} reads {value}, but its type is {known}")


def _infer(node: Node, where: str) -> tuple[TensorType, ...]:
    try:
        return node.op.infer(*(value.type for value in node.inputs))
    except (ValueError, IndexError) as error:
        raise IrError(f"{where}: {error}") from error


def _expect_unique(values: Iterable[Value], kind: str) -> None:
    seen: set[str] = set()
    for value in values:
        if value.name in seen:
            raise IrError(f"the {kind} {value.name!r} is listed twice")
        seen.add(value.name)
