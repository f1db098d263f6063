"""The reader of `.mlpackage` folders: manifest, model and weights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.message import (  # type: ignore[import-untyped,unused-ignore]
    DecodeError,
)

from kspec.targets.formats.coreml.evaluator.errors import PackageError
from kspec.targets.formats.coreml.evaluator.messages import messages
from kspec.targets.formats.coreml.evaluator.weights import WeightFile

_MODEL = "CoreML Model Specification"
_WEIGHTS = "CoreML Model Weights"


@dataclass(frozen=True, slots=True)
class Package:
    """The content of a package."""

    model: Any
    """The Model message."""
    weights: WeightFile | None

    @classmethod
    def open(cls, path: Path) -> Package:
        """Open a package. Raises PackageError, or OSError if a file is missing."""
        manifest = json.loads((path / "Manifest.json").read_text(encoding="utf-8"))
        items = manifest["itemInfoEntries"]
        root = items[manifest["rootModelIdentifier"]]
        if root["description"] != _MODEL:
            raise PackageError("the manifest's root is not a model")
        model = messages().Model_pb2.Model()
        try:
            model.ParseFromString((path / "Data" / root["path"]).read_bytes())
        except DecodeError as error:
            raise PackageError(f"{root['path']} is not a model: {error}") from error
        folders = [each["path"] for each in items.values() if each["description"] == _WEIGHTS]
        files = [WeightFile(path / "Data" / folder / "weight.bin") for folder in folders]
        return cls(model, files[0] if files else None)
