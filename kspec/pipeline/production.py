"""The stages of a document: each has a key, and a function that makes its result.

A stage whose result is in the store costs only its key. The modules that make results are imported
when a stage runs: an unchanged build imports neither TensorFlow nor NumPy.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kspec.features.kinds import decisions_of
from kspec.pipeline.results import Artifact, BuildResult, Plan, Progress
from kspec.pipeline.store.artifacts import digest_artifact
from kspec.pipeline.store.content import Store
from kspec.pipeline.store.keys import Keys
from kspec.pipeline.store.records import (
    DATA,
    HISTORY,
    MANIFEST,
    PLAN,
    REPORT,
    RESULT,
    read_json,
    write_json,
)
from kspec.pipeline.store.stages import Make, Notify, Stages, silent
from kspec.pipeline.store.targets import Target, described
from kspec.spec.diagnostics import KspecError
from kspec.spec.document import Document
from kspec.targets.registry import formats
from kspec.targets.request import ArtifactRequest
from kspec.training.monitors import Monitor, Silent

if TYPE_CHECKING:
    from kspec.compiler.ir import Graph
    from kspec.pipeline.compiled import Compiled
    from kspec.pipeline.workshop import Workshop


class Production:
    """One run over the stages of a document."""

    def __init__(
        self,
        document: Document,
        store: Path | None,
        monitor: Monitor | None,
        notify: Notify | None,
    ) -> None:
        self.document = document
        self.keys = Keys(document)
        self.monitor = monitor or Silent()
        self.store = Store.at(store or document.path.parent / ".kspec")
        self.stages = Stages(self.store, document.spec.name, notify or silent)
        self._shop: Workshop | None = None

    @property
    def shop(self) -> Workshop:
        """The Keras model and the data, for the stages that need them."""
        from kspec.pipeline.workshop import Workshop

        self._shop = self._shop or Workshop(self.document, self.keys.sizes)
        return self._shop

    def read(self) -> None:
        """Read and check every row, before Keras is imported."""

        def make(folder: Path) -> None:
            write_json(folder / DATA, self.shop.counts)

        if self.document.spec.data is not None:
            self.stages.run(self.keys.data, make)

    def prove(self) -> Plan:
        self.read()

        def make(folder: Path) -> None:
            from kspec.pipeline.plan import prove

            def tell(text: str) -> None:
                self.stages.notify(Progress(self.keys.plan.name, text))

            write_json(folder / PLAN, prove(self.shop, self.keys, tell).kept())

        facts = read_json(self.stages.run(self.keys.plan, make) / PLAN)
        return Plan.read(facts, map(self.keys.users, self.keys.requests))

    def train(self) -> Path:
        key = self.keys.train

        def make(folder: Path) -> None:
            from kspec.pipeline.train import train

            scratch = self.store.scratch(key.stage, key.digest)
            secret = self.store.secret(key.stage, key.digest)
            train(self.shop, folder, scratch, secret, self.monitor)

        return self.stages.run(key, make)

    def compile(self) -> Path:
        weights = self.train()

        def make(folder: Path) -> None:
            from kspec.pipeline.compile import compile_trained

            compile_trained(self.shop, weights, folder)

        return self.stages.run(self.keys.compile, make)

    @cached_property
    def compiled(self) -> Compiled:
        """The result of `compile`, read once from the store."""
        from kspec.pipeline.compiled import load_compiled

        return load_compiled(self.stages.path(self.keys.compile))

    @cached_property
    def folded(self) -> Graph:
        """The graph after the common passes, the input of every format."""
        from kspec.compiler.passes import run_passes
        from kspec.compiler.passes.common import COMMON

        return run_passes(self.compiled.graph, COMMON)

    def verify(self, requests: Sequence[ArtifactRequest]) -> tuple[Artifact, ...]:
        """Emit and verify artifacts; return them with their paths in the store."""
        emitted = [self.emit(request) for request in requests]
        keys = map(self.keys.verify, requests)
        jobs = zip(keys, map(self._verification, emitted, requests), strict=True)
        proven = self.stages.run_together(tuple(jobs))
        return tuple(map(self._artifact, requests, emitted, proven))

    def _verification(self, emitted: Path, request: ArtifactRequest) -> Make:
        def make(folder: Path) -> float:
            from kspec.pipeline.proof.verification import verify_artifact
            from kspec.targets.emission import HowToRun

            found, outputs = self.compiled, decisions_of(self.document.spec)
            how = HowToRun(turn=self.store.root / "running" / "latency")
            result = verify_artifact(emitted, request, found.rows, outputs, found.graph, how=how)
            if not result.passed:
                raise KspecError(*result.problems, document=self.document)
            write_json(folder / RESULT, result.facts())
            return result.run.cpu if result.run else 0.0

        return make

    def _artifact(self, request: ArtifactRequest, emitted: Path, proven: Path) -> Artifact:
        return Artifact(
            target="",
            format=request.format,
            path=emitted,
            options=described(request)["options"],
            **read_json(emitted.with_name(RESULT)),
            **read_json(proven / RESULT),
        )

    def emit(self, request: ArtifactRequest) -> Path:
        """Emit an artifact; return its path in the store."""
        name = self.document.spec.name + formats()[request.format].suffix

        def make(folder: Path) -> None:
            from kspec.targets.emission import emit

            started = time.process_time()
            written = emit(self.folded, request, folder / name)
            digest = digest_artifact(folder / name, written.files)
            seconds = time.process_time() - started
            write_json(folder / RESULT, {**asdict(digest), "seconds": seconds})

        return self.stages.run(self.keys.emit(request), make) / name

    def package(self, target: Target, artifacts: tuple[Artifact, ...]) -> Path:
        def make(folder: Path) -> None:
            from kspec.pipeline.bundles.pack import pack

            pack(self.document, target, artifacts, self.compiled, folder)

        return self.stages.run(self.keys.package(target), make)

    def report(self, result: BuildResult, plan_: Plan) -> Path:
        """Return the folder with ``manifest.json`` and ``report.html``."""

        def make(folder: Path) -> None:
            from kspec.pipeline.bundles.manifest import manifest
            from kspec.pipeline.report.page import render_report

            write_json(folder / MANIFEST, manifest(self.document, result, self.compiled))
            history = read_json(self.stages.path(self.keys.train) / HISTORY)
            page = render_report(self.document, result, plan_, self.compiled, history)
            (folder / REPORT).write_text(page, "utf-8")

        return self.stages.run(self.keys.report, make)
