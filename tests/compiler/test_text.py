"""The text form: its look, round trips, and refused texts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kspec.compiler import ops
from kspec.compiler.ir import DType, Graph, Origin, TensorType
from kspec.compiler.parser import IrTextError, parse_graph
from kspec.compiler.text import format_graph
from kspec.compiler.verifier import IrError
from tests.graphs import ALL_GRAPHS, Builder, GraphCase

_EXAMPLE = """\
graph digits(pixels: float32[batch, 8, 8, 1]) -> (digit: float32[batch, 10])
const conv2d/kernel: float32[3, 3, 1, 2]
const dense/kernel: float32[2, 10]
conv2d: float32[batch, 8, 8, 2] = Conv(pixels, conv2d/kernel, strides=[1, 1], \
padding=[[1, 1], [1, 1]], channels="last", dilations=[1, 1]) @ conv2d [network, 0, conv2d]
pooled: float32[batch, 2] = Max(conv2d, axes=[1, 2])
digit: float32[batch, 10] = Linear(pooled, dense/kernel, activation="relu") @ digit []
"""


def _without_elements(graph: Graph) -> tuple[Graph, dict[str, TensorType]]:
    types = {name: TensorType.of(array) for name, array in graph.constants.items()}
    return replace(graph, constants={}), types


@pytest.mark.parametrize("case", ALL_GRAPHS, ids=lambda case: case.id)
def test_round_trip(case: GraphCase) -> None:
    text = format_graph(case.graph)
    parsed = parse_graph(text)
    assert _without_elements(parsed) == _without_elements(case.graph)
    assert format_graph(parsed) == text


def test_example() -> None:
    graph = parse_graph(_EXAMPLE)
    assert format_graph(graph) == _EXAMPLE
    conv, pooled, digit = graph.nodes
    assert conv.origin == Origin("conv2d", ("network", 0, "conv2d"))
    assert (pooled.origin, digit.origin) == (Origin(), Origin("digit"))
    assert not graph.constants["dense/kernel"].any()
    kernel = np.ones((2, 10), np.float32)
    assert parse_graph(_EXAMPLE, {"dense/kernel": kernel}).constants["dense/kernel"] is kernel


def test_names_that_need_quotes() -> None:
    build = Builder("const")
    x = build.input('a "b"\n:0', "batch", 3)
    y = build.add("const", ops.Pad((0, 1), (0, 0), value=float("-inf")), x)
    odd = build.add("ü, = @", ops.Slice((1,), (0,), (None,), (1,)), y)
    infinite = build.add("inf", ops.Abs(), y)
    case = build.case(odd, infinite, build.add("-inf", ops.Cast(DType.int32), y))
    text = format_graph(case.graph)
    assert len(text.splitlines()) == 5
    assert parse_graph(text) == case.graph


_HEADER = "graph g(x: float32[batch, 3]) -> (y: float32[batch, 3])\n"
_REFUSED = {
    "nothing": ("", "line 1: no graph"),
    "no header": ("y: float32[3] = Relu(x)", "line 1: expected graph, found y"),
    "sign": (_HEADER + "y: float32[batch, 3] = Relu(x);", "line 2: unexpected ;"),
    "half a line": (_HEADER + "y: float32[batch", "line 2: it ends too early"),
    "element type": (_HEADER + "y: float31[batch, 3] = Relu(x)", "no element type is called"),
    "operation": (_HEADER + "y: float32[batch, 3] = System(x)", "no operation is called"),
    "field": (_HEADER + "y: float32[batch, 3] = Relu(x, a=1)", "Relu has no field a"),
    "field's type": (_HEADER + "y: float32[batch, 3] = Elu(x, alpha=[1])", "Elu.alpha"),
    "field missing": (_HEADER + "y: float32[batch, 3] = Softmax(x)", "Softmax lacks axis"),
    "not a literal": (_HEADER + "y: float32[batch, 3] = Elu(x, alpha=open)", "is not a literal"),
    "undefined": (_HEADER + "y: float32[batch, 3] = Relu(z)", "z is not defined above"),
    "more": (_HEADER + "y: float32[batch, 3] = Relu(x) x", "line 2: unexpected x"),
    "constant": (_HEADER + "\n# one\nconst c: float32[batch]", "line 4: a constant of unknown"),
}


@pytest.mark.parametrize(("text", "message"), _REFUSED.values(), ids=_REFUSED.keys())
def test_other_texts_are_refused(text: str, message: str) -> None:
    with pytest.raises(IrTextError) as caught:
        parse_graph(text)
    assert message in str(caught.value)


def test_a_parsed_graph_is_verified() -> None:
    with pytest.raises(IrError, match="node 'y'"):
        parse_graph(_HEADER + "y: float32[batch, 3] = Transpose(x, perm=[1, 0])")
