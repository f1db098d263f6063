"""The proof before training: every artifact is written with random weights, and run."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kspec.compiler.ir import Graph
from kspec.compiler.passes import run_passes
from kspec.compiler.passes.common import COMMON
from kspec.features.decision import Decisions
from kspec.features.kinds import decisions_of, ranges_of
from kspec.features.samples import draw_rows
from kspec.models.prediction import predict
from kspec.pipeline.proof.comparison import varies
from kspec.pipeline.proof.constant import ignores_inputs
from kspec.pipeline.proof.reference import Reference
from kspec.pipeline.proof.rows import Rows
from kspec.pipeline.proof.verification import verify_artifact
from kspec.pipeline.results import Plan, TargetPlan
from kspec.pipeline.store.artifacts import digest_artifact
from kspec.pipeline.store.keys import Keys
from kspec.pipeline.store.stages import processors
from kspec.pipeline.workshop import Workshop
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.document import Document
from kspec.targets.emission import HowToRun, Written, artifact_name, emit
from kspec.targets.request import ArtifactRequest

ROWS = 8


def prove(shop: Workshop, keys: Keys, tell: Callable[[str], None]) -> Plan:
    """Build the network with random weights and statistics, trace it, emit every artifact that the
    targets ask for, run each in a process of its own, and compare. ``tell`` is called before
    each step. Raises KspecError with the problems of all formats."""
    tell("build and trace the network")
    graph, rows, parameters = random_network(shop)
    folded = run_passes(graph, COMMON)
    proof = _Proof(graph, folded, rows, decisions_of(shop.document.spec))
    problems: list[Diagnostic] = []
    found: list[TargetPlan] = []
    with (
        tempfile.TemporaryDirectory(prefix="kspec-plan-") as folder,
        ThreadPoolExecutor(processors()) as pool,
    ):
        running: list[Future[TargetPlan]] = []
        for place, request in enumerate(keys.requests):
            tell(f"emit and run {request.format} for {', '.join(keys.users(request))}")
            path = Path(folder, str(place), artifact_name(shop.document.spec.name, request))
            path.parent.mkdir()
            try:
                written = emit(folded, request, path)
            except KspecError as error:
                problems += error.diagnostics
                continue
            running.append(pool.submit(proof.of, path, request, written))
        for each in running:
            try:
                found.append(each.result())
            except KspecError as error:
                problems += error.diagnostics
    if problems:
        raise KspecError(*problems, document=shop.document)
    return Plan(parameters, len(shop.document.steps), tuple(found))


@dataclass(frozen=True, slots=True)
class _Proof:
    """The reference that emitted artifacts are compared with."""

    graph: Graph
    folded: Graph
    rows: Rows
    outputs: Decisions

    def of(self, path: Path, request: ArtifactRequest, written: Written) -> TargetPlan:
        """Run an artifact and compare its outputs. Raises KspecError if they differ."""
        how = HowToRun(latency=False)
        found = verify_artifact(path, request, self.rows, self.outputs, self.graph, how=how)
        if not found.passed:
            raise KspecError(*found.problems)
        assert found.comparison is not None
        assert found.run is not None
        before = sorted(Counter(type(node.op).__name__ for node in self.folded.nodes).items())
        return TargetPlan(
            request.format,
            (),
            {op: count for op, count in before if op in written.operations},
            {op: count for op, count in before if op not in written.operations},
            digest_artifact(path, written.files).bytes,
            found.comparison.worst_error,
            found.run.runtime,
        )


def random_network(shop: Workshop) -> tuple[Graph, Rows, int]:
    """Return the graph of the network with random weights and statistics, rows for which its
    outputs differ, and the number of its parameters. Raises KspecError KS711, KS722 and KS723."""
    from kspec.models.keras_model import build_model, randomize, settle

    document = shop.document
    model = build_model(document)
    randomize(model)
    graph = _traced(model, document)
    inputs = draw_rows(graph, ROWS, sizes=shop.sizes, ranges=ranges_of(document.spec))
    if settle(model, inputs):
        graph = _traced(model, document)
    rows, problems = Reference(graph, partial(predict, model)).proven(inputs)
    if problems:
        raise KspecError(*problems, document=document)
    if not varies(rows.expected):
        help_ = "look for a layer that drops its input"
        raise KspecError(ignores_inputs(help_), document=document)
    return graph, rows, sum(int(np.prod(each.shape)) for each in model.weights)


def _traced(model: Any, document: Document) -> Graph:
    from kspec.compiler.trace import TraceError
    from kspec.models.answers import refusal
    from kspec.models.keras_model import trace_document

    try:
        return trace_document(model, document)
    except TraceError as error:
        raise KspecError(refusal(error), document=document) from error
