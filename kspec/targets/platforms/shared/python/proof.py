"""The report of a self-test, and the comparison of answers with the golden rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .signature import Artifact, Golden, Input, Output
from .steps import StepError, run

PICTURE_ERROR = 1e-6
"""The largest error of a golden picture's tensor, relative to its largest value."""


@dataclass(slots=True)
class Report:
    """The result of a self-test; the fields are the keys of the line."""

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

    @property
    def passed(self) -> bool:
        """Whether no problem was found."""
        return not self.problems

    def add(self, problem: str) -> None:
        """Note a problem, once."""
        if problem not in self.problems:
            self.problems.append(problem)

    def line(self) -> str:
        """Return ``KSPEC-SELFTEST {json}``."""
        found = {**asdict(self), "pass": self.passed}
        return f"KSPEC-SELFTEST {json.dumps(found, allow_nan=False)}"


class Judge:
    """The comparison of answers with the golden rows, which fills a report."""

    def __init__(
        self,
        outputs: Sequence[Output],
        artifact: Artifact,
        golden: Mapping[str, NDArray[Any]],
        report: Report,
    ) -> None:
        self._outputs, self._artifact = outputs, artifact
        self._golden, self._report = golden, report
        self._flipped: set[int] = set()
        self._worst = 0.0

    def compare(
        self,
        what: str,
        values: Mapping[str, NDArray[np.float64]],
        labels: Mapping[str, Sequence[str]],
        start: int = 0,
    ) -> None:
        """Compare the answers to consecutive golden rows from ``start``: the values of each output,
        float64[rows, …], and the labels of each output with a decision. ``what`` names the
        request in problems."""
        for output in self._outputs:
            found = values[output.name]
            exact = self._golden[f"output/{output.name}"].astype(np.float64)
            rows = slice(start, start + len(found))
            ratio = self._ratio(output, found, exact[rows], scale_of(exact))
            self._worst = max(self._worst, ratio) if ratio <= np.inf else ratio
            if not ratio <= 1:
                self._report.add(f"{what}: output {output.name!r} is {ratio:.3g} × the tolerance")
            if output.decides:
                self._decide(output, labels[output.name], exact[rows], scale_of(exact), start)
        self._report.worst_error_ratio = self._worst if np.isfinite(self._worst) else None
        self._report.flips = len(self._flipped)

    def finish(self) -> None:
        """Report the rows whose label differs."""
        if self._flipped:
            first = min(self._flipped)
            self._report.add(f"{len(self._flipped)} rows have another label, row {first} first")

    def _ratio(
        self,
        output: Output,
        found: NDArray[np.float64],
        exact: NDArray[np.float64],
        scale: float,
    ) -> float:
        """Return the largest |Δ| / (atol · s + rtol · |reference|); NaN if a value is not finite or
        the shapes differ."""
        if found.shape != exact.shape or not np.isfinite(found).all():
            return float("nan")
        tolerance = self._artifact.tolerances[output.name]
        allowed = tolerance.atol * scale + tolerance.rtol * np.abs(exact)
        return float((np.abs(found - exact) / allowed).max())

    def _decide(
        self,
        output: Output,
        labels: Sequence[str],
        exact: NDArray[np.float64],
        scale: float,
        start: int,
    ) -> None:
        """Count rows with another label, unless their reference is a tie within the tolerance."""
        texts = self._golden[f"decision/{output.name}"]
        decided = output.margin(exact) > self._artifact.tolerances[output.name].atol * scale
        for row, label in enumerate(labels, start):
            right = bytes(texts[row]).rstrip(b"\0").decode()
            if decided[row - start] and label != right:
                self._flipped.add(row)


def scale_of(exact: NDArray[np.float64]) -> float:
    """Return s: the largest |reference| of an output, at most 1; 1 if it is 0."""
    return float(min(1.0, np.abs(exact).max()) or 1.0)


def check_pictures(
    inputs: Sequence[Input],
    files: Golden,
    golden: Mapping[str, NDArray[Any]],
    folder: Path,
    report: Report,
) -> dict[str, tuple[bytes, NDArray[np.float32]]]:
    """Run the steps of each input on its golden picture, and compare the tensor with the expected
    one. Return the readable files, each with its tensor, by the input's name."""
    found = {}
    for each in (given for given in inputs if given.steps):
        content = (folder / files.pictures[each.name]).read_bytes()
        try:
            tensor = run(each.steps, content)
        except StepError as refusal:
            report.add(f"input {each.name!r}: the golden picture is refused: {refusal}")
            continue
        expected = golden[f"picture/{each.name}"][0].astype(np.float64)
        if tensor.shape != expected.shape:
            report.add(f"input {each.name!r}: the golden picture has the shape {tensor.shape}")
            continue
        error = float(np.abs(tensor - expected).max()) / float(np.abs(expected).max() or 1.0)
        report.picture_error = max(error, report.picture_error or 0.0)
        if not error <= PICTURE_ERROR:
            report.add(f"input {each.name!r}: the golden picture is {error:.3g} off")
        found[each.name] = (content, tensor)
    return found
