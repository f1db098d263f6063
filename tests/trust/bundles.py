"""A handwritten bundle with every file that a description can mention."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from kspec.features.description import FILE, SEAL, VERSION, Description
from kspec.pipeline.bundles.seal import seal_of

ROWS = {
    "input/x": np.ones((3, 2), np.float32),
    "output/y": np.zeros((3, 2), np.float32),
    "decision/y": np.full((3, 1), ord("a"), np.uint8),
}
CONTENT = {
    "index.js": b"export const model = 1\n",
    "model/m.onnx": bytes(range(256)),
    "model/m.onnx.data": b"weights" * 40,
    "golden/golden.safetensors": save(ROWS),
    "golden/golden-x.png": b"\x89PNG",
    "empty": b"",
    "README.md": b"# m\n",
}


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def described(content: dict[str, bytes] = CONTENT) -> dict[str, Any]:
    """Return the description of these files as plain data."""
    parts = {name: sha(content[f"model/{name}"]) for name in ("m.onnx", "m.onnx.data")}
    port = {"dtype": "float32", "shape": ["batch", 2]}
    decision = {"labels": ["a", "b"], "scores": "probabilities"}
    return {
        "kspec_bundle": VERSION,
        "name": "m",
        "version": "0.1.0",
        "description": "",
        "target": "browser",
        "options": {},
        "signature": {
            "inputs": [{"name": "x", "kind": "number", "columns": ["a", "b"], **port}],
            "outputs": [{"name": "y", "kind": "category", "decision": decision, **port}],
        },
        "artifacts": [
            {
                "format": "onnx",
                "path": "model/m.onnx",
                "sha256": sha(content["model/m.onnx"]),
                "bytes": 536,
                "files": parts,
                "options": {},
                "runtime": "none",
                "rows": 3,
                "worst_error": 0.0,
                "flips": 0,
                "tolerances": {"y": {"atol": 1e-5, "rtol": 1e-5}},
                "metrics": {},
            }
        ],
        "golden": {
            "file": "golden/golden.safetensors",
            "sha256": sha(content["golden/golden.safetensors"]),
            "pictures": {"x": "golden/golden-x.png"},
            "rows": 3,
            "from": "test",
        },
        "trained": {},
        "files": {name: sha(each) for name, each in sorted(content.items())},
        "versions": {"kspec": "0"},
    }


def write(folder: Path, content: dict[str, bytes] = CONTENT) -> Path:
    """Write an undamaged bundle into a folder."""
    for name, each in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(each)
    describe(folder, Description.read(json.dumps(described(content))).write())
    return folder


def describe(folder: Path, text: str) -> None:
    """Write the text of a description and its seal."""
    content = text.encode()
    (folder / FILE).write_bytes(content)
    (folder / SEAL).write_bytes(seal_of(sha(content)))


def edit(folder: Path, route: tuple[str | int, ...], value: object) -> None:
    """Set a value in the description of a bundle, and seal it."""
    about: Any = json.loads((folder / FILE).read_text())
    place = about
    for step in route[:-1]:
        place = place[step]
    place[route[-1]] = value
    describe(folder, json.dumps(about))
