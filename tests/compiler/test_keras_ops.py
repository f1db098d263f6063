"""Every operation of ``keras.ops``: lowered with Keras' results, or refused with a reason."""

from __future__ import annotations

import numpy as np
import pytest

from kspec.compiler.passes import run_passes
from kspec.compiler.passes.common import COMMON
from kspec.compiler.reference import evaluate
from kspec.compiler.verifier import verify

keras = pytest.importorskip("keras")

from keras import ops as k  # noqa: E402

from kspec.compiler.rules import RULES  # noqa: E402
from kspec.compiler.trace import TraceError, trace  # noqa: E402
from tests.compiler.keras_ops import CASES, REFUSED, Case, classes_of  # noqa: E402
from tests.compiler.operations import OPERATIONS, WITHOUT_A_CLASS  # noqa: E402


def test_every_operation_is_decided() -> None:
    assert len(OPERATIONS) > 330
    undecided = {each.__name__ for each in OPERATIONS if each not in RULES} - {
        each.__name__ for each in RULES.refused
    }
    assert not undecided


def test_every_public_function_has_a_decided_class_or_needs_none() -> None:
    names = {each.__name__.lower() for each in OPERATIONS}
    public = {name for name in dir(k) if not name.startswith("_")}
    assert {name for name in public if name.replace("_", "") not in names} == set(WITHOUT_A_CLASS)


def test_every_lowered_operation_has_a_case() -> None:
    covered = {each for case in CASES for each in classes_of(case)}
    lowered = {each for each in OPERATIONS if each in RULES}
    # No function makes the first two; Keras cannot call the third, which its layers hold to Keras.
    assert {each.__name__ for each in lowered - covered} == {"Abs", "Conj", "ConvTranspose"}


@pytest.mark.filterwarnings("ignore:The structure of `inputs`")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_it_is_what_keras_computes(case: Case) -> None:
    model = case.model()
    graph = trace(model, shapes=case.symbols())
    verify(graph)
    folded = run_passes(graph, COMMON)
    verify(folded)
    for batch in (1, 3):
        rows = case.rows(batch)
        given = [*rows.values()] if len(rows) > 1 else next(iter(rows.values()))
        expected = [np.asarray(each) for each in keras.tree.flatten(model(given))]
        exact = evaluate(graph, rows, precision=np.float64)
        for form in (graph, folded):
            found = evaluate(form, rows)
            for value, reference in zip(form.outputs, expected, strict=True):
                array, true = found[value.name], exact[value.name]
                assert array.shape == reference.shape
                assert array.dtype == reference.dtype
                assert_near(array, reference, true)


def assert_near(array: np.ndarray, reference: np.ndarray, exact: np.ndarray) -> None:
    """Require equal integers, and floats within float32 precision of Keras or the exact result."""
    if array.dtype.kind != "f":
        np.testing.assert_array_equal(array, reference)
        return
    tolerance = {"rtol": 2e-5, "atol": 1e-5}
    near = np.isclose(array, reference, equal_nan=True, **tolerance)
    near |= np.isclose(array, exact, equal_nan=True, **tolerance)
    assert near.all(), (array[~near], reference[~near])
    np.testing.assert_allclose(exact, reference, rtol=1e-4, atol=5e-5)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.id)
def test_what_is_refused_is_named_with_a_reason(case: Case) -> None:
    with pytest.raises(TraceError, match=case.refused):
        trace(case.model(), shapes=case.symbols())


def test_a_name_for_each_reason() -> None:
    operations = set(OPERATIONS)
    assert all(len(reason) > 20 for each, reason in RULES.refused.items() if each in operations)
