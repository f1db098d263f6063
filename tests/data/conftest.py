from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kspec.schemas import Spec
from kspec.spec.document import Document
from kspec.spec.reader import read

Build = Callable[..., Document]


@pytest.fixture
def document(tmp_path: Path) -> Build:
    """Makes the document of a spec in `tmp_path`; the network plays no part in the data."""

    def build(
        source: dict[str, Any],
        inputs: dict[str, Any] | None = None,
        outputs: dict[str, Any] | None = None,
        **split: Any,
    ) -> Document:
        raw: dict[str, Any] = {
            "kspec": 1,
            "name": "m",
            "data": {"source": source, "split": split},
            "inputs": inputs or {"x": {"number": 2, "columns": ["a", "b"]}},
            "outputs": outputs or {"y": {"category": {"labels": ["0", "1"]}}},
            "network": ["flatten"],
        }
        text = json.dumps(raw, indent=1)  # JSON is YAML, and never uses anchors
        root, _ = read(text, "model.yaml")
        spec = Spec.model_validate(raw)
        return Document(tmp_path / "model.yaml", text, spec, (), "", root, {"model.yaml": text})

    return build
