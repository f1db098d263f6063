"""Packs what a target's developer gets: the artifact, golden rows, a description, a README."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from kspec import __version__
from kspec.pipeline.compile import Compiled
from kspec.pipeline.keys import Target
from kspec.pipeline.placement import copy
from kspec.pipeline.readme import render_bundle_readme
from kspec.pipeline.records import BUNDLE, write_json
from kspec.pipeline.results import Artifact
from kspec.schemas.features import Binary, Category, Image
from kspec.spec.document import Document

__all__ = ["BUNDLE", "GOLDEN", "pack", "signature"]

GOLDEN = "golden.safetensors"


def pack(
    document: Document,
    target: Target,
    artifacts: tuple[Artifact, ...],
    compiled: Compiled,
    folder: Path,
) -> None:
    """Fill a bundle's folder; the artifacts are copied from where they lie in the store."""
    for artifact in artifacts:
        copy(artifact.path, folder / artifact.path.name)
    golden = {f"input/{name}": array for name, array in compiled.golden.inputs.items()}
    golden |= {f"output/{name}": array for name, array in compiled.golden.expected.items()}
    save_file({k: np.asarray(v, order="C") for k, v in sorted(golden.items())}, folder / GOLDEN)
    about = describe_bundle(document, target, artifacts, compiled)
    write_json(folder / BUNDLE, about)
    (folder / "README.md").write_text(render_bundle_readme(document, target, about), "utf-8")


def describe_bundle(
    document: Document, target: Target, artifacts: tuple[Artifact, ...], compiled: Compiled
) -> dict[str, Any]:
    """``kspec-bundle.json``: what the files are, and how near they came to the trained model."""
    spec = document.spec
    return {
        "kspec_bundle": 1,
        "name": spec.name,
        "version": spec.version,
        "description": spec.description,
        "target": target.name,
        "options": target.options.model_dump(mode="json"),
        "signature": signature(document, compiled),
        "artifacts": [describe_artifact(each) for each in artifacts],
        "golden": {"file": GOLDEN, "rows": len(compiled.golden), "from": compiled.split},
        "trained": dict(compiled.metrics),
        "kspec": __version__,
    }


def describe_artifact(artifact: Artifact) -> dict[str, Any]:
    """One artifact, without what varies between equal builds (times)."""
    return {
        "format": artifact.format,
        "path": artifact.path.name,
        "sha256": artifact.sha256,
        "bytes": artifact.bytes,
        "options": dict(artifact.options),
        "runtime": artifact.runtime,
        "rows": artifact.rows,
        "worst_error": artifact.worst_error,
        "flips": artifact.flips,
        "tolerance": dict(artifact.tolerance),
        "metrics": dict(artifact.metrics),
    }


def signature(document: Document, compiled: Compiled) -> Mapping[str, Any]:
    """Inputs as artifacts take them (raw; rescaling and normalisation are inside) and outputs with
    their meaning."""
    spec, graph = document.spec, compiled.graph
    inputs: dict[str, Any] = {}
    for value in graph.inputs:
        given = spec.inputs[value.name]
        kind = type(given.kind).key
        inputs[value.name] = {
            "dtype": str(value.dtype),
            "shape": list(value.shape),
            "kind": kind,
            "inside": {
                "rescale": given.rescale,
                "offset": given.offset,
                "normalize": given.normalize,
            },
        }
        if isinstance(given.kind, Image):
            inputs[value.name]["layout"] = "height, width, channels"
    outputs: dict[str, Any] = {}
    for value in graph.outputs:
        kind_ = spec.outputs[value.name].kind
        outputs[value.name] = {
            "dtype": str(value.dtype),
            "shape": list(value.shape),
            "kind": type(kind_).key,
        }
        if isinstance(kind_, Category | Binary):
            outputs[value.name]["labels"] = list(kind_.labels)
    return {"inputs": inputs, "outputs": outputs}
