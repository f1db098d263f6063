"""The proof that this bundle answers here as the trained model does."""

import json
import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .client import Client, tensor
from .description import Engine, Output, Spec
from .engines import FOLDER
from .errors import EngineError, InputError
from .files import altered_files
from .golden import read_safetensors
from .verdict import error_ratio, flipped_rows

PLATFORM = "raspberry_pi"
TIMED_CALLS = 30
MAX_PICTURE_ERROR = 1e-6
_BUNDLE = "kspec-bundle.json"
_DEVICE = Path("/proc/device-tree/model")

Row = dict[str, Any]


@dataclass
class Report:
    """What was found; the fields are the keys of the line."""

    platform: str
    name: str
    version: str
    engine: str
    device: str
    artifact: str
    rows: int = 0
    worst_error_ratio: float | None = None
    flips: int | None = None
    picture_error: float | None = None
    latency_ms: float | None = None
    problems: list[str] = field(default_factory=list)

    def line(self) -> str:
        """``KSPEC-SELFTEST {json}``."""
        found = {**vars(self), "pass": not self.problems}
        return f"KSPEC-SELFTEST {json.dumps(found, allow_nan=False)}"


def check(spec: Spec, engine: Engine, threads: int | None) -> Report:
    """Run the client on the golden rows."""
    artifact = spec.artifacts[engine]
    report = Report(PLATFORM, spec.name, spec.version, engine, _device(), artifact.file)
    report.problems += altered_files(FOLDER)
    # A damaged artifact may end the process within the engine.
    if not any(each.startswith((artifact.file, spec.golden.file)) for each in report.problems):
        try:
            model: Client[Any, Any] = Client(spec, engine, threads)
            report.engine = model.engine
            _Check(model, report).run()
        except (EngineError, InputError) as error:
            report.problems.append(str(error))
        except (OSError, ValueError, KeyError) as error:  # an altered description
            report.problems.append(f"{_BUNDLE}: {type(error).__name__}: {error}")
    return report


def _device() -> str:
    board = _DEVICE.read_text().strip("\0") if _DEVICE.exists() else platform.system()
    return f"{board}, {platform.machine()}"


class _Check:
    """One model against its golden rows. Names of columns and labels are those of the bundle's
    description, so that a client which has others fails."""

    def __init__(self, model: Client[Any, Any], report: Report) -> None:
        self.model, self.report, self.spec = model, report, model.spec
        self.ratios: list[float] = []
        self.golden = read_safetensors(FOLDER / model.spec.golden.file)
        about = json.loads((FOLDER / _BUNDLE).read_text("utf-8"))
        inputs = about["signature"]["inputs"]
        self.columns = {each["name"]: each["columns"] for each in inputs}

    def run(self) -> None:
        """Row by row as an application asks, all rows at once, the pictures, and the time."""
        by_column = self._rows(by_column=True)
        self.report.rows = len(by_column)
        self._judge([self.model.predict(row) for row in by_column])
        self._judge(self.model.predict_many(self._rows(by_column=False)))
        self._check_pictures()
        self.report.latency_ms = self._latency(by_column)

    def _rows(self, *, by_column: bool) -> list[Row]:
        inputs: dict[str, list[Any]] = {}
        for each in self.spec.inputs:
            rows = self.golden[f"input/{each.name}"]
            columns = self.columns[each.name]
            inputs[each.name] = (
                [dict(zip(columns, row.ravel().tolist(), strict=True)) for row in rows]
                if by_column and each.columns
                else list(rows)
            )
        return [dict(zip(inputs, row, strict=True)) for row in zip(*inputs.values(), strict=True)]

    def _judge(self, answers: list[Mapping[str, Any]]) -> None:
        flipped = set[int]()
        for output in self.spec.outputs:
            given = [answer[output.name] for answer in answers]
            reference = self.golden[f"output/{output.name}"].astype(np.float64)
            values = self._values(output, given).reshape(reference.shape)
            ratio = error_ratio(values, reference, self.model.artifact)
            self.ratios.append(ratio)
            if not ratio <= 1:
                self._add(f"output {output.name!r} is {ratio:.3g} times the tolerance off")
            if output.labels:
                texts = self.golden[f"decision/{output.name}"]
                labels = [bytes(text).rstrip(b"\0").decode() for text in texts]
                atol = self.model.artifact.atol
                flipped |= flipped_rows(output, given, reference, labels, atol)
        if flipped:
            self._add(f"{len(flipped)} rows have another label, row {min(flipped)} first")
        self.report.flips = max(len(flipped), self.report.flips or 0)
        finite = all(map(math.isfinite, self.ratios))
        self.report.worst_error_ratio = max(self.ratios) if finite else None

    def _values(self, output: Output, given: list[Any]) -> NDArray[np.float64]:
        if not output.labels:
            return np.array(given, np.float64).reshape(len(given), -1)
        return np.array([each.values for each in given], np.float64)

    def _check_pictures(self) -> None:
        for each in self.spec.inputs:
            if each.picture is None:
                continue
            file = FOLDER / self.spec.golden.pictures[each.name]
            found = tensor(each, file, self.model.artifact.sizes).astype(np.float64)
            wanted = self.golden[f"picture/{each.name}"][0]
            error = float(np.abs(found - wanted).max()) / each.picture.maximum
            self.report.picture_error = max(error, self.report.picture_error or 0.0)
            if error > MAX_PICTURE_ERROR:
                self._add(f"input {each.name!r}: the golden picture is {error:.3g} off")

    def _latency(self, rows: list[Row]) -> float:
        times = []
        for call in range(TIMED_CALLS):
            start = perf_counter()
            self.model.predict(rows[call % len(rows)])
            times.append(perf_counter() - start)
        return round(1000 * median(times), 3)

    def _add(self, problem: str) -> None:
        if problem not in self.report.problems:
            self.report.problems.append(problem)
