"""Descriptions of bundles that were never built."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from kspec.features.description import Description

ZEROS = "0" * 64


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
        "files": {},
        "options": {},
        "runtime": "onnxruntime 1.0.0",
        "rows": 1,
        "worst_error": 0.0,
        "flips": 0,
        "tolerance": {"atol": 1e-5, "rtol": 1e-5},
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
        "artifacts": [{**artifact, **each} for each in artifacts],
        "golden": {"sha256": ZEROS, "pictures": {}, "rows": 1, "from": "test", **golden},
        "trained": {},
        "files": {},
        "versions": {"kspec": "0.1.0"},
    }
    return {**about, **others}


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
