"""The verifier: every graph passes, and each broken invariant is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from kspec.compiler import ops
from kspec.compiler.ir import DType, Graph, Node, TensorType, Value
from kspec.compiler.verifier import IrError, verify
from tests.graphs import ALL_GRAPHS, Builder, GraphCase


@pytest.mark.parametrize("case", ALL_GRAPHS, ids=lambda case: case.id)
def test_sound_graphs_pass(case: GraphCase) -> None:
    verify(case.graph)


def _sound() -> Graph:
    build = Builder("sound")
    x, y = build.input("x", "batch", 3), build.random("c", 3)
    hidden = build.add("hidden", ops.Add(), x, y)
    return build.case(build.add("out", ops.Relu(), hidden)).graph


def _replace_node(index: int, **changes: object) -> Callable[[Graph], Graph]:
    def change(graph: Graph) -> Graph:
        nodes = list(graph.nodes)
        nodes[index] = replace(nodes[index], **changes)
        return graph.with_nodes(tuple(nodes))

    return change


def _value(name: str, *shape: int | str, dtype: DType = DType.float32) -> Value:
    return Value(name, TensorType(dtype, shape))


_X = _value("x", "batch", 3)
_BROKEN: dict[str, tuple[Callable[[Graph], Graph], str]] = {
    "not defined": (_replace_node(1, inputs=(_value("z", "batch", 3),)), "node 'out'.*'z'"),
    "used before it is defined": (lambda g: g.with_nodes(g.nodes[::-1]), "node 'out'.*'hidden'"),
    "defined twice": (_replace_node(1, outputs=(_value("hidden", "batch", 3),)), "'hidden'.*twice"),
    "named as a constant": (_replace_node(1, outputs=(_value("c", "batch", 3),)), "'c'.*twice"),
    "input named as a constant": (lambda g: replace(g, inputs=(_value("c", 3),)), "'c'.*twice"),
    "empty name": (_replace_node(1, outputs=(_value("", "batch", 3),)), "empty name"),
    "empty name of a constant": (
        lambda g: g.with_nodes(g.nodes, {**g.constants, "": np.zeros(1)}),
        "empty name",
    ),
    "two types of a value": (_replace_node(0, inputs=(_X, _value("c", 1))), "node 'hidden'.*c:"),
    "constant of another type": (
        lambda g: g.with_nodes(g.nodes, {"c": np.zeros(3)}),
        "node 'hidden'.*c: float32.*float64",
    ),
    "constant of strings": (
        lambda g: g.with_nodes(g.nodes, {"c": np.array(["a"])}),
        "'c' is not an array",
    ),
    "constant that is not an array": (
        lambda g: g.with_nodes(g.nodes, {"c": np.float32(1)}),
        "'c' is not an array",
    ),
    "not what is inferred": (_replace_node(1, outputs=(_value("out", 3),)), "node 'out'.*infers"),
    "refused by the operation": (
        _replace_node(1, op=ops.Transpose((0, 0))),
        r"node 'out' \(Transpose\): perm",
    ),
    "no output": (lambda g: g.with_nodes((Node(ops.Relu(), (_X,), ()),)), "no output"),
    "output that nothing gives": (
        lambda g: replace(g, outputs=(_value("z", 3),)),
        "outputs reads 'z'",
    ),
    "output listed twice": (lambda g: replace(g, outputs=g.outputs * 2), "'out' is listed twice"),
}


@pytest.mark.parametrize(("change", "message"), _BROKEN.values(), ids=_BROKEN.keys())
def test_broken_graphs_are_named(change: Callable[[Graph], Graph], message: str) -> None:
    with pytest.raises(IrError, match=message):
        verify(change(_sound()))
