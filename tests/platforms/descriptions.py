"""Descriptions of bundles that were never built."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from kspec.features.description import Description
from kspec.features.kinds import golden_cell
from kspec.schemas.base import Choice

ZEROS = "0" * 64
TOLERANCE = {"atol": 1e-5, "rtol": 1e-5}


def described(about: Mapping[str, Any]) -> Description:
    """The typed description of what a JSON file says."""
    return Description.read(json.dumps(about))


def description(
    name: str,
    inputs: Sequence[Mapping[str, Any]],
    outputs: Sequence[Mapping[str, Any]],
    artifacts: Sequence[Mapping[str, Any]],
    golden: Mapping[str, Any],
    **others: Any,
) -> dict[str, Any]:
    """The JSON of a bundle; what is not given about artifacts and golden rows is made up."""
    artifact = {
        "format": "onnx",
        "sha256": ZEROS,
        "bytes": 1,
        "options": {},
        "runtime": "onnxruntime 1.0.0",
        "rows": 1,
        "worst_error": 0.0,
        "flips": 0,
        "tolerances": {each["name"]: dict(TOLERANCE) for each in outputs},
        "metrics": {},
    }
    about = {
        "kspec_bundle": 2,
        "name": name,
        "version": "1.0.0",
        "description": "",
        "target": "onnx",
        "options": {},
        "signature": {"inputs": list(inputs), "outputs": list(outputs)},
        "artifacts": [
            {**artifact, "files": {name_of(each): each.get("sha256", ZEROS)}, **each}
            for each in artifacts
        ],
        "golden": {"sha256": ZEROS, "pictures": {}, "rows": 1, "from": "test", **golden},
        "trained": {},
        "files": {},
        "versions": {"kspec": "0.1.0"},
    }
    return {**about, **others}


def name_of(artifact: Mapping[str, Any]) -> str:
    """The name of an artifact's main file."""
    return str(artifact["path"]).rpartition("/")[2]


def golden_of(kind: Choice) -> bytes:
    """The golden picture of a kind of input."""
    cell = golden_cell(kind)
    assert cell is not None
    return cell[1]


def port(name: str, kind: str, shape: Sequence[int | str], **others: Any) -> dict[str, Any]:
    """An input without columns, or an output without labels."""
    return {"name": name, "kind": kind, "dtype": "float32", "shape": ["batch", *shape], **others}


def picture_steps(channels: int, maximum: float, resize: tuple[str, int, int] | None) -> list[Any]:
    """The host steps of a picture; ``resize`` has the method, the height and the width."""
    steps: list[Any] = [{"step": "decode_image", "place": "host", "channels": channels}]
    if resize is not None:
        method, height, width = resize
        size = {"height": height, "width": width, "method": method}
        steps.append({"step": "resample", "place": "host", **size})
    if maximum != 255:
        steps.append({"step": "scale_pixels", "place": "host", "maximum": maximum})
    return steps
