"""Packs what a target's developer gets: the artifact, golden rows, a description, a README."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from kspec import __version__
from kspec.compiler.ir import Array
from kspec.data.golden import golden_picture
from kspec.data.pictures import decode
from kspec.pipeline.bundles.artifacts import pack_artifact
from kspec.pipeline.bundles.readme import render_bundle_readme
from kspec.pipeline.compiled import Compiled
from kspec.pipeline.results import Artifact
from kspec.pipeline.store.content import digest_path
from kspec.pipeline.store.keys import Target
from kspec.pipeline.store.records import BUNDLE, write_json
from kspec.schemas.features import Binary, Category, Image
from kspec.spec.document import Document

__all__ = ["BUNDLE", "GOLDEN", "pack", "signature"]

GOLDEN = "golden.safetensors"
HALF = 0.5
VECTORS = 2
"""The rank of outputs that hold one decision a row."""


def pack(
    document: Document,
    target: Target,
    artifacts: tuple[Artifact, ...],
    compiled: Compiled,
    folder: Path,
) -> None:
    """Fill a bundle's folder; the artifacts are copied from where they lie in the store."""
    for artifact in artifacts:
        pack_artifact(artifact, (folder / target.placed(artifact.path.name)).parent)
    pictures = golden_pictures(document)
    golden = folder / target.layout.golden
    golden.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        (golden / picture_name(name)).write_bytes(picture)
    arrays = golden_arrays(document, compiled, pictures)
    save_file({k: np.asarray(v, order="C") for k, v in sorted(arrays.items())}, golden / GOLDEN)
    about = describe_bundle(document, target, artifacts, compiled)
    about["golden"]["sha256"] = digest_path(golden / GOLDEN)[0]
    write_json(folder / BUNDLE, about)
    for name, content in target.platform.files(about).items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    (folder / "README.md").write_text(render_bundle_readme(target, about), "utf-8")


def picture_name(name: str) -> str:
    """The file of an input's golden picture."""
    return f"golden-{name}.png"


def golden_pictures(document: Document) -> dict[str, bytes]:
    """A picture file for each input that is one, by the input's name."""
    kinds = {name: each.kind for name, each in document.spec.inputs.items()}
    return {name: golden_picture(kind) for name, kind in kinds.items() if isinstance(kind, Image)}


def golden_arrays(
    document: Document, compiled: Compiled, pictures: Mapping[str, bytes]
) -> dict[str, Array]:
    """What a client proves itself with: ``input/`` and ``output/`` rows; ``decision/``, the label
    of each row as UTF-8 filled up with zeros; ``picture/``, what an input's golden picture
    becomes."""
    golden, spec = compiled.golden, document.spec
    found = {f"input/{name}": array for name, array in golden.inputs.items()}
    found |= {f"output/{name}": array for name, array in golden.expected.items()}
    for name, output in spec.outputs.items():
        if isinstance(output.kind, Category | Binary) and golden.expected[name].ndim == VECTORS:
            texts = [label.encode() for label in decisions(golden.expected[name], output.kind)]
            width = max(map(len, texts))
            rows = [np.frombuffer(text.ljust(width, b"\0"), np.uint8) for text in texts]
            found[f"decision/{name}"] = np.stack(rows)
    for name, content in pictures.items():
        kind = spec.inputs[name].kind
        assert isinstance(kind, Image)
        pixels = decode(BytesIO(content), kind)
        found[f"picture/{name}"] = pixels.astype(np.float32)[None]
    return found


def decisions(values: Array, kind: Category | Binary) -> list[str]:
    """The label of each of (rows, …) outputs."""
    if isinstance(kind, Category):
        return [kind.labels[index] for index in values.argmax(axis=-1).tolist()]
    return [kind.labels[int(value > HALF)] for value in values.reshape(-1).tolist()]


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
        "artifacts": [
            {**describe_artifact(each), "path": target.placed(each.path.name)} for each in artifacts
        ],
        "golden": {
            "file": f"{target.layout.golden}{GOLDEN}",
            "pictures": {
                name: f"{target.layout.golden}{picture_name(name)}"
                for name, each in spec.inputs.items()
                if isinstance(each.kind, Image)
            },
            "rows": len(compiled.golden),
            "from": compiled.split,
        },
        "trained": dict(compiled.metrics),
        "kspec": __version__,
    }


def describe_artifact(artifact: Artifact) -> dict[str, Any]:
    """One artifact, without where it lies and what varies between equal builds (times)."""
    return {
        "format": artifact.format,
        "sha256": artifact.sha256,
        "bytes": artifact.bytes,
        "files": dict(artifact.files),
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
            "columns": list(compiled.columns[value.name]),
            "inside": {
                "rescale": given.rescale,
                "offset": given.offset,
                "normalize": given.normalize,
            },
        }
        if isinstance(given.kind, Image):
            inputs[value.name]["layout"] = "height, width, channels"
            inputs[value.name]["picture"] = {
                "maximum": given.kind.maximum,
                "resize": given.kind.resize,
            }
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
