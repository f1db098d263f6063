"""The reference against TensorFlow in float64, and against itself in float32."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kspec.compiler import ops
from kspec.compiler.ir import DType
from kspec.compiler.reference import RULES, EvaluationError, evaluate
from kspec.compiler.reference.error_function import erf, erfc
from tests.graphs import ALL_GRAPHS, Builder, GraphCase, feeds


def test_every_operation_has_a_rule() -> None:
    assert set(RULES) == set(ops.OPS.values())


@pytest.mark.parametrize("case", ALL_GRAPHS, ids=lambda case: case.id)
def test_tensorflow_gives_the_same(case: GraphCase) -> None:
    from tests.compiler.referee import judge, tolerance

    inputs = feeds(case, batch=3, seed=1)
    bound = tolerance(case.graph)
    computed = evaluate(case.graph, inputs, precision=np.float64)
    for name, expected in judge(case.graph, inputs, {"batch": 3, "time": 5}).items():
        np.testing.assert_allclose(computed[name], expected, rtol=bound, atol=bound, strict=True)


@pytest.mark.parametrize("case", ALL_GRAPHS, ids=lambda case: case.id)
def test_float32_is_near_float64(case: GraphCase) -> None:
    inputs = feeds(case, batch=3)
    wide = evaluate(case.graph, inputs, precision=np.float64)
    for name, array in evaluate(case.graph, inputs).items():
        np.testing.assert_allclose(array, wide[name], rtol=2e-6, atol=2e-6)


def test_error_function() -> None:
    points = np.concatenate([np.linspace(-9, 26, 20001), [0.46875, -0.46875, 4.0, -4.0]])
    for ours, theirs, bound in ((erf, math.erf, 1e-15), (erfc, math.erfc, 1e-13)):
        expected = np.array([theirs(point) for point in points])
        np.testing.assert_allclose(ours(points), expected, rtol=bound, atol=0)
    np.testing.assert_array_equal(erf(np.array([np.inf, -np.inf, np.nan])), [1, -1, np.nan])


def test_values_are_kept_on_request() -> None:
    build = Builder("kept")
    x = build.input("x", "batch", 3)
    hidden = build.add("hidden", ops.Relu(), x)
    case = build.case(build.add("out", ops.Negative(), hidden))
    inputs = feeds(case, 2)
    assert set(evaluate(case.graph, inputs)) == {"out"}
    kept = evaluate(case.graph, inputs, keep=True)
    assert list(kept) == ["x", "hidden", "out"]
    np.testing.assert_array_equal(kept["out"], -np.maximum(inputs["x"], 0))


def test_extreme_values_pass_without_a_warning() -> None:
    build = Builder("extremes")
    x = build.input("x", "batch")
    outputs = [
        build.add(op.__name__, op(), x)
        for op in (ops.Exp, ops.Sigmoid, ops.Softplus, ops.Silu, ops.Mish, ops.Log, ops.Erf)
    ]
    case = build.case(*outputs)
    values = evaluate(case.graph, {"x": np.array([-1e4, 0, 1e4], np.float32)})
    np.testing.assert_array_equal(values["Exp"], [0, 1, np.inf])
    np.testing.assert_array_equal(values["Sigmoid"], [0, 0.5, 1])
    np.testing.assert_allclose(values["Softplus"], [0, math.log(2), 1e4], rtol=1e-7)
    np.testing.assert_array_equal(values["Silu"], [0, 0, 1e4])
    np.testing.assert_array_equal(values["Mish"], [0, 0, 1e4])
    np.testing.assert_array_equal(values["Log"], [np.nan, -np.inf, np.log(np.float32(1e4))])
    np.testing.assert_array_equal(values["Erf"], [-1, 0, 1])


def test_a_narrower_float_keeps_its_rounding_in_float64() -> None:
    build = Builder("half")
    half = build.add("half", ops.Cast(DType.float16), build.input("x", "batch"))
    case = build.case(build.add("out", ops.Cast(DType.float32), half))
    values = evaluate(case.graph, {"x": np.array([1 / 3], np.float32)}, precision=np.float64)
    assert values["out"].dtype == np.float64
    assert values["out"][0] == np.float16(1 / 3)


_ROWS = np.zeros((2, 3), np.float32)
_WRONG = {
    "missing": {"x": _ROWS},
    "not known": {"x": _ROWS, "y": _ROWS, "z": _ROWS},
    "element type": {"x": _ROWS, "y": _ROWS.astype(np.float64)},
    "rank": {"x": _ROWS, "y": _ROWS[0]},
    "size": {"x": _ROWS, "y": _ROWS[:, :2]},
    "two sizes of one name": {"x": _ROWS, "y": _ROWS[:1]},
}


@pytest.mark.parametrize("inputs", _WRONG.values(), ids=_WRONG.keys())
def test_inputs_of_another_type_are_refused(inputs: dict[str, np.ndarray]) -> None:
    build = Builder("sum")
    x, y = build.input("x", "batch", 3), build.input("y", "batch", 3)
    case = build.case(build.add("out", ops.Add(), x, y))
    with pytest.raises(EvaluationError):
        evaluate(case.graph, inputs)
