"""Files of a bundle that its self-test reads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from .signature import Model


def read_texts(blob: bytes) -> list[str]:
    """Texts, each after its length."""
    found = []
    while blob:
        end = 4 + int.from_bytes(blob[:4], "little")
        found.append(blob[4:end].decode())
        blob = blob[end:]
    return found


def named_columns(folder: Path, model: Model) -> list[str]:
    """The names of all numbers of a row, as the bundle's description has them, where every input is
    a vector of named numbers."""
    about = json.loads((folder / "kspec-bundle.json").read_text("utf-8"))
    inputs = {each["name"]: each for each in about["signature"]["inputs"]}
    if not all(each.columns for each in model.inputs):
        return []
    return [name for each in model.inputs for name in inputs[each.name]["columns"]]


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file: a length, a header in JSON, and the bytes."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header.pop("__metadata__", None)
    types = {"F32": "<f4", "I32": "<i4", "U8": "u1"}
    return {
        name: np.frombuffer(
            content[start + each["data_offsets"][0] : start + each["data_offsets"][1]],
            types[each["dtype"]],
        ).reshape(each["shape"])
        for name, each in header.items()
    }
