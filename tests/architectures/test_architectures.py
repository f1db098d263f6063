"""Whole networks from Keras to each format, run there, against Keras and a float64 evaluation.

The heaviest are written as ONNX alone here; ``make bench`` takes all of them in all formats, at
their published sizes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from kspec.compiler import ops
from kspec.compiler.ir import Array, Graph
from kspec.compiler.passes import run_passes
from kspec.compiler.passes.common import COMMON
from kspec.compiler.reference import evaluate
from kspec.compiler.verifier import verify
from tests.architectures.networks import ARCHITECTURES, Architecture
from tests.conformance.artifacts import FORMATS, TOLERANCE, lower, run, worst_error

keras = pytest.importorskip("keras")

from kspec.compiler.trace import trace  # noqa: E402
from kspec.models.keras_model import randomize  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:The structure of `inputs`")

CASES = [
    (name, each)
    for name, architecture in ARCHITECTURES.items()
    for each in (FORMATS[:1] if architecture.heavy else FORMATS)
]
NOISE = 1e-4
"""How much of it a fair network may have."""
UNEVEN = 100
"""How many times larger its greatest element an output's differences must be to say something."""


@dataclass(frozen=True, slots=True)
class Compiled:
    architecture: Architecture
    graph: Graph
    folded: Graph
    rows: Mapping[str, Array]
    expected: Mapping[str, Array]
    """By Keras."""
    exact: Mapping[str, Array]
    """By the traced graph, in float64."""

    @property
    def noise(self) -> dict[str, float]:
        """How far rounding to float32 takes Keras itself from the exact outputs."""
        return {name: scaled_error(each, self.exact[name]) for name, each in self.expected.items()}


@pytest.fixture(scope="module")
def compiled(request: pytest.FixtureRequest) -> Compiled:
    architecture = ARCHITECTURES[request.param]
    model = architecture.model(architecture.small)
    rows = architecture.rows(model, 1)
    graph = trace(model)
    given = [rows[tensor.name] for tensor in model.inputs]
    results = keras.tree.flatten(model(given if len(given) > 1 else given[0], training=False))
    names = [value.name for value in graph.outputs]
    expected = {name: np.asarray(each) for name, each in zip(names, results, strict=True)}
    exact = evaluate(graph, rows, precision=np.float64)
    return Compiled(architecture, graph, run_passes(graph, COMMON), rows, expected, exact)


def agree(
    found: Mapping[str, Array], expected: Mapping[str, Array], noise: Mapping[str, float]
) -> None:
    """Within the tolerance of each element, and of the greatest one where all are small, unless
    Keras' own rounding is more: deep networks have some."""
    for name, reference in expected.items():
        limit = max(TOLERANCE, 3 * noise[name])
        assert worst_error(found[name], reference) <= limit, name
        assert scaled_error(found[name], reference) <= limit, name


def scaled_error(found: Array, reference: Array) -> float:
    """The largest difference, as a part of the greatest element."""
    return float(np.abs(found - reference).max() / np.abs(reference).max())


@pytest.mark.parametrize("compiled", ARCHITECTURES, indirect=True, scope="module")
def test_trace(compiled: Compiled) -> None:
    assert max(compiled.noise.values()) <= NOISE
    agree(compiled.expected, compiled.exact, compiled.noise)
    for name, value in compiled.exact.items():
        assert UNEVEN * np.ptp(value) > np.abs(value).max() or value.size == 1, f"{name} is flat"
    verify(compiled.folded)


@pytest.mark.parametrize(("compiled", "format_"), CASES, indirect=["compiled"], scope="module")
def test_format(compiled: Compiled, format_: str) -> None:
    (found,) = run(format_, compiled.folded, [compiled.rows])
    agree(found, compiled.expected, compiled.noise)
    agree(found, compiled.exact, compiled.noise)


@pytest.mark.parametrize(
    "compiled",
    [name for name, each in ARCHITECTURES.items() if each.cnn],
    indirect=True,
    scope="module",
)
@pytest.mark.parametrize("format_", FORMATS)
def test_no_transpose_inside(compiled: Compiled, format_: str) -> None:
    """One where a picture comes in, one where a picture goes out; none in formats that keep
    channels last."""
    lowered = lower(format_, compiled.folded)
    count = sum(isinstance(node.op, ops.Transpose) for node in lowered.nodes)
    doors = [*_pictures(compiled.graph.inputs), *_pictures(compiled.graph.outputs)]
    first = format_ in ("onnx", "coreml")
    assert count <= (len(doors) if first else 0)


def test_pictures_of_any_size() -> None:
    """Where ``same`` pads before the first stride depends on the size, which the graph leaves
    open; TFLite takes it when it is written."""
    model = keras.applications.MobileNetV3Small(weights=None)
    randomize(model)
    folded = run_passes(trace(model), COMMON)
    (pixels,) = folded.inputs
    assert pixels.shape[1:] == (f"{pixels.name}_1", f"{pixels.name}_2", 3)
    for sides in ((64, 81), (75, 48)):
        rows = {pixels.name: np.random.default_rng(0).uniform(0, 255, (1, *sides, 3))}
        rows = {name: array.astype(np.float32) for name, array in rows.items()}
        expected = {"predictions": np.asarray(model(rows[pixels.name], training=False))}
        for name in FORMATS:
            (found,) = run(name, folded, [rows])
            agree(found, expected, {"predictions": TOLERANCE})


def _pictures(values: tuple[Any, ...]) -> Iterator[Any]:
    return (value for value in values if value.type.rank > 2 and value.shape[-1] != 1)
