"""``manifest.json``: what was built, of what, and how near it came. Nothing in it varies between
two equal builds."""

from __future__ import annotations

from typing import Any

from kspec.data.dataset import source_digest
from kspec.pipeline.bundles.pack import describe_artifact, signature, versions_of
from kspec.pipeline.compiled import Compiled
from kspec.pipeline.proof.gates import split_gate
from kspec.pipeline.results import BuildResult
from kspec.pipeline.store.content import versions
from kspec.spec.document import Document

_TRAINED_BY = ("keras", "numpy", "tensorflow")


def manifest(document: Document, result: BuildResult, compiled: Compiled) -> dict[str, Any]:
    """The manifest as plain data; latency and durations are in the report instead."""
    spec = document.spec
    return {
        "kspec_manifest": 1,
        "name": spec.name,
        "version": spec.version,
        "description": spec.description,
        "spec": document.digest,
        "data": {
            "sha256": source_digest(document) if spec.data else None,
            "rows": dict(compiled.counts),
        },
        "signature": signature(document, compiled).model_dump(mode="json"),
        "trained": {
            "split": compiled.split,
            "metrics": dict(compiled.metrics),
            "baselines": {each.metric: each.value for each in compiled.baselines},
        },
        "warnings": [{"code": each.code, "message": each.message} for each in result.warnings],
        "artifacts": [
            {
                "target": each.target,
                "path": each.path.relative_to(result.out / each.target).as_posix(),
                **describe_artifact(each),
            }
            for each in result.artifacts
        ],
        "gates": [
            {
                "gate": each.gate,
                "target": each.target,
                "format": each.format,
                "bound": each.bound,
                "value": each.value,
            }
            for each in result.gates
            if split_gate(each.gate)[1] != "latency"
        ],
        "versions": versions_used(result),
    }


def versions_used(result: BuildResult) -> dict[str, str]:
    """The versions of all packages that trained the model, or wrote or ran an artifact, by the
    formats' own declarations."""
    kspec, *found = versions_of(each.format for each in result.artifacts).items()
    return dict([kspec, *sorted({**dict(found), **versions(*_TRAINED_BY)}.items())])
