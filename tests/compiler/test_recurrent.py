"""Recurrent operations and loops: forms, passes, and comparison with Keras."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kspec.compiler import ops
from kspec.compiler.file import digest, load, save
from kspec.compiler.ir import Graph
from kspec.compiler.parser import parse_graph
from kspec.compiler.passes import run_passes
from kspec.compiler.passes.bind_dimensions import bind_dimensions
from kspec.compiler.passes.channels_first import channels_first
from kspec.compiler.passes.common import COMMON
from kspec.compiler.passes.decompose import decompose
from kspec.compiler.passes.loops import loops
from kspec.compiler.passes.unroll import unroll
from kspec.compiler.reference import evaluate
from kspec.compiler.text import format_graph
from kspec.compiler.verifier import verify
from tests.graphs import RECURRENT, RECURRENT_SYMBOLIC, GraphCase, feeds

CASES = (*RECURRENT, *RECURRENT_SYMBOLIC)
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)

as_loops = loops(lambda _node, _graph: False)


def agree(case: GraphCase, graph: Graph, *, batch: int = 3, time: int = 5) -> None:
    verify(graph)
    inputs = feeds(case, batch, time=time)
    expected = evaluate(case.graph, inputs, precision=np.float64)
    for name, found in evaluate(graph, inputs, precision=np.float64).items():
        np.testing.assert_allclose(found, expected[name], rtol=1e-12, atol=1e-12, strict=True)


@every_case
def test_forms(case: GraphCase, tmp_path: Path) -> None:
    verify(case.graph)
    text = format_graph(case.graph)
    parsed = parse_graph(text, case.graph.constants)
    assert replace(parsed, constants={}) == replace(case.graph, constants={})
    assert format_graph(parsed) == text
    save(case.graph, tmp_path / "graph")
    assert replace(load(tmp_path / "graph"), constants={}) == replace(case.graph, constants={})
    assert digest(load(tmp_path / "graph")) == digest(case.graph)


@every_case
def test_loops_do_the_same(case: GraphCase) -> None:
    looped = as_loops(case.graph)
    assert not any(isinstance(node.op, ops.Recurrent) for node in looped.nodes)
    agree(case, looped)
    agree(case, run_passes(looped, (*COMMON, channels_first, decompose(ops.Linear))))


@every_case
def test_unrolled_does_the_same(case: GraphCase) -> None:
    bound = bind_dimensions({"batch": 3, "time": 5})(as_loops(case.graph))
    verify(bound)
    unrolled = run_passes(unroll()(bound), COMMON)
    assert not any(isinstance(node.op, ops.Scan) for node in unrolled.nodes)
    agree(case, unrolled)


@pytest.mark.parametrize("case", RECURRENT_SYMBOLIC, ids=lambda case: case.id)
def test_a_symbolic_time_stays_a_loop(case: GraphCase) -> None:
    graph = unroll()(as_loops(case.graph))
    assert any(isinstance(node.op, ops.Scan) for node in graph.nodes)
    agree(case, graph, batch=1, time=9)
