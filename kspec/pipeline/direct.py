"""A Keras model without a spec → verified artifacts."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from kspec.compiler.ir import Array, Graph
from kspec.compiler.passes import run_passes
from kspec.compiler.passes.common import COMMON
from kspec.compiler.reference import EvaluationError
from kspec.features.samples import draw_rows
from kspec.pipeline.bundles.artifacts import place_artifact
from kspec.pipeline.proof.comparison import CLEAR, variation, varies
from kspec.pipeline.proof.constant import ignores_inputs
from kspec.pipeline.proof.reference import Reference
from kspec.pipeline.proof.rows import Rows
from kspec.pipeline.proof.verification import verify_artifact
from kspec.pipeline.results import Artifact
from kspec.pipeline.store.artifacts import digest_artifact
from kspec.pipeline.store.targets import described
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.targets.emission import artifact_name, emit
from kspec.targets.registry import formats as known_formats
from kspec.targets.request import ArtifactRequest

ROWS = 6
"""Number of random rows if the caller passes none."""
HELP = (
    "train the model, or give rows that it tells apart: `rows={...}`, or `kspec emit --rows FILE`"
)
STRENGTHS = (1.0, 1e2, 1e4, 1e6, 1e8)
"""Factors on random rows, tried in this order until the outputs differ: in an untrained deep model
with BatchNormalization the signal may vanish."""


def compile_keras(
    model: Any,
    formats: Sequence[str] = (),
    out: str | Path = "dist",
    *,
    name: str | None = None,
    rows: Mapping[str, Array] | None = None,
    dimensions: Mapping[str, int] | None = None,
) -> tuple[Artifact, ...]:
    """Compile a built Keras model to artifacts in ``out``, each run in a process of its own and
    compared with the model. Without ``formats`` it is compiled to every format.

    ``rows`` are arrays of shape (rows, …) by input, on which the outputs are compared. Without
    them, random rows are drawn in the range that the operations on each input expect.
    ``dimensions`` are sizes of symbolic dimensions by name, ``<input>_<axis>``, for a format with
    fixed shapes, TFLite; by default, the sizes in ``rows``. Other formats keep them symbolic.

    Raises KspecError, and then nothing in ``out`` has changed: KS711 for a layer that cannot be
    lowered, KS710 for a layer that a format cannot express, KS720 and KS721 for an artifact that
    differs or does not run, KS722 if the model answers the same for all rows, KS723 if the
    graph itself differs from the model, KS739 to KS746 for unusable rows and
    models. Layers of mixed precision are compiled, and compared, in float32. A model with
    a fixed batch becomes an artifact that takes any number of rows, if its rows are independent.
    """
    from kspec.models.answers import check_outputs, fitted, traced

    unknown = [each for each in formats if each not in known_formats()]
    if unknown:
        raise KspecError(
            Diagnostic(
                "KS712",
                f"there is no format {unknown[0]!r}",
                help=f"known are {', '.join(known_formats())}",
            )
        )
    graph = traced(model, name, rows)
    check_outputs(graph)
    given = None if rows is None else fitted(graph, rows)
    _check_dimensions(graph, dimensions or {})
    sizes = {**({} if given is None else sizes_of(graph, given)), **(dimensions or {})}
    judged = _judged(model, graph, _drawn(model, graph, sizes) if given is None else given)
    return write_verified(graph, judged, formats or tuple(known_formats()), Path(out), sizes)


def _drawn(model: Any, graph: Graph, sizes: Mapping[str, int]) -> dict[str, Array]:
    """Return the first rows that the model separates clearly, or else the best separated rows."""
    from kspec.models.answers import answers, fixed_batch

    count = ROWS * (fixed_batch(model) or 1)
    best: tuple[float, dict[str, Array]] = (-1.0, {})
    for strength in STRENGTHS:
        rows = draw_rows(graph, count, sizes=sizes, strength=strength)
        apart = variation(answers(model, graph, rows))
        best = max(best, (apart, rows), key=lambda each: each[0])
        if best[0] >= CLEAR:
            break
    return best[1]


def sizes_of(graph: Graph, rows: Mapping[str, Array]) -> dict[str, int]:
    """Return the sizes, in the rows, of the symbolic dimensions of a graph except the batch."""
    return {
        dim: size
        for value in graph.inputs
        for dim, size in zip(value.shape[1:], rows[value.name].shape[1:], strict=True)
        if isinstance(dim, str)
    }


def write_verified(
    graph: Graph, rows: Rows, formats: Sequence[str], out: Path, sizes: Mapping[str, int]
) -> tuple[Artifact, ...]:
    """Emit a traced graph in each format, verify every artifact, and only then place them."""
    folded = run_passes(graph, COMMON)
    problems: list[Diagnostic] = []
    found: list[Artifact] = []
    with tempfile.TemporaryDirectory(prefix="kspec-") as folder:
        for each in formats:
            format_ = known_formats()[each]
            options = format_.sized(format_.options.model_validate({}), sizes)
            request = ArtifactRequest(each, options)
            path = Path(folder, artifact_name(graph.name, request))
            try:
                found.append(_write_verified(graph, folded, request, path, rows))
            except KspecError as error:
                problems.extend(error.diagnostics)
        if problems:
            raise KspecError(*problems)
        return tuple(place_artifact(artifact, out) for artifact in found)


def _write_verified(
    graph: Graph, folded: Graph, request: ArtifactRequest, path: Path, rows: Rows
) -> Artifact:
    started = time.process_time()
    written = emit(folded, request, path)
    seconds = time.process_time() - started
    result = verify_artifact(path, request, rows, {}, graph)
    if not result.passed:
        raise KspecError(*result.problems)
    digest = digest_artifact(path, written.files)
    return Artifact(
        target=request.format,
        format=request.format,
        path=path,
        sha256=digest.sha256,
        bytes=digest.bytes,
        files=digest.files,
        options=described(request)["options"],
        seconds=seconds,
        **result.facts(),
    )


def _judged(model: Any, graph: Graph, rows: Mapping[str, Array]) -> Rows:
    """Return the rows with the exact outputs, after checking the graph against the model."""
    from kspec.models.answers import answers, check_rows_apart

    check_rows_apart(model, graph, rows)
    predict = partial(answers, model, graph)
    try:
        judged, problems = Reference(graph, predict).proven(dict(rows))
    except EvaluationError as error:
        predict(rows)  # raises for rows that the model itself refuses
        raise KspecError(
            Diagnostic("KS740", f"the model's graph cannot be evaluated on these rows: {error}")
        ) from error
    if not varies(judged.expected):
        raise KspecError(replace(ignores_inputs(HELP), route=()))
    if problems:
        raise KspecError(*problems)
    return judged


def _check_dimensions(graph: Graph, dimensions: Mapping[str, int]) -> None:
    """Raise KspecError KS745 for each name that is not a symbolic dimension, or size that is not
    positive."""
    known = {dim for value in graph.inputs for dim in value.shape[1:] if isinstance(dim, str)}
    if problems := [
        Diagnostic(
            "KS745",
            f"dimensions: {name!r} is {size!r}" if name in known else f"dimensions: {name!r}",
            help="sizes above zero, of "
            + (", ".join(sorted(known)) or "nothing: the model leaves no size open"),
        )
        for name, size in dimensions.items()
        if name not in known or isinstance(size, bool) or not isinstance(size, int) or size < 1
    ]:
        raise KspecError(*problems)
