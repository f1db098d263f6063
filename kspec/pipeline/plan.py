"""The proof before training: every format is written with random weights, and run."""

from __future__ import annotations

import tempfile
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np

from kspec.compiler.ir import Graph
from kspec.compiler.passes import run_passes
from kspec.compiler.passes.common import COMMON
from kspec.features.kinds import decisions_of
from kspec.models.prediction import predict
from kspec.pipeline.proof.comparison import varies
from kspec.pipeline.proof.drawn import draw_inputs
from kspec.pipeline.proof.reference import Reference
from kspec.pipeline.proof.rows import Rows
from kspec.pipeline.proof.verification import verify_artifact
from kspec.pipeline.results import Plan, TargetPlan
from kspec.pipeline.store.artifacts import digest_artifact
from kspec.pipeline.store.keys import Keys
from kspec.pipeline.workshop import Workshop
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.document import Document
from kspec.targets.emission import artifact_name, emit
from kspec.targets.platforms.platform import ArtifactRequest

ROWS = 8


def prove(shop: Workshop, keys: Keys) -> Plan:
    """Build the network with random weights and statistics, trace it, emit every artifact that the
    targets ask for, run each, and compare. Raises KspecError with the problems of all formats."""
    graph, rows = random_network(shop)
    problems: list[Diagnostic] = []
    folded = run_passes(graph, COMMON)
    found: list[TargetPlan] = []
    for request in keys.requests:
        try:
            found.append(_prove(graph, folded, request, rows, shop.document))
        except KspecError as error:
            problems.extend(error.diagnostics)
    if problems:
        raise KspecError(*problems, document=shop.document)
    parameters = sum(int(np.prod(v.shape)) for v in shop.model.weights)
    return Plan(parameters, len(shop.document.steps), tuple(found))


def _prove(
    graph: Graph,
    folded: Graph,
    request: ArtifactRequest,
    rows: Rows,
    document: Document,
) -> TargetPlan:
    before = Counter(type(node.op).__name__ for node in folded.nodes)
    with tempfile.TemporaryDirectory(prefix="kspec-plan-") as folder:
        path = Path(folder, artifact_name(document.spec.name, request))
        written = emit(folded, request, path)
        size = digest_artifact(path, written.files).bytes
        verification = verify_artifact(path, request, rows, decisions_of(document.spec), graph)
    if not verification.passed:
        raise KspecError(*verification.problems)
    assert verification.comparison is not None
    assert verification.run is not None
    return TargetPlan(
        request.format,
        (),
        dict(sorted((op, count) for op, count in before.items() if op in written.operations)),
        dict(sorted((op, count) for op, count in before.items() if op not in written.operations)),
        size,
        verification.comparison.worst_error,
        verification.run.runtime,
    )


def random_network(shop: Workshop) -> tuple[Graph, Rows]:
    from kspec.compiler.trace import TraceError
    from kspec.models.keras_model import build_model, randomize, settle, trace_document

    document = shop.document
    model = build_model(document)
    randomize(model)
    inputs = draw_inputs(document.spec, ROWS, shop.sizes)
    settle(model, inputs)
    try:
        graph = trace_document(model, document)
    except TraceError as error:
        raise KspecError(
            Diagnostic(
                "KS711", f"layer {error.layer!r} cannot be compiled: {error.message}", error.route
            ),
            document=document,
        ) from error
    rows, problems = Reference(graph, partial(predict, model)).proven(inputs)
    if problems:
        raise KspecError(*problems, document=document)
    if not varies(rows.expected):
        raise KspecError(
            Diagnostic(
                "KS722",
                "the network answers the same for every input, whatever its weights:"
                " nothing can be proven",
                ("network",),
                help="look for a layer that drops its input",
            ),
            document=document,
        )
    return graph, rows
