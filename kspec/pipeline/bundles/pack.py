"""Packs the bundle of a target: artifacts, client code, golden rows, a description, a README."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from kspec import __version__
from kspec.compiler.ir import Array
from kspec.features.cells import read_cell
from kspec.features.description import VERSION, Description, Golden, Shipped
from kspec.features.kinds import golden_cell
from kspec.features.signature import Signature, signature_of
from kspec.pipeline.bundles.artifacts import pack_artifact
from kspec.pipeline.bundles.readme import render_bundle_readme
from kspec.pipeline.bundles.seal import listed, seal
from kspec.pipeline.compiled import Compiled
from kspec.pipeline.results import Artifact
from kspec.pipeline.store.content import versions
from kspec.pipeline.store.targets import Target
from kspec.spec.document import Document
from kspec.targets.registry import formats

GOLDEN = "golden.safetensors"


def pack(
    document: Document,
    target: Target,
    artifacts: tuple[Artifact, ...],
    compiled: Compiled,
    folder: Path,
) -> None:
    """Fill a bundle's folder; artifacts are copied from the store."""
    for artifact in artifacts:
        pack_artifact(artifact, (folder / target.placed(artifact.path.name)).parent)
    cells = golden_cells(document)
    golden = folder / target.layout.golden
    golden.mkdir(parents=True, exist_ok=True)
    for file, content in cells.values():
        (golden / file).write_bytes(content)
    arrays = golden_arrays(document, compiled)
    save_file({k: np.asarray(v, order="C") for k, v in sorted(arrays.items())}, golden / GOLDEN)
    about = describe_bundle(document, target, artifacts, compiled)
    files = listed(folder)
    rows = about.golden.model_copy(update={"sha256": files[about.golden.file]})
    about = about.model_copy(update={"golden": rows, "files": files})
    for name, content in target.platform.files(about).items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    (folder / "README.md").write_text(render_bundle_readme(target, about), "utf-8")
    seal(folder, about)


def golden_cells(document: Document) -> dict[str, tuple[str, bytes]]:
    """Return a golden cell of bytes for each input whose kind has one, by the input's name: the
    file's name, ``golden-pixels.png``, and its content."""
    found = {}
    for name, item in document.spec.inputs.items():
        if (cell := golden_cell(item.kind)) is not None:
            suffix, content = cell
            found[name] = (f"golden-{name}{suffix}", content)
    return found


def golden_arrays(document: Document, compiled: Compiled) -> dict[str, Array]:
    """Return the arrays of a client's self-test: ``input/`` and ``output/`` rows; ``decision/``,
    the label of each row as zero-padded UTF-8; ``picture/``, the decoded golden picture of an
    input."""
    golden, spec = compiled.golden, document.spec
    found = {f"input/{name}": array for name, array in golden.inputs.items()}
    found |= {f"output/{name}": array for name, array in golden.expected.items()}
    for output in signature(document, compiled).outputs:
        if output.decision is not None and output.decides:
            expected = golden.expected[output.name]
            texts = [label.encode() for label in output.decision.decide(expected)]
            width = max(map(len, texts))
            rows = [np.frombuffer(text.ljust(width, b"\0"), np.uint8) for text in texts]
            found[f"decision/{output.name}"] = np.stack(rows)
    for name, (_, content) in golden_cells(document).items():
        values = read_cell(content, spec.inputs[name].kind)
        found[f"picture/{name}"] = values.astype(np.float32)[None]
    return found


def describe_bundle(
    document: Document, target: Target, artifacts: tuple[Artifact, ...], compiled: Compiled
) -> Description:
    """Describe the bundle without the hashes of its files; the hash of the golden rows is all
    zeros."""
    spec = document.spec
    cells = golden_cells(document)
    place = target.layout.golden
    return Description(
        kspec_bundle=VERSION,
        name=spec.name,
        version=spec.version,
        description=spec.description,
        target=target.name,
        options=target.options.model_dump(mode="json"),
        signature=signature(document, compiled),
        artifacts=tuple(
            Shipped.model_validate(
                describe_artifact(each) | {"path": target.placed(each.path.name)}
            )
            for each in artifacts
        ),
        golden=Golden(
            file=f"{place}{GOLDEN}",
            sha256="0" * 64,
            pictures={name: f"{place}{file}" for name, (file, _) in cells.items()},
            rows=len(compiled.golden),
            **{"from": compiled.split},
        ),
        trained=dict(compiled.metrics),
        files={},
        ignored=target.platform.ignored,
        versions=versions_of(each.format for each in artifacts),
    )


def versions_of(used: Iterable[str]) -> dict[str, str]:
    """Return the versions of kspec and of the packages that the formats of these names declare."""
    known = formats()
    packages = {name for each in used if each in known for name in known[each].packages}
    return {"kspec": __version__, **versions(*sorted(packages))}


def describe_artifact(artifact: Artifact) -> dict[str, Any]:
    """Return the facts of one artifact without its path and without times, which vary between equal
    builds."""
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
        "tolerances": {name: dict(each) for name, each in artifact.tolerances.items()},
        "metrics": dict(artifact.metrics),
    }


def signature(document: Document, compiled: Compiled) -> Signature:
    """Return the signature of a document's model."""
    graph = compiled.graph
    types = {value.name: value.type for value in (*graph.inputs, *graph.outputs)}
    return signature_of(document.spec, types, compiled.columns)
