"""The process that runs one artifact: ``python -m kspec.targets.formats.child JOB``.

The argument is a Job as JSON. The process prints one line of JSON.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import select
import signal
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from kspec.compiler.ir import TensorType

Rows = Mapping[str, np.ndarray]
CHUNK = 64
"""Rows per call if the artifact takes any number."""
LATENCY_SECONDS = 0.3
PR_SET_PDEATHSIG = 1
"""Of prctl(2): the signal that a process gets when the thread that started it ends."""


@dataclass(frozen=True, slots=True)
class Job:
    """The arguments of the process. Paths are absolute."""

    runner: str
    """``module:class``."""
    artifact: str
    rows: str
    """A safetensors file of rows by input name."""
    outputs: str
    """The safetensors file to write, with outputs by name."""
    latency: bool
    """Whether to measure the latency of a call."""
    turn: str | None
    """The lock file of concurrent jobs: many compute their rows at once, and only one at a time
    measures its latency."""


def end_with_parent() -> None:
    """End this process when the process that started it ends, by whatever signal. The parent's end
    of the pipe on standard input is then closed, and a thread sees that. On Linux the kernel also
    kills this process: the thread cannot run during a C call that holds the interpreter's lock."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if select.select([0], [], [], 0)[0]:  # the parent ended before that
            os._exit(1)

    def watch() -> None:
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main(arguments: list[str]) -> None:
    end_with_parent()
    job = Job(**json.loads(arguments[0]))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # since 1.29, ONNX Runtime contacts its vendor
    module, _, name = job.runner.partition(":")
    with _turn(job.turn, fcntl.LOCK_SH):
        runner: Any = getattr(import_module(module), name)(Path(job.artifact), threads=1)
        rows = load_file(job.rows)
        started = time.perf_counter()
        outputs = run_rows(runner, rows)
        seconds = time.perf_counter() - started
        save_file(outputs, job.outputs)
    with _turn(job.turn, fcntl.LOCK_EX):
        measured = latency(runner, rows) if job.latency else 0.0
    report = {
        "runtime": runner.runtime,
        "inputs": _described(runner.inputs),
        "outputs": _described(runner.outputs),
        "seconds": seconds,
        "latency": measured,
        "cpu": time.process_time(),
    }
    sys.stdout.write(json.dumps(report) + "\n")


@contextmanager
def _turn(path: str | None, kind: int) -> Iterator[None]:
    if path is None:
        yield
        return
    with open(path, "a") as file:  # noqa: PTH123 - locked, never written
        fcntl.flock(file, kind)
        yield


def run_rows(runner: Any, rows: Rows) -> dict[str, np.ndarray]:
    """Return the outputs for all rows, computed in chunks. If the artifact has a fixed batch size,
    the last chunk is padded with its last row."""
    fixed = _fixed_batch(runner.inputs)
    parts = [_run_chunk(runner, chunk, fixed) for chunk in _chunks(rows, fixed or CHUNK)]
    # safetensors ignores strides, and a concatenation of transposed views has strides.
    return {
        name: np.asarray(np.concatenate([part[name] for part in parts]), order="C")
        for name in parts[0]
    }


def latency(runner: Any, rows: Rows) -> float:
    """Return the median seconds of a call with the smallest batch: calls are repeated for 0.3 s, at
    least 3 times, after two calls to warm up."""
    size = _fixed_batch(runner.inputs) or 1
    chunk = next(_chunks(rows, size))
    times: list[float] = []
    for _ in range(2):
        _run_chunk(runner, chunk, size)
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
