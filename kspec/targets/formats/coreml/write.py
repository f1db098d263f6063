"""The writer of packages: model, weights and manifest, with reproducible bytes.

The builder's passes are not run, since kspec's passes have run. The backend is called directly,
without the converter's checks of front ends; the message is serialised with sorted maps.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from uuid import UUID

from kspec.compiler.ir import Graph
from kspec.targets.formats.coreml.options import CoreMLOptions
from kspec.targets.formats.coreml.program import build_program
from kspec.targets.formats.coreml.toolkit import toolkit

DATA = Path("Data/com.apple.CoreML")
"""The folder of a package's files."""
MANIFEST = "Manifest.json"
_AUTHOR = "com.apple.CoreML"


def write_package(graph: Graph, path: Path, options: CoreMLOptions) -> tuple[str, ...]:
    """Write the package and return its files, relative to the folder that contains the package."""
    kit = toolkit()
    program, description = build_program(graph, options, kit)
    data = path / DATA
    weights = data / "weights"
    weights.mkdir(parents=True)
    model = kit.load(
        program,
        str(weights),
        specification_version=kit.target[options.minimum].value,
        model_description=description,
    )
    content = model.SerializeToString(deterministic=True)
    (data / "model.mlmodel").write_bytes(content)
    files = [("model.mlmodel", "CoreML Model Specification", content)]
    found: tuple[str, ...] = ()
    if (weights / "weight.bin").exists():
        found = (f"{DATA.as_posix()}/weights/weight.bin",)
        files.append(("weights", "CoreML Model Weights", (weights / "weight.bin").read_bytes()))
    else:
        weights.rmdir()
    (path / MANIFEST).write_text(_manifest(files), encoding="utf-8")
    inside = (MANIFEST, f"{DATA.as_posix()}/model.mlmodel", *found)
    return tuple(f"{path.name}/{each}" for each in inside)


def _manifest(files: list[tuple[str, str, bytes]]) -> str:
    """Return the manifest of the package. Identifiers, which coremltools draws at random, are
    hashes of the content."""
    entries = {
        _identifier(name, content): {
            "author": _AUTHOR,
            "description": description,
            "name": name,
            "path": f"{_AUTHOR}/{name}",
        }
        for name, description, content in files
    }
    manifest = {
        "fileFormatVersion": "1.0.0",
        "itemInfoEntries": entries,
        "rootModelIdentifier": next(iter(entries)),
    }
    return json.dumps(manifest, indent=4) + "\n"


def _identifier(name: str, content: bytes) -> str:
    digest = hashlib.sha256(name.encode() + b"\0" + content).digest()
    return str(UUID(bytes=digest[:16], version=5)).upper()
