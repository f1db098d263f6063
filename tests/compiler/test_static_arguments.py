"""Arguments of ``keras.ops`` that are computed, or of an unusual form: every argument of every
operation gets a value that the model computes, and is lowered or refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from kspec.compiler.reference import evaluate  # noqa: E402
from kspec.compiler.rules import CALLS, RULES  # noqa: E402
from kspec.compiler.trace import TraceError, trace  # noqa: E402
from kspec.compiler.tracer import Tracer  # noqa: E402
from kspec.models.answers import answers, fitted, traced  # noqa: E402
from tests.compiler.keras_ops import CASES, Case  # noqa: E402

FIRST = {type(each): case for case in reversed(CASES) for each in case.model().operations}
"""A case for each operation."""


def arguments(operation: Any) -> dict[str, Any]:
    return {name: each for name, each in vars(operation).items() if not name.startswith("_")}


class Substituting(Tracer):
    """Calls one operation with a computed value in the place of one argument."""

    def __init__(self, kind: type, place: str | int, *given: Any) -> None:
        super().__init__(*given)
        self.kind, self.place, self.reached = kind, place, False

    def apply(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        if type(operation) is not self.kind or self.reached:
            return super().apply(operation, *args, **kwargs)
        self.reached = True
        known = args[self.place] if isinstance(self.place, int) else None
        if not isinstance(known, np.ndarray) and not keras.ops.is_tensor(known):
            known = np.zeros((), np.int32)

        def depending(x: Any) -> Any:
            total = keras.ops.sum(keras.ops.cast(x, "float32"))
            return keras.ops.cast(0 * total, known.dtype) + known

        computed = self.record(depending, self.inputs[0])
        if isinstance(self.place, int):
            args = (*args[: self.place], computed, *args[self.place + 1 :])
            return super().apply(operation, *args, **kwargs)
        changed = object.__new__(type(operation))
        vars(changed).update({**vars(operation), self.place: computed})
        return super().apply(changed, *args, **kwargs)


def places(kind: type, case: Case) -> Iterator[str | int]:
    """The arguments that are known in a case: those of the constructor, and of the call."""
    operation = next(each for each in case.model().operations if type(each) is kind)
    yield from (name for name in arguments(operation) if name not in ("name", "dtype_policy"))
    for at, each in enumerate(operation._inbound_nodes[0].arguments.args):
        if not any(isinstance(x, keras.KerasTensor) for x in keras.tree.flatten(each)):
            yield at


def refusal(case: Case) -> TraceError | None:
    try:
        trace(case.model(), shapes=case.symbols())
    except TraceError as error:
        return error
    return None


OPERATIONS = [kind for kind in FIRST if kind in RULES and not issubclass(kind, keras.Layer)]


@pytest.mark.filterwarnings("ignore:The structure of `inputs`")
@pytest.mark.parametrize("kind", OPERATIONS, ids=lambda kind: kind.__name__)
def test_a_computed_argument_is_lowered_or_refused_by_name(
    kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = FIRST[kind]
    for place in places(kind, case):
        made: list[Substituting] = []

        def tracer(*given: Any, place: Any = place, made: Any = made) -> Tracer:
            made.append(Substituting(kind, place, *given))
            return made[-1]

        monkeypatch.setattr("kspec.compiler.trace.Tracer", tracer)
        error = refusal(case)
        assert made[-1].reached
        if error is None:
            continue
        shown = f"{kind.__name__}, {place}: {error.message}"
        assert error.code == "KS711", shown
        if isinstance(place, str):
            assert f"{kind.__name__}: `{place}` is computed" in error.message, shown


FORMS: dict[str, Any] = {
    "negative": lambda x: keras.ops.softmax(keras.ops.sum(x, axis=-2), axis=-1),
    "of NumPy": lambda x: keras.ops.cumsum(keras.ops.softmax(x, np.int64(1)), np.int32(1)),
    "a list": lambda x: keras.ops.transpose(keras.ops.mean(x, axis=[1], keepdims=True), [0, 2, 1]),
    "a tuple of one": lambda x: keras.ops.squeeze(keras.ops.max(x, axis=(1,), keepdims=True), (1,)),
    "a number of NumPy": lambda x: keras.ops.clip(x, np.float32(-0.5), np.float64(0.5)),
    "a tensor": lambda x: keras.ops.take(x, keras.ops.convert_to_tensor([1, 0]), axis=1),
    "an array": lambda x: keras.ops.pad(x, np.array([[0, 0], [1, 0], [0, 2]])),
    "a boolean of NumPy": lambda x: keras.ops.sum(x, axis=1, keepdims=np.bool_(True)),
}


@pytest.mark.parametrize("form", FORMS)
def test_arguments_of_unusual_forms(form: str) -> None:
    x = keras.Input((3, 4), name="x")
    model = keras.Model(x, FORMS[form](x))
    graph = traced(model)
    rows = fitted(graph, {"x": np.random.default_rng(0).normal(size=(2, 3, 4))})
    for name, expected in answers(model, graph, rows).items():
        np.testing.assert_allclose(evaluate(graph, rows)[name], expected, rtol=1e-5, atol=1e-6)


def test_the_tables_are_given_to_a_tracer() -> None:
    assert keras.layers.MultiHeadAttention in CALLS
    assert keras.layers.MultiHeadAttention not in RULES
