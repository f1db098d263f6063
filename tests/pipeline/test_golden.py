"""Golden rows show faults: every channel that some row shows, and each fault in each artifact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kspec.compiler import ops
from kspec.compiler.ir import Array, Graph
from kspec.compiler.reference import evaluate
from kspec.compiler.replay import Replay, downstream
from kspec.pipeline.proof.constant import Training, answers_a_constant
from kspec.pipeline.proof.golden import COUNT, MOST, choose_rows, insensitive
from kspec.pipeline.proof.reference import Reference
from kspec.pipeline.proof.rows import Rows
from kspec.pipeline.proof.sensitivity import (
    FAULT,
    Channel,
    Coverage,
    Scale,
    channels_of,
    cover,
    sampled,
    shown,
)
from kspec.pipeline.proof.verdict import ELSEWHERE, bundle_tolerances
from kspec.targets.formats.format import Tolerance
from tests.graphs.builder import Builder
from tests.pipeline.faults import undetected

WIDTH = 12


def classifier(gain: float) -> Graph:
    """Two layers and a softmax; a great gain makes it sure of nearly every row."""
    build = Builder("classifier")
    x = build.input("x", "batch", 6)
    hidden = build.add("hidden/matmul", ops.MatMul(), x, build.random("hidden/kernel", 6, WIDTH))
    bias = build.random("hidden/bias", WIDTH)
    hidden = build.add("hidden", ops.Relu(), build.add("hidden/add", ops.Add(), hidden, bias))
    kernel = build.random("top/kernel", WIDTH, 4, low=-gain, high=gain)
    top = build.add("top/matmul", ops.MatMul(), hidden, kernel)
    biased = build.add("top/add", ops.Add(), top, build.random("top/bias", 4))
    return build.case(build.add("top", ops.Softmax(-1), biased)).graph


def rows_of(count: int, seed: int, size: float = 1.0) -> dict[str, Array]:
    drawn = np.random.default_rng(seed)
    return {"x": (size * drawn.normal(size=(count, 6))).astype(np.float32)}


def reference_of(graph: Graph) -> Reference:
    return Reference(graph, lambda rows: evaluate(graph, rows))


def test_a_replay_is_an_evaluation() -> None:
    graph, rows = classifier(1.0), rows_of(5, 0)
    replay = Replay(graph, rows)
    for channel in channels_of(graph):
        array = channel.faulty(graph)
        changed = replace(graph, constants={**graph.constants, channel.constant: array})
        found = replay.with_constant(channel.constant, array)
        for name, each in evaluate(changed, rows).items():
            np.testing.assert_array_equal(found[name], each)
        assert (array != graph.constants[channel.constant]).sum() in (1, 6, WIDTH)
    assert len(downstream(graph, "top/bias")) == 2
    assert len(channels_of(graph)) == WIDTH + WIDTH + 4 + 4


def test_a_saturated_classifier_gets_rows_that_see() -> None:
    """Rows of ordinary size leave the softmax at 1, whatever the weights are."""
    graph = classifier(60.0)
    sure = rows_of(300, 1, size=3.0)
    near = rows_of(64, 2, size=0.05)
    golden = choose_rows(reference_of(graph), sure, [0, 1, 2], near)
    assert golden.problems == ()
    found = golden.coverage
    assert found.tested == found.channels == 2 * WIDTH + 8
    assert found.seen == found.able > 0.9 * found.tested
    assert COUNT <= found.rows == len(golden.rows) <= MOST
    again = choose_rows(reference_of(graph), sure, [0, 1, 2], near)
    assert again.coverage == found
    np.testing.assert_array_equal(again.rows.inputs["x"], golden.rows.inputs["x"])
    scale = Scale({"top": ELSEWHERE}, {"top": 1.0})
    even = {"x": sure["x"][::10]}
    before = shown(graph, even, channels_of(graph), scale).any(axis=1).sum()
    assert before < found.seen


def test_without_a_split_all_rows_are_drawn() -> None:
    golden = choose_rows(reference_of(classifier(1.0)), None, (), rows_of(64, 2))
    assert golden.coverage.drawn == golden.coverage.rows == len(golden.rows) == COUNT
    assert golden.coverage.share == 1.0


def test_dead_weights_are_not_missed() -> None:
    graph = classifier(1.0)
    dead = replace(graph, constants={**graph.constants, "top/kernel": np.zeros((WIDTH, 4), "f4")})
    golden = choose_rows(reference_of(dead), rows_of(50, 1), [0], rows_of(8, 2))
    assert golden.coverage.able == 4, "the last bias"
    assert golden.coverage.share == 1.0
    assert golden.coverage.silent == () or set(golden.coverage.silent) <= {"layer"}


def test_cover() -> None:
    found = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0]], bool)
    assert cover(found, 9) == [0, 1]
    assert cover(found, 1) == [0]


def test_a_large_network_is_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kspec.pipeline.proof.sensitivity.BUDGET", 5e6)
    graph = classifier(1.0)
    found = sampled(graph, channels_of(graph), Replay(graph, rows_of(4, 0)))
    assert {each.constant for each in found} == set(graph.constants)
    assert len(found) < len(channels_of(graph))


def test_too_little_coverage_is_refused() -> None:
    few = Coverage(40, 40, 40, 30, 32, 0, unseen={"a": 3, "top": 7})
    (problem,) = insensitive(few)
    assert problem.code == "KS760"
    assert "30 of 40" in problem.message
    assert "'top': 7" in problem.message
    assert insensitive(replace(few, seen=39)) == ()
    assert insensitive(replace(few, able=0, seen=0)) == ()


@pytest.mark.parametrize(
    ("training", "words"),
    [
        (Training(({"accuracy": 0.97, "val_accuracy": 0.33, "loss": 0.1},), 30, 0.99), "74%"),
        (Training(({"loss": 1.0}, {"loss": 1.0}), 5000, None), "the loss was 1"),
        (Training(({"loss": 1.0}, {"loss": 0.5}), 5000, None), "gives 0 for every row"),
    ],
)
def test_why_a_model_answers_a_constant(training: Training, words: str) -> None:
    build = Builder("dead")
    x = build.input("x", "batch", 6)
    scale = np.float32([-1 if "gives 0" in words else 1])
    y = build.add("y", ops.Relu(), build.add("m", ops.Multiply(), x, build.constant("s", scale)))
    graph, inputs = build.case(y).graph, {"x": np.ones((3, 6), np.float32)}
    problem = answers_a_constant(graph, Rows(inputs, {}), training)
    assert problem.code == "KS724"
    assert words in problem.message
    assert problem.help


@pytest.mark.parametrize("format_", ["onnx", "tflite", "coreml", "tf_serving"])
def test_every_fault_in_an_artifact_is_detected(format_: str, tmp_path: Path) -> None:
    """By the golden rows alone: the file is written with one wrong channel, and run."""
    graph = classifier(20.0)
    golden = choose_rows(reference_of(graph), rows_of(200, 1, 3.0), [0], rows_of(64, 2, 0.3))
    found = undetected(graph, golden.rows, format_, 6, tmp_path)
    assert found == []


def test_the_tolerance_of_self_tests_is_the_one_that_is_shown() -> None:
    graph = classifier(1.0)
    golden = choose_rows(reference_of(graph), rows_of(60, 1), [0], rows_of(8, 2))
    right: Mapping[str, Array] = golden.rows.expected
    least = {"top": Tolerance()}
    tolerances = bundle_tolerances(least, {"top": 1.0}, golden.rows.yardsticks)
    channel = Channel("top/bias", 1)
    assert channel.faulty(graph)[1] == pytest.approx(graph.constants["top/bias"][1] * FAULT)
    outputs = Replay(graph, golden.rows.inputs).with_constant("top/bias", channel.faulty(graph))
    assert Scale.of(tolerances, right).reaction(outputs, right).max() > 2
