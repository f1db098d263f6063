"""The rule by which an artifact agrees with the trained model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kspec.compiler import ops
from kspec.compiler.ir import Array, Graph
from kspec.compiler.reference import evaluate
from kspec.features.kinds import decision_of
from kspec.pipeline.proof.comparison import compare, scale_of
from kspec.pipeline.proof.reference import Reference
from kspec.pipeline.proof.verdict import (
    PEAK,
    RMS,
    Yardstick,
    bundle_tolerances,
    measure,
    widest,
    within,
)
from kspec.schemas.features import Output
from kspec.targets.formats.format import Tolerance
from tests.graphs.builder import Builder

LEAST = Tolerance()
REFERENCE = np.linspace(-1, 1, 24).reshape(8, 3)


def off(error: Array | float) -> Array:
    return REFERENCE + error


@given(st.floats(1e-4, 1e-2), st.integers(0, 23))
def test_the_peak_and_the_mean_both_count(own: float, place: int) -> None:
    noise = np.full(24, own).reshape(8, 3)
    yardstick = measure(REFERENCE, off(noise))
    assert (yardstick.peak, yardstick.rms) == pytest.approx((own, own))
    assert within(off(noise * RMS * 0.99), REFERENCE, LEAST, 1.0, yardstick)
    assert not within(off(noise * RMS * 1.01), REFERENCE, LEAST, 1.0, yardstick)
    single = np.zeros(24)
    single[place] = own * PEAK
    assert within(off(0.99 * single.reshape(8, 3)), REFERENCE, LEAST, 1.0, yardstick)
    assert not within(off(1.01 * single.reshape(8, 3)), REFERENCE, LEAST, 1.0, yardstick)


@given(st.sampled_from([np.nan, np.inf, -np.inf]), st.integers(0, 23))
def test_no_yardstick_excuses_what_is_not_finite(broken: float, place: int) -> None:
    found = REFERENCE.copy()
    found.reshape(-1)[place] = broken
    generous = Yardstick(1e300, 1e300)
    assert not within(found, REFERENCE, LEAST, 1.0, generous)
    assert not within(REFERENCE, found, LEAST, 1.0, generous)
    assert within(found, found, LEAST, 1.0) == (not np.isnan(broken))
    assert measure(REFERENCE, found, off(0.5)) == Yardstick(0.5, 0.5)


@given(hnp.arrays(np.float64, (8, 3), elements=st.floats(-1, 1)))
def test_the_floor_holds_without_a_yardstick(noise: Array) -> None:
    band = LEAST.atol + LEAST.rtol * np.abs(REFERENCE)
    assert within(off(noise * band * 0.999), REFERENCE, LEAST)


def test_a_decision_within_the_allowed_error_is_a_tie() -> None:
    output = Output.model_validate({"category": {"labels": ["a", "b"]}, "column": "y"})
    decision = decision_of(output)
    assert decision is not None
    reference = np.array([[0.5001, 0.4999], [0.9, 0.1]])
    found = np.array([[0.4999, 0.5001], [0.1, 0.9]])
    for own, flips in ((1e-6, 2), (1e-4, 1)):
        yardsticks = {"y": Yardstick(own, own)}
        result = compare({"y": found}, {"y": reference}, {"y": decision}, {"y": LEAST}, yardsticks)
        assert result.flips == flips


@given(st.floats(1e-9, 1e-2), st.floats(0.01, 1.0))
def test_a_bundle_admits_what_the_build_admits(peak: float, scale: float) -> None:
    """By the clients' formula, for outputs of each size."""
    reference = REFERENCE * scale
    scales = {"y": scale_of(reference)}
    tolerance = bundle_tolerances({"y": LEAST}, scales, {"y": Yardstick(peak, peak)})["y"]
    allowed = tolerance.atol * scale_of(reference) + tolerance.rtol * np.abs(reference)
    assert (allowed >= PEAK * peak * (1 - 1e-9)).all()
    assert (allowed >= 1e-5 * scale * (1 - 1e-9)).all()


def test_each_output_has_a_tolerance_of_its_own() -> None:
    """A large error of rounding in one output does not widen the tolerance of another."""
    least = {"wide": LEAST, "narrow": LEAST, "half": Tolerance(1e-2, 1e-2)}
    scales = {"wide": 1.0, "narrow": 0.5, "half": 1.0}
    found = bundle_tolerances(least, scales, {"wide": Yardstick(1e-3, 1e-4)})
    assert found == {
        "wide": Tolerance(PEAK * 1e-3, 1e-5),
        "narrow": Tolerance(1e-5, 1e-5),
        "half": Tolerance(1e-2, 1e-2),
    }
    reference = {name: np.array([[1.0, 0.5]]) for name in ("wide", "narrow")}
    moved = {name: each + 1e-3 for name, each in reference.items()}
    decisions: dict[str, None] = dict.fromkeys(reference)
    assert not compare(moved, reference, decisions, found).within
    assert compare({**reference, "wide": moved["wide"]}, reference, decisions, found).within


