"""Models of unusual kinds give Keras' answers, or are refused by a diagnostic that names why."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from kspec.compiler.passes import run_passes  # noqa: E402
from kspec.compiler.passes.common import COMMON  # noqa: E402
from kspec.compiler.reference import evaluate  # noqa: E402
from kspec.compiler.trace import trace  # noqa: E402
from kspec.compiler.verifier import verify  # noqa: E402
from kspec.models.answers import (  # noqa: E402
    answers,
    check_outputs,
    check_rows_apart,
    fitted,
    traced,
)
from kspec.spec.diagnostics import KspecError  # noqa: E402
from tests.models.odd import COMPILED, Odd  # noqa: E402
from tests.models.refused import REFUSED  # noqa: E402

pytestmark = pytest.mark.filterwarnings(
    "ignore:The structure of `inputs`", "ignore:Layer InputLayer does not have a `quantize`"
)


def judged(odd: Odd) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Keras' answers, and those of the graph before and after the passes."""
    model = odd.model()
    given = odd.rows(np.random.default_rng(0)) if odd.rows else None
    graph = traced(model, rows=given)
    if not odd.rows:
        check_outputs(graph)
    verify(graph)
    rows = fitted(graph, given or {})
    check_rows_apart(model, graph, rows)
    expected = answers(model, graph, rows)
    assert list(expected) == [value.name for value in graph.outputs]
    for form in (graph, run_passes(graph, COMMON)):
        found = evaluate(form, rows)
        for name, reference in expected.items():
            yield found[name], reference


@pytest.mark.parametrize("odd", COMPILED, ids=lambda odd: odd.id)
def test_it_is_what_keras_computes(odd: Odd) -> None:
    for found, reference in judged(odd):
        assert found.shape == reference.shape
        np.testing.assert_allclose(found, reference, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("odd", REFUSED, ids=lambda odd: odd.id)
def test_it_is_refused_by_name(odd: Odd) -> None:
    with pytest.raises(KspecError) as caught:
        list(judged(odd))
    problem = caught.value.diagnostics[0]
    assert problem.code == odd.code, problem
    shown = f"{problem.message} {problem.help or ''}"
    assert not [each for each in odd.words if each not in shown], shown
    assert "KerasTensor" not in shown
    assert len(shown) < 600


def test_inputs_and_outputs_keep_the_order_of_the_model() -> None:
    z, a = keras.Input((3,), name="z"), keras.Input((2,), name="a")
    outputs = {"y": keras.layers.Dense(2)(z), "b": [keras.layers.Dense(3)(a), a]}
    graph = trace(keras.Model({"z": z, "a": a}, outputs))
    assert [value.name for value in graph.inputs] == ["z", "a"]
    assert [value.name for value in graph.outputs] == ["y", "b_0", "b_1"]
    assert [value.shape for value in graph.outputs] == [("batch", 2), ("batch", 3), ("batch", 2)]


def test_two_threads_trace_at_once() -> None:
    """The functions of Keras that a trace replaces work in every other thread, and come back."""
    from keras.src import backend

    before = {name: getattr(backend.numpy, name) for name in ("arange", "full", "tile")}
    adding = keras.KerasTensor.__add__
    found: dict[int, Any] = {}

    def work(number: int) -> None:
        x = keras.Input((None, 4), name="x")
        layer = keras.layers.MultiHeadAttention(2, 3, name=f"attend_{number}")
        y = keras.layers.LSTM(3)(layer(x, x, use_causal_mask=True) + x)
        found[number] = str(trace(keras.Model(x, y, name=f"m{number}")).nodes[-1].op)

    threads = [Thread(target=work, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(found) == 6
    assert len(set(found.values())) == 1
    assert all(getattr(backend.numpy, name) is each for name, each in before.items())
    assert keras.KerasTensor.__add__ is adding
    assert not hasattr(keras.KerasTensor, "__array_ufunc__")
