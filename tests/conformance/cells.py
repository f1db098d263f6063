"""The cells of the matrix: a case of a layer in a format, against Keras."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from kspec.compiler.ir import Array, Graph
from kspec.compiler.passes import run_passes
from kspec.compiler.passes.common import COMMON
from kspec.compiler.reference import evaluate
from kspec.schemas.layers import FAMILIES
from tests.cases import CASES, Case
from tests.conformance.artifacts import FORMATS, TOLERANCE, RefusedError, Rows, run, worst_error
from tests.conformance.expected import IN_FLOAT64, fault, refusal


def _numbered() -> Iterator[tuple[str, Case]]:
    """Cases by ids of their own: those of a layer may stand in several places."""
    seen: Counter[str] = Counter()
    for case in CASES:
        yield f"{case.key}-{seen[case.key]}", case
        seen[case.key] += 1


BY_ID = dict(_numbered())


@dataclass(frozen=True, slots=True)
class Subject:
    """A case as a graph, with rows and what Keras makes of them."""

    graph: Graph
    folded: Graph
    batches: tuple[Rows, ...]
    expected: tuple[Array, ...]


def matrix(*families: str) -> Callable[[Any], Any]:
    """Parametrises a test by the cells of these families; the formats of a case follow it."""
    keys = {key for family in families for key in FAMILIES[family]}
    return pytest.mark.parametrize(("id_", "format_"), list(_cells(keys)))


def _cells(keys: set[str]) -> Iterator[Any]:
    for id_, case in BY_ID.items():
        for name in FORMATS if case.key in keys else ():
            wrong = fault(id_, name)
            marks = [pytest.mark.xfail(reason=wrong, strict=True)] if wrong else []
            yield pytest.param(id_, name, id=f"{id_}-{name}", marks=marks)


def check(id_: str, format_: str) -> None:
    """The cell is what the table says: refused for that reason, or right at batch 1 and 3."""
    reason, found = refusal(id_, format_), _refusal(id_, format_)
    if reason is None:
        assert found is None, "is refused, and the table of expected refusals does not say so"
    else:
        assert found is not None, "works now: take it out of the table of expected refusals"
        assert reason in found


def _refusal(id_: str, format_: str) -> str | None:
    """Why the cell is refused; None after it was found to be right."""
    subject = subject_of(id_)
    if isinstance(subject, str):
        return subject
    try:
        results = run(format_, subject.folded, subject.batches)
    except RefusedError as refused:
        return str(refused)
    for rows, outputs, expected in zip(subject.batches, results, subject.expected, strict=True):
        (found,) = outputs.values()
        referee = expected
        if id_ in IN_FLOAT64:
            (referee,) = evaluate(subject.graph, rows, precision=np.float64).values()
            assert worst_error(expected, referee) <= 1e-4, "Keras is not near the reference"
        assert worst_error(found, referee) <= TOLERANCE
    return None


@lru_cache(maxsize=2)
def subject_of(id_: str) -> Subject | str:
    """The case in Keras, with random weights and statistics; why it does not trace."""
    import keras

    from kspec.compiler.trace import TraceError, trace
    from kspec.models.keras_model import call_layer, make_layer, randomize

    case = BY_ID[id_]
    keras.utils.set_random_seed(7)
    inputs = [
        keras.Input(
            [size if isinstance(size, int) else None for size in shape],
            name=f"x{place}",
            dtype=case.dtype,
        )
        for place, shape in enumerate(case.shapes)
    ]
    layer = case.layer()
    output = call_layer(make_layer(layer, "layer"), layer, inputs)
    try:
        model = keras.Model({each.name: each for each in inputs}, {"out": output})
    except ValueError as error:  # a layer that gives its very input cannot stand by itself
        return str(error)
    randomize(model, seed=1)
    try:
        graph = trace(model, shapes=_shapes(case))
    except TraceError as error:
        return str(error)
    batches = tuple(
        {f"x{place}": each for place, each in enumerate(case.rows(count, seed=count))}
        for count in (1, 3)
    )
    expected = tuple(np.asarray(model(rows, training=False)["out"]) for rows in batches)
    return Subject(graph, run_passes(graph, COMMON), batches, expected)


def _shapes(case: Case) -> dict[str, Any]:
    """The shapes with the batch, and a name for each size that varies."""
    return {
        f"x{place}": ("batch", *(f"size{i}" if dim is None else dim for i, dim in enumerate(shape)))
        for place, shape in enumerate(case.shapes)
    }
