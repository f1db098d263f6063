"""The names of the files in the results of stages; JSON files have a fixed order of keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DATA = "data.json"
GRAPH = "graph"
HISTORY = "history.json"
MANIFEST = "manifest.json"
METRICS = "metrics.json"
PLAN = "plan.json"
REPORT = "report.html"
RESULT = "result.json"
WEIGHTS = "weights.safetensors"


def write_json(path: Path, content: Any) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
