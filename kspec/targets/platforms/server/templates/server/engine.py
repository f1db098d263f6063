"""The model in ONNX Runtime: short calls run at once, long calls on a worker."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from onnxruntime.capi import onnxruntime_pybind11_state as errors  # type: ignore[import-untyped]

from .description import Model
from .errors import RequestError
from .settings import Settings
from .signature import Input
from .steps import StepError, run

Arrays = Mapping[str, np.ndarray]
AT_ONCE = 0.002
"""The longest call, in seconds, that may delay all other requests; handing a call to a worker costs
about 0.0001 seconds."""
TIMED = 5
FAILURES = (errors.Fail, errors.InvalidArgument, errors.RuntimeException)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a request."""

    count: int
    arrays: dict[str, np.ndarray]
    files: dict[str, list[bytes]] = field(default_factory=dict)
    """Files for the steps of an input, by the input's name."""


class Engine:
    """One session of ONNX Runtime on the CPU."""

    def __init__(self, model: Model, folder: Path, settings: Settings) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = settings.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # do not log a request that does not fit
        self.model = model
        self.name = f"onnxruntime {onnxruntime.__version__}"
        self._settings = settings
        self._session = onnxruntime.InferenceSession(
            str(folder / model.artifact.file), options, providers=["CPUExecutionProvider"]
        )
        self._names = [each.name for each in model.outputs]
        self._inputs = {each.name: each for each in model.inputs}
        self._open = any(len(each.sizes) < len(each.shape) for each in model.inputs)
        self._pool = ThreadPoolExecutor(settings.workers, "kspec")
        self._waiting = 0
        self._latency = self._measure()

    async def infer(self, rows: Rows) -> Arrays:
        """Return the outputs by name. Raises RequestError: 400 if a file cannot be decoded or an
        answer is not finite, 503 if too many requests wait, 504 if the answer takes too long."""
        if not rows.files and rows.count * self._latency <= AT_ONCE:
            return self._run(rows.arrays, None)
        if self._waiting >= self._settings.waiting:
            raise RequestError(503, "too many requests wait", {"retry-after": "1"})
        options = onnxruntime.RunOptions()
        loop = asyncio.get_running_loop()
        self._waiting += 1
        work = self._pool.submit(self._work, rows, options)
        work.add_done_callback(lambda _: loop.call_soon_threadsafe(self._done))
        try:
            async with asyncio.timeout(self._settings.seconds):
                return await asyncio.wrap_future(work)
        except TimeoutError:
            options.terminate = True
            message = f"there was no answer within {self._settings.seconds:g} s"
            raise RequestError(504, message) from None

    def close(self) -> None:
        """Wait for the running calls."""
        self._pool.shutdown()

    def _done(self) -> None:
        self._waiting -= 1

    def _work(self, rows: Rows, options: Any) -> Arrays:
        arrays = dict(rows.arrays)
        for name, files in rows.files.items():
            arrays[name] = self._decode(self._inputs[name], files)
        return self._run(arrays, options)

    def _decode(self, wanted: Input, files: list[bytes]) -> np.ndarray:
        try:
            return np.stack([run(wanted.steps, file) for file in files])
        except StepError as error:
            raise RequestError(400, f"{wanted.name}: {error}") from None

    def _run(self, arrays: Arrays, options: Any) -> Arrays:
        try:
            results = self._session.run(self._names, arrays, options)
        except FAILURES as error:
            if not self._open:
                raise
            # A varying size, such as a number of time steps, may be too small for the network.
            message = f"the model does not take inputs of these sizes: {error}"
            raise RequestError(400, message) from None
        for name, result in zip(self._names, results, strict=True):
            if not np.isfinite(result).all():
                raise RequestError(400, f"{name} has no finite value for these inputs")
        return dict(zip(self._names, results, strict=True))

    def _measure(self) -> float:
        """Return the seconds of a call with one row, after a first call."""
        zeros = {
            each.name: np.zeros(
                (1, *(size if isinstance(size, int) else 1 for size in each.shape)), each.dtype
            )
            for each in self.model.inputs
        }
        times = []
        for _ in range(TIMED):
            started = time.perf_counter()
            try:
                self._session.run(self._names, zeros)
            except FAILURES:
                if not self._open:
                    raise
                return AT_ONCE * 2  # one time step may be too few; then every call counts as long
            times.append(time.perf_counter() - started)
        return statistics.median(times)
