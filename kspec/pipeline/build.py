"""The build: data → plan → train → compile → emit → verify → package → report, then into its place.

A stage whose result is in the store costs its key. What makes the results is imported when a stage
runs: a build with nothing to do loads neither TensorFlow nor NumPy.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kspec.features.kinds import decisions_of
from kspec.pipeline.bundles.artifacts import place_artifact
from kspec.pipeline.proof.baselines import Baseline, useless
from kspec.pipeline.proof.gates import failures, judge
from kspec.pipeline.results import Artifact, BuildResult, GateResult, Plan, Progress
from kspec.pipeline.store.artifacts import digest_artifact
from kspec.pipeline.store.content import Store
from kspec.pipeline.store.keys import Keys
from kspec.pipeline.store.placement import MAX_DESCRIPTION, is_bundle, place, reserved
from kspec.pipeline.store.records import (
    DATA,
    HISTORY,
    MANIFEST,
    METRICS,
    PLAN,
    REPORT,
    RESULT,
    read_json,
    write_json,
)
from kspec.pipeline.store.stages import Make, Notify, Stages, silent
from kspec.pipeline.store.targets import Target, described
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.document import Document
from kspec.spec.untrusted import File, PlaceError
from kspec.targets.registry import formats
from kspec.targets.request import ArtifactRequest
from kspec.training.monitors import Monitor, Silent

if TYPE_CHECKING:
    from kspec.compiler.ir import Graph
    from kspec.pipeline.compiled import Compiled
    from kspec.pipeline.workshop import Workshop

__all__ = ["Notify", "build", "emit", "plan", "train"]

Artifacts = Mapping[str, tuple[Artifact, ...]]
"""Of each target, in the store."""


def build(
    document: Document,
    *,
    out: Path | None = None,
    store: Path | None = None,
    monitor: Monitor | None = None,
    notify: Notify | None = None,
) -> BuildResult:
    """Do what is still to be done for a checked document, and put bundles, ``manifest.json`` and
    ``report.html`` into ``out`` (``dist`` beside the spec). Raises KspecError, and OSError for a
    disk that is full or may not be written; then nothing in ``out`` has changed. While another
    process builds into ``out``, this one waits for it, and tells ``notify`` so."""
    run = _Build(document, store, monitor, notify)
    out = out or document.path.parent / "dist"
    with reserved(out, lambda who: run.stages.wait(f"{who}, which builds into {out}")):
        return run.whole(out)


def plan(document: Document, *, store: Path | None = None, notify: Notify | None = None) -> Plan:
    """Prove that every target can be emitted, and tell which stages a build would run, and why."""
    run = _Build(document, store, None, notify)
    proven = run.prove()
    done = run.stages.done
    return replace(proven, stages=(*done, *run.stages.foreseen(run.keys.all[len(done) :])))


def train(
    document: Document,
    *,
    store: Path | None = None,
    monitor: Monitor | None = None,
    notify: Notify | None = None,
) -> Path:
    """Prove and train; the folder with ``weights.safetensors`` and ``history.json``."""
    run = _Build(document, store, monitor, notify)
    run.prove()
    return run.train()


def emit(
    document: Document,
    requests: tuple[ArtifactRequest, ...],
    out: Path,
    *,
    store: Path | None = None,
    notify: Notify | None = None,
) -> tuple[Artifact, ...]:
    """Emit and verify artifacts of the trained model, or of the weights that the spec has instead
    of training. Raises KspecError KS630 where the store has no trained model."""
    run = _Build(document, store, None, notify)
    if document.spec.train is not None and not run.stages.has(run.keys.train):
        raise KspecError(
            Diagnostic("KS630", "the model is not trained", help="train first: `kspec train`")
        )
    run.compile()
    return tuple(place_artifact(each, out) for each in run.verify(requests))


class _Build:
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

    def whole(self, out: Path) -> BuildResult:
        plan_ = self.prove()
        compiled = self.compile()
        if self.document.strict and (weak := self.weaknesses(compiled)):
            raise KspecError(
                *(replace(each, is_strict=True) for each in weak), document=self.document
            )
        asked = self.keys.requests
        proven = self.verify(asked)
        artifacts: Artifacts = {
            target.name: tuple(proven[asked.index(request)] for request in target.requests)
            for target in self.keys.targets
        }
        gates = self.judge(artifacts)
        bundles = {
            target.name: self.package(target, artifacts[target.name])
            for target in self.keys.targets
        }
        result = self.result(out, artifacts, gates, compiled)
        about = self.report(result, plan_)
        parts = {**bundles, REPORT: about / REPORT, MANIFEST: about / MANIFEST}
        self.tell_of_another_model(out)
        place(parts, out, seal=MANIFEST, stale=_targets_in(out) - bundles.keys())
        return replace(result, stages=tuple(self.stages.done))

    def tell_of_another_model(self, out: Path) -> None:
        """Say whose bundles are replaced, where they are those of another spec."""
        there, name = _manifest_in(out).get("name"), self.document.spec.name
        if isinstance(there, str) and there != name:
            self.stages.say("replacing", f"the bundles of {there!r} in {out} by those of {name!r}")

    def read(self) -> None:
        """Every row is read and judged before Keras is imported."""

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
        """What `compile` left in the store, read once."""
        from kspec.pipeline.compiled import load_compiled

        return load_compiled(self.stages.path(self.keys.compile))

    @cached_property
    def folded(self) -> Graph:
        """The graph after the common passes, from which every format goes on."""
        from kspec.compiler.passes import run_passes
        from kspec.compiler.passes.common import COMMON

        return run_passes(self.compiled.graph, COMMON)

    def verify(self, requests: Sequence[ArtifactRequest]) -> tuple[Artifact, ...]:
        """The artifacts in the store, proven; their paths lead there."""
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
        """The artifact in the store."""
        name = self.document.spec.name + formats()[request.format].suffix

        def make(folder: Path) -> None:
            from kspec.targets.emission import emit

            started = time.process_time()
            written = emit(self.folded, request, folder / name)
            digest = digest_artifact(folder / name, written.files)
            seconds = time.process_time() - started
            write_json(folder / RESULT, {**asdict(digest), "seconds": seconds})

        return self.stages.run(self.keys.emit(request), make) / name

    def weaknesses(self, compiled: Path) -> tuple[Diagnostic, ...]:
        """Warnings of the trained model: outputs for which a constant answer would do as well."""
        facts = read_json(compiled / METRICS)
        constant = tuple(Baseline(**each) for each in facts["baselines"])
        found = useless(facts["metrics"], constant, facts["split"])
        return tuple(map(self.document.locate, found))

    def judge(self, artifacts: Artifacts) -> tuple[GateResult, ...]:
        results = judge(
            self.document.spec,
            (replace(each, target=name) for name, found in artifacts.items() for each in found),
        )
        if broken := failures(results):
            raise KspecError(*broken, document=self.document)
        return results

    def package(self, target: Target, artifacts: tuple[Artifact, ...]) -> Path:
        def make(folder: Path) -> None:
            from kspec.pipeline.bundles.pack import pack

            pack(self.document, target, artifacts, self.compiled, folder)

        return self.stages.run(self.keys.package(target), make)

    def result(
        self, out: Path, artifacts: Artifacts, gates: tuple[GateResult, ...], compiled: Path
    ) -> BuildResult:
        """Return the result of the build, with the final paths of all files."""
        spec = self.document.spec
        placed = tuple(
            replace(
                each, target=target.name, path=out / target.name / target.placed(each.path.name)
            )
            for target in self.keys.targets
            for each in artifacts[target.name]
        )
        return BuildResult(
            spec.name,
            spec.version,
            out,
            tuple(self.stages.done),
            placed,
            gates,
            read_json(compiled / METRICS)["metrics"],
            out / MANIFEST,
            out / REPORT,
            (*filter(_is_lasting, self.document.warnings), *self.weaknesses(compiled)),
        )

    def report(self, result: BuildResult, plan_: Plan) -> Path:
        """The folder of ``manifest.json`` and ``report.html``."""

        def make(folder: Path) -> None:
            from kspec.pipeline.bundles.manifest import manifest
            from kspec.pipeline.report.page import render_report

            write_json(folder / MANIFEST, manifest(self.document, result, self.compiled))
            history = read_json(self.stages.path(self.keys.train) / HISTORY)
            page = render_report(self.document, result, plan_, self.compiled, history)
            (folder / REPORT).write_text(page, "utf-8")

        return self.stages.run(self.keys.report, make)


def _is_lasting(warning: Diagnostic) -> bool:
    """Whether a warning is about the model, not about how the spec is written."""
    return not warning.code.startswith("KS2")


def _targets_in(out: Path) -> set[str]:
    """The bundles that a build before this one has put there."""
    try:
        listed = {str(each["target"]) for each in _manifest_in(out)["artifacts"]}
    except (KeyError, TypeError):
        return set()
    return {name for name in listed if "/" not in name and is_bundle(out / name, name)}


def _manifest_in(out: Path) -> Mapping[str, Any]:
    """Return the manifest of an earlier build; empty if no manifest can be read."""
    try:
        found = json.loads(File(out, MANIFEST, MAX_DESCRIPTION).read())
    except (PlaceError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
