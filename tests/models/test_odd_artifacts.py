"""Artifacts of models of unusual kinds are right in every format, or refused by a diagnostic."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from kspec.compiler.passes import run_passes  # noqa: E402
from kspec.compiler.passes.common import COMMON  # noqa: E402
from kspec.models.answers import answers, fitted, traced  # noqa: E402
from kspec.spec.diagnostics import KspecError  # noqa: E402
from kspec.targets.emission import emit  # noqa: E402
from kspec.targets.registry import formats  # noqa: E402
from kspec.targets.request import ArtifactRequest  # noqa: E402
from tests.conformance.artifacts import run, worst_error  # noqa: E402
from tests.models.odd import COMPILED, Odd, integers, numbers, of, whole  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:The structure of `inputs`")

TELLING = (
    "dict of inputs", "outputs of one layer", "states", "one layer, two outputs", "a choice",
    "row placed at 3", "part of a batch", "mixed_bfloat16", "uint32", "lookup, multi hot",
    "enlarged 2 channels_last",
)  # fmt: skip


def of_integers(x: Any) -> Any:
    ops = keras.ops
    return [ops.absolute(x), ops.sign(x), ops.clip(x, -3, 5), ops.max(x, -1), -x // 2]


MODELS = (
    *(each for each in COMPILED if each.id in TELLING),
    *(
        Odd(f"{dtype} computed", integers(dtype, of_integers), whole(dtype, -9))
        for dtype in ("int8", "int32", "int64")
    ),
    Odd("seven axes", lambda: of(seven_axes, 64), numbers(3, 64)),
    Odd("booleans", lambda: of(lambda x: [x > 0, keras.ops.any(x > 1, -1)]), numbers(3, 4)),
)


def seven_axes(x: Any) -> Any:
    return keras.ops.transpose(keras.ops.reshape(x, (-1, 2, 2, 2, 2, 2, 2)), (0, 6, 1, 5, 2, 4, 3))


@pytest.mark.parametrize("name", formats())
@pytest.mark.parametrize("odd", MODELS, ids=lambda odd: odd.id)
def test_an_artifact_is_right_or_refused_by_name(odd: Odd, name: str, tmp_path: Any) -> None:
    model = odd.model()
    assert odd.rows is not None
    given = odd.rows(np.random.default_rng(0))
    graph = traced(model, rows=given)
    rows = fitted(graph, given)
    sizes = {
        dim: size
        for value in graph.inputs
        for dim, size in zip(value.shape, rows[value.name].shape, strict=True)
        if isinstance(dim, str)
    }
    folded, format_ = run_passes(graph, COMMON), formats()[name]
    request = ArtifactRequest(name, format_.sized(format_.options(), sizes))
    try:
        emit(folded, request, tmp_path / f"model{format_.suffix}")
    except KspecError as error:
        for problem in error.diagnostics:
            assert problem.code == "KS710", problem
            assert "layer" in problem.message
            assert problem.help
        return
    (found,) = run(name, folded, [rows])
    for output, expected in answers(model, graph, rows).items():
        assert worst_error(found[output], expected) <= 1e-5
