"""Runs one artifact in a process of its own: ``python -m kspec.targets.formats.child``.

Arguments: the runner as ``module:class``, the artifact, a safetensors file of rows by input name,
and the safetensors file to write with outputs by name. Prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from kspec.compiler.ir import TensorType

Rows = Mapping[str, np.ndarray]
CHUNK = 64
"""Rows at once, where the artifact takes any number."""
LATENCY_SECONDS = 0.5


def main(arguments: list[str]) -> None:
    runner_path, artifact, rows_path, out_path = arguments
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # ONNX Runtime calls its makers from 1.29 on
    module, _, name = runner_path.partition(":")
    runner: Any = getattr(import_module(module), name)(Path(artifact), threads=1)
    rows = load_file(rows_path)
    started = time.perf_counter()
    outputs = run_rows(runner, rows)
    seconds = time.perf_counter() - started
    save_file(outputs, out_path)
    report = {
        "runtime": runner.runtime,
        "inputs": _described(runner.inputs),
        "outputs": _described(runner.outputs),
        "seconds": seconds,
        "latency": latency(runner, rows),
    }
    sys.stdout.write(json.dumps(report) + "\n")


def run_rows(runner: Any, rows: Rows) -> dict[str, np.ndarray]:
    """The outputs for all rows, in chunks of the size that the artifact takes; the last chunk is
    filled up with its last row where the size is fixed."""
    fixed = _fixed_batch(runner.inputs)
    parts = [_run_chunk(runner, chunk, fixed) for chunk in _chunks(rows, fixed or CHUNK)]
    # safetensors writes memory as it lies; joining transposed views may give one.
    return {
        name: np.asarray(np.concatenate([part[name] for part in parts]), order="C")
        for name in parts[0]
    }


def latency(runner: Any, rows: Rows) -> float:
    """Seconds of one call with the smallest batch: the median of the calls of half a second, at
    least 3, after two that do not count."""
    size = _fixed_batch(runner.inputs) or 1
    chunk = next(_chunks(rows, size))
    for _ in range(2):
        _run_chunk(runner, chunk, size)
    times: list[float] = []
    while len(times) < 3 or (sum(times) < LATENCY_SECONDS and len(times) < 1000):
        started = time.perf_counter()
        _run_chunk(runner, chunk, size)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def _chunks(rows: Rows, size: int) -> Iterator[dict[str, np.ndarray]]:
    count = len(next(iter(rows.values())))
    for start in range(0, count, size):
        yield {name: array[start : start + size] for name, array in rows.items()}


def _run_chunk(runner: Any, chunk: Rows, fixed: int | None) -> dict[str, np.ndarray]:
    count = len(next(iter(chunk.values())))
    missing = (fixed or count) - count
    filled = {
        name: np.concatenate([array, np.repeat(array[-1:], missing, axis=0)]) if missing else array
        for name, array in chunk.items()
    }
    outputs: dict[str, np.ndarray] = runner(filled)
    return {name: np.asarray(array)[:count] for name, array in outputs.items()}


def _fixed_batch(inputs: Mapping[str, TensorType]) -> int | None:
    sizes = {each.shape[0] for each in inputs.values() if isinstance(each.shape[0], int)}
    return sizes.pop() if sizes else None


def _described(types: Mapping[str, TensorType]) -> dict[str, Any]:
    return {
        name: {"dtype": str(each.dtype), "shape": list(each.shape)} for name, each in types.items()
    }


if __name__ == "__main__":
    main(sys.argv[1:])
