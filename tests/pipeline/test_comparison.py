"""How an artifact's outputs are judged: what must hold for all numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kspec.features.decision import Decision
from kspec.pipeline.proof.comparison import compare, errors_of, scale_of, varies
from kspec.pipeline.proof.metrics import metric_names, task_metrics
from kspec.pipeline.proof.verdict import within
from kspec.targets.formats.format import Tolerance

TOLERANCE = Tolerance()
FINITE = st.floats(-1e6, 1e6, width=32)
ANY = st.floats(width=32)
LABELS = Decision(labels=("a", "b", "c"))
YES_NO = Decision.binary(("no", "yes"))
LOGIT = Decision.binary(("no", "yes"), "logits")
SIZE: Decision | None = None


def arrays(elements: st.SearchStrategy[float] = FINITE) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.float32, (4, 3), elements=elements)


def judged(found: np.ndarray, reference: np.ndarray, output: Decision | None = SIZE) -> Any:
    return compare({"y": found}, {"y": reference}, {"y": output}, {"y": TOLERANCE})


@given(arrays())
def test_equal_outputs_pass(reference: np.ndarray) -> None:
    result = judged(reference.copy(), reference)
    assert (result.worst_error, result.within, result.flips, result.rows) == (0, True, 0, 4)


@given(arrays(), arrays(), st.floats(1, 100))
def test_a_greater_difference_is_never_judged_better(
    reference: np.ndarray, difference: np.ndarray, factor: float
) -> None:
    exact = reference.astype(np.float64)
    near, far = (judged(exact + difference * by, exact) for by in (1, factor))
    assert far.worst_error >= near.worst_error * (1 - 1e-9)
    assert near.within or not far.within


@given(arrays(), hnp.arrays(np.float64, (4, 3), elements=st.floats(-1, 1)))
def test_what_is_within_has_a_small_error(reference: np.ndarray, noise: np.ndarray) -> None:
    exact = reference.astype(np.float64)
    assume(scale_of(exact) > 1e-30)
    band = TOLERANCE.atol * scale_of(exact) + TOLERANCE.rtol * np.abs(exact)
    result = judged(exact + noise * band * 0.999, exact)
    assert result.within
    assert result.worst_error <= TOLERANCE.atol + TOLERANCE.rtol


@given(arrays(), st.integers(0, 3), st.integers(0, 2), st.sampled_from([np.nan, np.inf, -np.inf]))
def test_what_is_not_finite_fails(
    reference: np.ndarray, row: int, column: int, broken: float
) -> None:
    found = reference.copy()
    found[row, column] = broken
    for pair in ((found, reference), (reference, found)):
        result = judged(*pair)
        assert not result.within
        assert result.worst_error == np.inf
        assert result.worst_row == row


@given(arrays(), st.sampled_from([np.inf, -np.inf]))
def test_an_infinity_equals_itself_alone(reference: np.ndarray, infinity: float) -> None:
    reference[1, 1] = infinity
    assert judged(reference.copy(), reference).within
    found = reference.copy()
    found[1, 1] = -infinity
    assert not judged(found, reference).within
    found[1, 1] = 3e38
    assert not judged(found, reference).within


@given(arrays(ANY), arrays(ANY))
def test_a_verdict_is_never_better_than_its_error(found: np.ndarray, reference: np.ndarray) -> None:
    result = judged(found, reference)
    assert not np.isnan(result.worst_error)
    assert not result.within or result.worst_error <= TOLERANCE.atol + TOLERANCE.rtol


@pytest.mark.parametrize("shape", [(4, 1), (4,), (3, 3), (4, 3, 1)])
def test_another_shape_fails(shape: tuple[int, ...]) -> None:
    result = judged(np.ones(shape, np.float32), np.ones((4, 3), np.float32))
    assert not result.within
    assert result.worst_error == np.inf


@given(st.floats(1e-6, 1e3))
def test_small_outputs_are_judged_by_their_own_size(size: float) -> None:
    reference = np.linspace(-1, 1, 12).reshape(4, 3) * size
    assert not within(reference * 1.001, reference, TOLERANCE, scale_of(reference))
    assert within(reference * 1.0000005, reference, TOLERANCE, scale_of(reference))
    by_size = errors_of(reference * 1.001, reference, scale_of(reference)).max()
    assert by_size == pytest.approx(1e-3, rel=1e-6) if size <= 1 else by_size <= 1.001e-3


@given(arrays(), arrays())
def test_rows_flip_where_the_label_differs_and_the_reference_is_decided(
    found: np.ndarray, reference: np.ndarray
) -> None:
    flipped = LABELS.flips(found, reference, atol=0.5)
    ordered = np.sort(reference.astype(np.float64), axis=1)
    for row in range(4):
        decided = ordered[row, -1] - ordered[row, -2] > 1
        same = found[row].argmax() == reference[row].argmax()
        assert flipped[row] == (decided and not same)


@pytest.mark.parametrize(
    ("found", "reference", "flipped"),
    [
        (0.4, 0.6, True),
        (0.6, 0.4, True),
        (0.9, 0.6, False),
        (0.4, 0.500001, False),
        (0.5, 0.6, True),
    ],
)
def test_binary_flips(found: float, reference: float, flipped: bool) -> None:
    rows = YES_NO.flips(np.array([[found]]), np.array([[reference]]), atol=1e-5)
    assert rows.tolist() == [flipped]
    on_logits = LOGIT.flips(np.array([[found - 0.5]]), np.array([[reference - 0.5]]), atol=1e-5)
    assert on_logits.tolist() == [flipped]


@pytest.mark.parametrize("output", [LABELS, YES_NO, LOGIT])
def test_a_nan_always_flips(output: Decision) -> None:
    reference = np.full((2, 3), 0.1)
    found = reference.copy()
    found[1] = np.nan
    assert output.flips(found, reference, atol=1e-5).tolist() == [False, True]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[1, 0], [1, 0]], False),
        ([[1, 0], [0.9, 0.1]], True),
        ([[1, 0], [1 + 1e-8, 0]], False),
        ([[1e-6, 0], [2e-6, 0]], True),
        ([[1e6, 0], [1e6 + 0.01, 0]], True),
        ([[np.nan, 0], [0, 0]], False),
    ],
)
def test_whether_outputs_vary(rows: list[list[float]], expected: bool) -> None:
    assert varies({"y": np.array(rows)}) == expected
    assert varies({"y": np.array(rows), "z": np.ones((2, 1))}) is False


def test_task_metrics() -> None:
    outputs = {"kind": LABELS, "yes": YES_NO, "size": SIZE}
    found = {
        "kind": np.array([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]]),
        "yes": np.array([[0.7], [0.2]]),
        "size": np.array([[1, 2, 3], [4, 5, 6]], np.float32),
    }
    truth = {
        "kind": np.array([1, 2]),
        "yes": np.array([[1.0], [0.0]]),
        "size": np.array([[1, 2, 3], [4, 5, 12]], np.float32),
    }
    metrics = task_metrics(found, truth, outputs)
    assert metrics == pytest.approx(
        {
            "kind_accuracy": 0.5,
            "yes_accuracy": 1.0,
            "size_mean_absolute_error": 1.0,
            "size_root_mean_squared_error": 6**0.5,
        }
    )
    assert set(metric_names(outputs)) == set(metrics)
    assert metric_names({"kind": LABELS}) == ("accuracy",)
