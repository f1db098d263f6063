"""The self-test: the bundle's answers on this machine against the trained model's."""

import platform
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .client import Client
from .description import Engine, Spec
from .engines import FOLDER
from .errors import EngineError, InputError
from .files import DESCRIPTION, altered_files
from .golden import described_columns, read_safetensors
from .proof import Judge, Report, check_pictures

PLATFORM = "raspberry_pi"
TIMED_CALLS = 30
_DEVICE = Path("/proc/device-tree/model")

Row = dict[str, Any]


def check(spec: Spec, engine: Engine, threads: int | None) -> Report:
    """Run the client on the golden rows."""
    artifact = spec.artifacts[engine]
    report = Report(PLATFORM, spec.name, spec.version, engine, _device(), artifact.file)
    report.problems += altered_files(FOLDER)
    # A damaged artifact may crash the engine and thus the process.
    if not any(each.startswith((*artifact.files, spec.golden.file)) for each in report.problems):
        try:
            model: Client[Any, Any] = Client(spec, engine, threads)
            report.engine = model.engine
            _Check(model, report).run()
        except (EngineError, InputError) as error:
            report.add(str(error))
        except (OSError, ValueError, KeyError) as error:  # an altered description
            report.add(f"{DESCRIPTION}: {type(error).__name__}: {error}")
    return report


def _device() -> str:
    board = _DEVICE.read_text().strip("\0") if _DEVICE.exists() else platform.system()
    return f"{board}, {platform.machine()}"


class _Check:
    """The test of one model on its golden rows. The column names come from the bundle's
    description, so that a client with other names fails."""

    def __init__(self, model: Client[Any, Any], report: Report) -> None:
        self.model, self.report, self.spec = model, report, model.spec
        self.golden = read_safetensors(FOLDER / model.spec.golden.file)
        self.columns = described_columns(FOLDER)
        self.judge = Judge(self.spec.outputs, model.artifact, self.golden, report)

    def run(self) -> None:
        """Test single rows as an application does, all rows at once, the pictures, and the time."""
        by_column = self._rows(by_column=True)
        self.report.rows = len(by_column)
        self._compare("a row", [self.model.predict(row) for row in by_column])
        self._compare("all rows", self.model.predict_many(self._rows(by_column=False)))
        self.judge.finish()
        check_pictures(self.spec.inputs, self.spec.golden, self.golden, FOLDER, self.report)
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

    def _compare(self, what: str, answers: list[Mapping[str, Any]]) -> None:
        values: dict[str, NDArray[np.float64]] = {}
        labels: dict[str, list[str]] = {}
        for output in self.spec.outputs:
            given = [answer[output.name] for answer in answers]
            if output.decides:
                labels[output.name] = [each.label for each in given]
                given = [each.values for each in given]
            found = np.array(given, np.float64)
            values[output.name] = found[:, None] if found.ndim == 1 else found
        self.judge.compare(what, values, labels)

    def _latency(self, rows: list[Row]) -> float:
        """Measure the median time of single rows, in milliseconds."""
        times = []
        for call in range(TIMED_CALLS):
            start = perf_counter()
            self.model.predict(rows[call % len(rows)])
            times.append(perf_counter() - start)
        return round(1000 * median(times), 3)
