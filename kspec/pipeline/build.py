"""The build: data → plan → train → compile → emit → verify → package → report, then into its place.

`Production` runs the single stages. Here is what is decided over all artifacts: the gates, the
warnings of the trained model, and which bundles are placed and removed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kspec.pipeline.bundles.artifacts import place_artifact
from kspec.pipeline.production import Production
from kspec.pipeline.proof.baselines import Baseline, useless
from kspec.pipeline.proof.gates import failures, judge
from kspec.pipeline.results import Artifact, BuildResult, GateResult, Plan
from kspec.pipeline.store.placement import MAX_DESCRIPTION, is_bundle, place, reserved
from kspec.pipeline.store.records import MANIFEST, METRICS, REPORT, read_json
from kspec.pipeline.store.stages import Notify
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.document import Document
from kspec.spec.untrusted import File, PlaceError
from kspec.targets.request import ArtifactRequest
from kspec.training.monitors import Monitor

__all__ = ["Notify", "build", "emit", "plan", "train"]

Artifacts = Mapping[str, tuple[Artifact, ...]]
"""The artifacts of each target, with their paths in the store."""


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
    production = Production(document, store, monitor, notify)
    out = out or document.path.parent / "dist"
    stages = production.stages
    with reserved(out, lambda who: stages.wait(f"{who}, which builds into {out}")):
        return _whole(production, out)


def plan(document: Document, *, store: Path | None = None, notify: Notify | None = None) -> Plan:
    """Prove that every target can be emitted, and tell which stages a build would run, and why."""
    production = Production(document, store, None, notify)
    proven = production.prove()
    stages, keys = production.stages, production.keys.all
    return replace(proven, stages=(*stages.done, *stages.foreseen(keys[len(stages.done) :])))


def train(
    document: Document,
    *,
    store: Path | None = None,
    monitor: Monitor | None = None,
    notify: Notify | None = None,
) -> Path:
    """Prove and train; the folder with ``weights.safetensors`` and ``history.json``."""
    production = Production(document, store, monitor, notify)
    production.prove()
    return production.train()


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
    production = Production(document, store, None, notify)
    if document.spec.train is not None and not production.stages.has(production.keys.train):
        raise KspecError(
            Diagnostic("KS630", "the model is not trained", help="train first: `kspec train`")
        )
    production.compile()
    return tuple(place_artifact(each, out) for each in production.verify(requests))


def _whole(production: Production, out: Path) -> BuildResult:
    """Run all stages, hold the artifacts against the gates, and place the bundles."""
    document, targets = production.document, production.keys.targets
    plan_ = production.prove()
    weak = _weaknesses(document, production.compile())
    if document.strict and weak:
        raise KspecError(*(replace(each, is_strict=True) for each in weak), document=document)
    asked = production.keys.requests
    proven = production.verify(asked)
    artifacts: Artifacts = {
        target.name: tuple(proven[asked.index(request)] for request in target.requests)
        for target in targets
    }
    gates = _judged(document, artifacts)
    bundles = {each.name: production.package(each, artifacts[each.name]) for each in targets}
    result = _result(production, out, artifacts, gates, weak)
    about = production.report(result, plan_)
    parts = {**bundles, REPORT: about / REPORT, MANIFEST: about / MANIFEST}
    _tell_of_another_model(production, out)
    place(parts, out, seal=MANIFEST, stale=_targets_in(out) - bundles.keys())
    return replace(result, stages=tuple(production.stages.done))


def _weaknesses(document: Document, compiled: Path) -> tuple[Diagnostic, ...]:
    """Warnings of the trained model: outputs for which a constant answer would do as well."""
    facts = read_json(compiled / METRICS)
    constant = tuple(Baseline(**each) for each in facts["baselines"])
    found = useless(facts["metrics"], constant, facts["split"])
    return tuple(map(document.locate, found))


def _judged(document: Document, artifacts: Artifacts) -> tuple[GateResult, ...]:
    """Return the results of all gates. Raises KspecError KS801 for gates that are not met."""
    results = judge(
        document.spec,
        (replace(each, target=name) for name, found in artifacts.items() for each in found),
    )
    if broken := failures(results):
        raise KspecError(*broken, document=document)
    return results


def _result(
    production: Production,
    out: Path,
    artifacts: Artifacts,
    gates: tuple[GateResult, ...],
    weak: tuple[Diagnostic, ...],
) -> BuildResult:
    """Return the result of the build, with the final paths of all files."""
    spec = production.document.spec
    placed = tuple(
        replace(each, target=target.name, path=out / target.name / target.placed(each.path.name))
        for target in production.keys.targets
        for each in artifacts[target.name]
    )
    metrics = read_json(production.stages.path(production.keys.compile) / METRICS)["metrics"]
    return BuildResult(
        spec.name,
        spec.version,
        out,
        tuple(production.stages.done),
        placed,
        gates,
        metrics,
        out / MANIFEST,
        out / REPORT,
        (*filter(_is_lasting, production.document.warnings), *weak),
    )


def _is_lasting(warning: Diagnostic) -> bool:
    """Whether a warning is about the model, not about how the spec is written."""
    return not warning.code.startswith("KS2")


def _tell_of_another_model(production: Production, out: Path) -> None:
    """Say that the bundles of another spec are replaced, if ``out`` contains them."""
    there, name = _manifest_in(out).get("name"), production.document.spec.name
    if isinstance(there, str) and there != name:
        text = f"the bundles of {there!r} in {out} by those of {name!r}"
        production.stages.say("replacing", text)


def _targets_in(out: Path) -> set[str]:
    """Return the targets of the bundles that an earlier build has placed."""
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
