"""``manifest.json``: what a build made, from what, and how exact the artifacts are. Equal builds
have equal manifests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel

from kspec.data.dataset import source_digest
from kspec.features.signature import Signature
from kspec.pipeline.bundles.pack import describe_artifact, signature, versions_of
from kspec.pipeline.compiled import Compiled
from kspec.pipeline.proof.gates import split_gate
from kspec.pipeline.results import BuildResult
from kspec.pipeline.store.content import versions
from kspec.spec.document import Document

VERSION: Literal[1] = 1
_TRAINED_BY = ("keras", "numpy", "tensorflow")


def manifest(document: Document, result: BuildResult, compiled: Compiled) -> dict[str, Any]:
    """Return the manifest as plain data. Latency and durations are only in the report."""
    spec = document.spec
    return {
        "kspec_manifest": VERSION,
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
        "golden": asdict(compiled.coverage),
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


class _Artifact(BaseModel):
    """The fields of an artifact that readers use."""

    target: str
    format: str
    path: str
    sha256: str
    worst_error: float
    runtime: str


class _Manifest(BaseModel):
    """The fields of a manifest that readers use."""

    kspec_manifest: Literal[1]
    name: str
    version: str
    description: str
    signature: Signature
    artifacts: tuple[_Artifact, ...]


def check_manifest(text: bytes) -> Mapping[str, Any]:
    """Return the content of a manifest. Raises ValueError (of Pydantic) if the text is not a
    manifest."""
    _Manifest.model_validate_json(text)
    content: Mapping[str, Any] = json.loads(text)
    return content


def versions_used(result: BuildResult) -> dict[str, str]:
    """Return the versions of all packages that trained the model, or wrote or ran an artifact, as
    the formats declare them."""
    kspec, *found = versions_of(each.format for each in result.artifacts).items()
    return dict([kspec, *sorted({**dict(found), **versions(*_TRAINED_BY)}.items())])
