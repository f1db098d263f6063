"""Emission by kspec beside today's converters, on whole architectures.

    make bench                                             everything, into docs/benchmarks.md
    python -m benchmarks.emit --only mobilenet-v2 --format onnx

Each converter runs in a process of its own for each architecture, from a built Keras model with
random weights and statistics to the file on disk; a converter that fails is a cell with its error.
Runs add to ``benchmarks/results.json``; the page is written from it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.page import write_page
from tests.architectures.networks import ARCHITECTURES

RESULTS = Path(__file__).parent / "results.json"
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
FORMATS = ("onnx", "coreml", "tflite", "tf_serving")
PATIENCE = 1200
PACKAGES = (
    "tensorflow",
    "keras",
    "onnx",
    "onnxruntime",
    "coremltools",
    "ai-edge-litert",
    "tf2onnx",
    "numpy",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.emit", description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=list(ARCHITECTURES), metavar="NAME")
    parser.add_argument("--format", action="append", choices=FORMATS, metavar="FORMAT")
    parser.add_argument("--small", action="store_true", help="the tests' sizes of pictures")
    parser.add_argument("--again", action="store_true", help="only write the page again")
    chosen = parser.parse_args()
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    for name in () if chosen.again else chosen.only or ARCHITECTURES:
        measured = measure(name, chosen.format or FORMATS, small=chosen.small)
        entry = results.setdefault("architectures", {}).setdefault(name, {})
        formats = entry.get("formats", {}) if entry.get("size") == measured["size"] else {}
        entry |= measured | {"formats": formats | measured["formats"]}
        results["machine"] = machine()
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        print(name, json.dumps(measured), flush=True)
    write_page(results, list(ARCHITECTURES), PAGE)


def measure(name: str, formats: Sequence[str], *, small: bool) -> dict[str, Any]:
    """The figures of one architecture; those of a process that died are its last words."""
    architecture = ARCHITECTURES[name]
    size = architecture.small if small else architecture.full
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        ours = process("convert", "kspec", name, str(size), folder, *formats)
        found: dict[str, Any] = {"size": size, "load": os.getloadavg()[0], "formats": {}}
        found |= {key: ours[key] for key in ("weights", "parameters") if key in ours}
        for each in formats:
            theirs = process("convert", "peer", name, str(size), folder, each)
            judged = process("judge", each, folder)
            found["formats"][each] = {
                "kspec": ours.get(each, {"error": ours.get("error")}) | judged.get("kspec", {}),
                "peer": theirs.get(each, {"error": theirs.get("error")}) | judged.get("peer", {}),
            }
    return found


def process(module: str, *arguments: str) -> dict[str, Any]:
    """What a process of the benchmark printed last."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=PATIENCE, env=quiet
        )
    except subprocess.TimeoutExpired:
        return {"error": f"had not ended after {PATIENCE} s"}
    lines = done.stdout.strip().splitlines()
    if done.returncode == 0 and lines:
        return dict(json.loads(lines[-1]))
    last = [line for line in done.stderr.strip().splitlines() if line.strip()][-1:]
    return {"error": " ".join(last)[:160] or f"ended with {done.returncode}"}


def machine() -> dict[str, Any]:
    return {
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
    }


if __name__ == "__main__":
    main()
