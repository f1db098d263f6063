"""Transposes of many axes, written with few: equal to NumPy's for any permutation."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from kspec.compiler import ops
from kspec.compiler.ir import Dim, Graph
from kspec.compiler.passes.narrow_transposes import narrow_transposes
from kspec.compiler.reference import evaluate
from kspec.compiler.verifier import verify
from kspec.targets.formats.coreml.format import CoreML
from kspec.targets.formats.coreml.options import CoreMLOptions
from kspec.targets.formats.coreml.run import CoreMLRunner
from tests.graphs import Builder


def permuted(
    shape: tuple[Dim, ...], perm: tuple[int, ...], *between: ops.Op, batch: str | int = "batch"
) -> Graph:
    """[batch, elements] split into the shape, permuted, and flattened again."""
    build = Builder("permuted")
    count = int(np.prod([dim for dim in shape if isinstance(dim, int)]))
    x = build.input("x", batch, count)
    x = build.add("split", ops.Reshape(shape), x)
    for place, op in enumerate(between):
        x = build.add(f"between{place}", op, x)
    x = build.add("moved", ops.Transpose(perm), x)
    first, rest = x.shape[0], x.shape[1:]
    names = [dim for dim in rest if isinstance(dim, str)]
    number = int(np.prod([dim for dim in rest if isinstance(dim, int)]))
    flat = "*".join([*names, str(number)]) if names else number
    return build.case(build.add("flat", ops.Reshape((first, flat)), x)).graph


def drawn(rank: int, seed: int) -> tuple[tuple[Dim, ...], tuple[int, ...]]:
    generator = np.random.default_rng([rank, seed])
    sizes = generator.choice((1, 2, 2, 3), rank - 1).tolist()
    return ("batch", *sizes), tuple(generator.permutation(rank).tolist())


@pytest.mark.parametrize("rank", [6, 7, 8, 10])
@pytest.mark.parametrize("most", [4, 5])
def test_any_permutation_of_six_and_more_axes(rank: int, most: int) -> None:
    for seed in range(40):
        graph = permuted(*drawn(rank, seed))
        narrow = narrow_transposes(most)(graph)
        verify(narrow)
        assert max(value.type.rank for value in narrow.values()) <= most
        count = int(graph.inputs[0].shape[1])
        inputs = {"x": np.arange(3 * count, dtype=np.float32).reshape(3, count)}
        expected, found = evaluate(graph, inputs), evaluate(narrow, inputs)
        np.testing.assert_array_equal(found["flat"], expected["flat"])


def test_the_usual_forms_take_one_transpose() -> None:
    forms: dict[str, tuple[tuple[Dim, ...], tuple[int, ...]]] = {
        "pixel shuffle": (("batch", 3, 4, 2, 2, 5), (0, 1, 3, 2, 4, 5)),
        "space to depth": (("batch", 3, 2, 4, 2, 5), (0, 1, 3, 2, 4, 5)),
        "windows": (("batch", 2, 4, 3, 4, 6), (0, 1, 3, 2, 4, 5)),
        "windows of a volume": (("batch", 2, 3, 2, 3, 2, 3, 4), (0, 1, 3, 5, 2, 4, 6, 7)),
    }
    for name, (shape, perm) in forms.items():
        narrow = narrow_transposes(5)(permuted(shape, perm))
        count = [type(node.op) for node in narrow.nodes].count(ops.Transpose)
        assert count == (2 if "volume" in name else 1), name
        dims = {dim for value in narrow.values() for dim in value.shape if isinstance(dim, str)}
        assert "volume" in name or dims == {"batch"}  # which is measured on the input


def test_elementwise_operations_between_take_part_and_others_stay() -> None:
    shape, perm = ("batch", 2, 2, 3, 2, 2), (0, 1, 3, 2, 5, 4)
    between = (ops.Relu(), ops.Transpose((0, 2, 1, 3, 4, 5)), ops.Tanh())
    graph = permuted(shape, perm, *between)
    narrow = narrow_transposes(5)(graph)
    assert max(value.type.rank for value in narrow.values()) <= 5
    inputs = {"x": np.random.default_rng(0).normal(size=(2, 48)).astype(np.float32)}
    np.testing.assert_array_equal(evaluate(narrow, inputs)["flat"], evaluate(graph, inputs)["flat"])
    build = Builder("wide")
    x = build.input("x", 2, 2, 2, 2, 2, 2)
    wide = build.case(build.add("y", ops.Mean((1,), False), x)).graph
    assert narrow_transposes(5)(wide) == wide


@pytest.mark.parametrize("rank", [6, 7, 8])
def test_core_ml_runs_them(rank: int, tmp_path: Path) -> None:
    options = CoreMLOptions(largest_dimension=8)
    for seed, batch in itertools.product((1, 2, 3), (None, 2)):
        graph = permuted(*drawn(rank, seed))
        chosen = options.model_copy(update={"batch": batch})
        lowered = CoreML().lower(graph, chosen)
        assert CoreML().refusals(lowered, chosen) == ()
        path = tmp_path / f"{seed}-{batch}.mlpackage"
        CoreML().write(lowered, path, chosen)
        count = int(graph.inputs[0].shape[1])
        inputs = {"x": np.arange(2 * count, dtype=np.float32).reshape(2, count)}
        (expected,) = evaluate(graph, inputs).values()
        np.testing.assert_array_equal(CoreMLRunner(path)(inputs)["flat"], expected)
