"""The build: load → plan → data → train → compile → emit → verify → package → report."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from kspec.build.bundle import pack
from kspec.build.compile import (
    GRAPH,
    HISTORY,
    Compiled,
    Workshop,
    compile_trained,
    load_compiled,
    read_json,
    write_json,
)
from kspec.build.compile import train as train_model
from kspec.build.gates import check_gates, failures, judge
from kspec.build.keys import Key, Keys, Target, described
from kspec.build.manifest import manifest
from kspec.build.plan import describe, prove, read
from kspec.build.report import render_report
from kspec.build.results import Artifact, BuildResult, GateResult, Plan, StageRun
from kspec.build.store import Store, digest_path, replace_folder
from kspec.build.verification import verify_artifact
from kspec.compiler.file import load as load_graph
from kspec.compiler.passes import run_passes
from kspec.compiler.passes.common import COMMON
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.document import Document
from kspec.targets.emission import artifact_name
from kspec.targets.emission import emit as emit_graph
from kspec.targets.platforms.platform import ArtifactRequest
from kspec.targets.registry import formats
from kspec.training.monitors import Monitor, Silent

Notify = Callable[[StageRun], None]
"""Told of each stage when it is done."""

RESULT, REPORT, MANIFEST, PLAN = "result.json", "report.html", "manifest.json", "plan.json"


def build(
    document: Document,
    *,
    out: Path | None = None,
    store: Path | None = None,
    monitor: Monitor | None = None,
    notify: Notify | None = None,
) -> BuildResult:
    """Do what is still to be done, and put bundles, ``manifest.json`` and ``report.html`` into
    ``out`` (``dist`` beside the spec). Raises KspecError; then nothing in ``out`` has changed."""
    run = _Build(document, _store(document, store), monitor or Silent(), notify or _nobody)
    return run.whole(out or document.path.parent / "dist")


def plan(document: Document, *, store: Path | None = None, notify: Notify | None = None) -> Plan:
    """Prove that every target can be emitted, and tell which stages a build would run, and why."""
    run = _Build(document, _store(document, store), Silent(), notify or _nobody)
    proven = run.prove()
    return replace(proven, stages=(*run.stages, *run.foreseen()))


def train(
    document: Document,
    *,
    store: Path | None = None,
    monitor: Monitor | None = None,
    notify: Notify | None = None,
) -> Path:
    """Prove and train; the folder with ``weights.safetensors`` and ``history.json``."""
    run = _Build(document, _store(document, store), monitor or Silent(), notify or _nobody)
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
    """Emit and verify artifacts of the trained model. Raises KspecError KS630 where the store has
    none."""
    run = _Build(document, _store(document, store), Silent(), notify or _nobody)
    if not run.store.has("train", run.keys.train.digest):
        raise KspecError(
            Diagnostic("KS630", "the model is not trained", help="train first: `kspec train`")
        )
    run.compiled()
    out.mkdir(parents=True, exist_ok=True)
    artifacts = []
    for request in requests:
        artifact = run.verified(request)
        final = out / artifact.path.name
        place_copy(artifact.path, final)
        artifacts.append(replace(artifact, path=final))
    return tuple(artifacts)


@dataclass
class _Build:
    """One run over the stages of a document."""

    document: Document
    store: Store
    monitor: Monitor
    notify: Notify
    stages: list[StageRun] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keys = Keys(self.document)
        self.shop = Workshop(self.document)

    def whole(self, out: Path) -> BuildResult:
        plan_ = self.prove()
        compiled = self.compiled()
        artifacts = {
            target.name: tuple(self.verified(request) for request in target.requests)
            for target in self.keys.targets
        }
        gates = self.judged(artifacts)
        bundles = {
            target.name: self.packed(target, artifacts[target.name], compiled)
            for target in self.keys.targets
        }
        return self.placed(out, plan_, artifacts, bundles, gates, load_compiled(compiled))

    def prove(self) -> Plan:
        if problems := tuple(check_gates(self.document.spec)):
            raise KspecError(*problems, document=self.document)

        def make(folder: Path) -> None:
            write_json(folder / PLAN, describe(prove(self.shop, self.keys)))

        return read(read_json(self.stage(self.keys.plan, make) / PLAN))

    def train(self) -> Path:
        key = self.keys.train

        def make(folder: Path) -> None:
            scratch = self.store.scratch("train", key.digest)
            train_model(self.shop, folder, scratch, self.monitor)
            shutil.rmtree(scratch, ignore_errors=True)

        return self.stage(key, make)

    def compiled(self) -> Path:
        weights = self.train()
        return self.stage(
            self.keys.compile, lambda folder: compile_trained(self.shop, weights, folder)
        )

    def verified(self, request: ArtifactRequest) -> Artifact:
        """The artifact in the store, proven; its path leads there."""
        compiled = self.store.path("compile", self.keys.compile.digest)
        name = artifact_name(self.document.spec.name, request)

        def write(folder: Path) -> None:
            started = time.process_time()
            emit_graph(run_passes(load_graph(compiled / GRAPH), COMMON), request, folder / name)
            sha256, size = digest_path(folder / name)
            facts = {"sha256": sha256, "bytes": size, "seconds": time.process_time() - started}
            write_json(folder / RESULT, facts)

        emitted = self.stage(self.keys.emit(request), write)

        def prove_equal(folder: Path) -> None:
            found = load_compiled(compiled)
            outputs = self.document.spec.outputs
            result = verify_artifact(emitted / name, request, found.rows, outputs, found.graph)
            if not result.passed:
                raise KspecError(*result.problems, document=self.document)
            write_json(folder / RESULT, result.facts())

        proven = self.stage(self.keys.verify(request), prove_equal)
        facts = {**read_json(emitted / RESULT), **read_json(proven / RESULT)}
        tolerance = asdict(formats()[request.format].tolerance(request.options))
        options = described(request)["options"]
        path = emitted / name
        return Artifact("", request.format, path, options=options, tolerance=tolerance, **facts)

    def judged(self, artifacts: Mapping[str, tuple[Artifact, ...]]) -> tuple[GateResult, ...]:
        results = judge(
            self.document.spec,
            (replace(each, target=name) for name, found in artifacts.items() for each in found),
        )
        if broken := failures(results):
            raise KspecError(*broken, document=self.document)
        return results

    def packed(self, target: Target, artifacts: tuple[Artifact, ...], compiled: Path) -> Path:
        def make(folder: Path) -> None:
            pack(self.document, target, artifacts, load_compiled(compiled), folder)

        return self.stage(self.keys.package(target), make)

    def placed(
        self,
        out: Path,
        plan_: Plan,
        artifacts: Mapping[str, tuple[Artifact, ...]],
        bundles: Mapping[str, Path],
        gates: tuple[GateResult, ...],
        compiled: Compiled,
    ) -> BuildResult:
        """Copy the bundles out of the store, then the manifest and the report: each beside its
        place and then renamed. What is there already stays."""
        out.mkdir(parents=True, exist_ok=True)
        for name, bundle in bundles.items():
            if not _equal(bundle, out / name):
                place_copy(bundle, out / name)
        spec = self.document.spec
        result = BuildResult(
            spec.name,
            spec.version,
            out,
            tuple(self.stages),
            tuple(
                replace(each, target=name, path=out / name / each.path.name)
                for name, found in artifacts.items()
                for each in found
            ),
            gates,
            compiled.metrics,
            out / MANIFEST,
            out / REPORT,
        )

        def make(folder: Path) -> None:
            write_json(folder / MANIFEST, manifest(self.document, result, compiled))
            history = read_json(self.store.path("train", self.keys.train.digest) / HISTORY)
            page = render_report(self.document, result, plan_, compiled, history)
            (folder / REPORT).write_text(page, "utf-8")

        made = self.stage(self.keys.report, make)
        for name in (MANIFEST, REPORT):
            place_copy(made / name, out / name)
        return replace(result, stages=tuple(self.stages))

    def stage(self, key: Key, make: Callable[[Path], None]) -> Path:
        """The folder of a stage's result, made if it is not there yet."""
        folder = key.stage.replace("·", "-")
        reason, started = self.reason(key), time.perf_counter()
        ran = not self.store.has(folder, key.digest)
        if ran:
            with self.store.writing(folder, key.digest) as fresh:
                make(fresh)
        self.store.remember(self.document.spec.name, folder, key.parts)
        done = StageRun(key.stage, key.digest, ran, reason, time.perf_counter() - started)
        self.stages.append(done)
        self.notify(done)
        return self.store.path(folder, key.digest)

    def reason(self, key: Key) -> str:
        """Why a stage runs, or that it does not."""
        folder = key.stage.replace("·", "-")
        if self.store.has(folder, key.digest):
            return "unchanged"
        last = self.store.remembered(self.document.spec.name, folder)
        if last is None:
            return "first build"
        parts = json.loads(json.dumps(dict(key.parts)))
        changed = sorted(name for name in parts.keys() | last if parts.get(name) != last.get(name))
        return f"changed: {', '.join(changed)}" if changed else "no result in the store"

    def foreseen(self) -> tuple[StageRun, ...]:
        """The stages that a build would come to, run or not."""
        keys = self.keys
        ahead = [keys.train, keys.compile]
        for request in keys.requests:
            ahead += [keys.emit(request), keys.verify(request)]
        ahead += [*map(keys.package, keys.targets), keys.report]
        return tuple(
            StageRun(
                key.stage,
                key.digest,
                not self.store.has(key.stage.replace("·", "-"), key.digest),
                self.reason(key),
                0.0,
            )
            for key in ahead
        )


def place_copy(source: Path, final: Path) -> None:
    """Copy a file or folder beside its place, then rename it there."""
    beside = Path(tempfile.mkdtemp(prefix=f".{final.name}-", dir=final.parent))
    try:
        if source.is_dir():
            shutil.copytree(source, beside / final.name)
            replace_folder(beside / final.name, final)
        else:
            shutil.copyfile(source, beside / final.name)
            (beside / final.name).replace(final)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _equal(source: Path, final: Path) -> bool:
    return final.is_dir() and digest_path(source) == digest_path(final)


def _store(document: Document, store: Path | None) -> Store:
    return Store(store or document.path.parent / ".kspec")


def _nobody(_stage: StageRun) -> None:
    return