def test_the_widest_yardstick() -> None:
    found = widest(({"y": Yardstick(1, 4)}, {"y": Yardstick(3, 2), "z": Yardstick(5, 6)}))
    assert found == {"y": Yardstick(3, 4), "z": Yardstick(5, 6)}


@pytest.fixture(scope="module")
def graph() -> Graph:
    """A deep network: rounding grows over 30 layers."""
    build = Builder("deep")
    x = build.input("x", "batch", 16)
    for depth in range(30):
        kernel = build.random(f"kernel{depth}", 16, 16, low=-0.7, high=0.7)
        product = build.add(f"product{depth}", ops.MatMul(), x, kernel)
        x = build.add(f"layer{depth}", ops.Tanh(), product)
    return build.case(x).graph


def other_float32(graph: Graph, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """As another runtime rounds: each weight is off by up to one unit in its last place."""
    moved = {name: np.nextafter(array, np.float32(2)) for name, array in graph.constants.items()}
    return evaluate(replace(graph, constants=moved), inputs)


def test_a_right_trace_passes_and_a_wrong_one_does_not_excuse_itself(graph: Graph) -> None:
    rows = {"x": np.random.default_rng(1).normal(size=(12, 16)).astype(np.float32)}
    judged, problems = Reference(graph, lambda given: other_float32(graph, given)).proven(rows)
    assert problems == ()
    (own,) = judged.yardsticks.values()
    assert 0 < own.rms <= own.peak < 1e-4
    (name, kernel), *_ = graph.constants.items()
    wrong = replace(graph, constants={**graph.constants, name: kernel * np.float32(1.001)})
    _, problems = Reference(graph, lambda given: other_float32(wrong, given)).proven(rows)
    assert [each.code for each in problems] == ["KS723"]


def test_an_output_that_rounding_decides_is_refused() -> None:
    build = Builder("cancelled")
    x, large = build.input("x", "batch", 4), build.constant("large", np.float32([1e8]))
    back = build.add("y", ops.Subtract(), build.add("sum", ops.Add(), x, large), large)
    graph = build.case(back).graph
    rows = {"x": np.random.default_rng(1).normal(size=(12, 4)).astype(np.float32)}
    _, problems = Reference(graph, lambda given: evaluate(graph, given)).proven(rows)
    assert [each.code for each in problems] == ["KS723"]
    assert "float32 does not determine" in problems[0].message


MIXING: Mapping[str, ops.Op] = {
    "mean": ops.Mean((0,), keepdims=True),
    "max": ops.Max((0,), keepdims=True),
    "running sum": ops.CumSum(0),
    "reversed order": ops.Reverse((0,)),
}


@pytest.mark.parametrize("share", [1.0, 1e-3])
@pytest.mark.parametrize("name", MIXING)
def test_rows_that_depend_on_each_other_are_refused(name: str, share: float) -> None:
    """A weak dependence too: in Keras' error row by row it would look like rounding."""
    build = Builder(name)
    x = build.input("x", "batch", 4)
    mixed = build.add("mixed", MIXING[name], build.add("before", ops.Tanh(), x))
    part = build.add("part", ops.Multiply(), mixed, build.constant("share", np.float32([share])))
    graph = build.case(build.add("y", ops.Add(), x, part)).graph
    rows = {"x": np.random.default_rng(1).normal(size=(12, 4)).astype(np.float32)}
    _, problems = Reference(graph, lambda given: evaluate(graph, given)).proven(rows)
    assert [each.code for each in problems] == ["KS744"]
    assert "output 'y' of a row depends on the other rows of its batch" in problems[0].message
    layer = next(each.origin.layer for each in graph.nodes if each.name == "mixed")
    assert f"layer {layer!r}" in problems[0].message


def test_rows_alone_give_what_they_give_in_a_batch(graph: Graph) -> None:
    rows = {"x": np.random.default_rng(2).normal(size=(70, 16)).astype(np.float32)}
    for count in (1, 2, 64, 65, 70):
        given = {"x": rows["x"][:count]}
        _, problems = Reference(graph, lambda each: evaluate(graph, each)).proven(given)
        assert problems == ()
