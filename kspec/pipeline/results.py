"""The results of a build: plain values for the command line, the manifest and the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kspec.spec.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class Progress:
    """A piece of work that begins."""

    stage: str
    """``plan``, ``emit·onnx``, …"""
    text: str
    """At the start of a stage, the reason why it runs; then its steps."""


@dataclass(frozen=True, slots=True)
class StageRun:
    """One stage of a build."""

    name: str
    """``train``, ``emit·onnx``, …"""
    key: str
    """The hash of all that decides its result."""
    ran: bool
    """False if the result was already stored."""
    reason: str
    """Why it ran, or would run: ``first build``, ``changed: train``."""
    seconds: float
    cpu: float = 0.0
    """Seconds of CPU, including child processes."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One artifact of one target, run and compared."""

    target: str
    format: str
    path: Path
    """Its place in the store; after the build, in the bundle."""
    sha256: str
    """The hash over all its files."""
    bytes: int
    """The sum over its files."""
    files: Mapping[str, str]
    """The SHA-256 of each file by its POSIX path, relative to the folder of ``path``."""
    options: Mapping[str, Any]
    runtime: str
    """The engine that ran it, with its version."""
    rows: int
    """Number of rows on which it was compared."""
    worst_error: float
    """The largest |Δ| / max(s, |reference|), where s is the largest |reference| of the output, and
    1 where that is larger."""
    flips: int
    """Rows whose decision differs from the trained model's."""
    tolerances: Mapping[str, Mapping[str, float]]
    """``atol`` and ``rtol`` of a self-test for each output, by its name."""
    metrics: Mapping[str, float]
    latency: float
    """Seconds of one call with the smallest batch on one thread."""
    seconds: float
    """Seconds of CPU of the emission."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """The result of one gate for the artifact of one target."""

    gate: str
    target: str
    format: str
    bound: str
    value: float
    passed: bool


@dataclass(frozen=True, slots=True)
class TargetPlan:
    """The result of writing and running one artifact with random weights."""

    format: str
    targets: tuple[str, ...]
    native: Mapping[str, int]
    """Operations of the graph that the format expresses directly, with their number."""
    decomposed: Mapping[str, int]
    """Operations that are rewritten into simpler ones for the format, with their number."""
    bytes: int
    worst_error: float
    runtime: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The result of the proof, and the stages that a build would run."""

    parameters: int
    """Elements of all variables of the model, including statistics."""
    layers: int
    targets: tuple[TargetPlan, ...]
    stages: tuple[StageRun, ...] = ()

    def kept(self) -> dict[str, Any]:
        """Return the data for the store, without the stages and the targets of artifacts."""
        facts = asdict(self)
        del facts["stages"]
        for each in facts["targets"]:
            del each["targets"]
        return facts

    @classmethod
    def read(cls, facts: Mapping[str, Any], users: Iterable[tuple[str, ...]]) -> Plan:
        """Return a plan from the data of `kept` and the targets of each artifact."""
        pairs = zip(facts["targets"], users, strict=True)
        targets = tuple(TargetPlan(targets=names, **each) for each, names in pairs)
        return cls(**{**facts, "targets": targets})


@dataclass(frozen=True, slots=True)
class BuildResult:
    """The result of a build, with the places of its files."""

    name: str
    version: str
    out: Path
    stages: tuple[StageRun, ...]
    artifacts: tuple[Artifact, ...]
    gates: tuple[GateResult, ...]
    metrics: Mapping[str, float]
    """The metrics of the trained model on the test split."""
    manifest: Path
    report: Path
    warnings: tuple[Diagnostic, ...] = ()
    """Warnings of the spec and the trained model, with places in the spec."""
