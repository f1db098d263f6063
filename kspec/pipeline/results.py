"""The results of a build: plain values for the command line, the manifest and the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kspec.spec.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class Progress:
    """Work that a stage begins."""

    stage: str
    """``plan``, ``emit·onnx``, …"""
    text: str
    """Why the stage runs, when it starts; then what it does."""


@dataclass(frozen=True, slots=True)
class StageRun:
    """One stage of a build."""

    name: str
    """``train``, ``emit·onnx``, …"""
    key: str
    """The hash of all that it reads."""
    ran: bool
    """False where its result was there already."""
    reason: str
    """Why it ran, or would run: ``first build``, ``changed: train``."""
    seconds: float
    cpu: float = 0.0
    """Seconds of CPU, those of child processes included."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One artifact of one target, run and compared."""

    target: str
    format: str
    path: Path
    """Where it lies; in the bundle once that is placed."""
    sha256: str
    """Of its files together."""
    bytes: int
    """The sum over its files."""
    files: Mapping[str, str]
    """The SHA-256 of each file by its POSIX path, relative to the folder of ``path``."""
    options: Mapping[str, Any]
    runtime: str
    """The engine that ran it, with its version."""
    rows: int
    """How many rows it was compared on."""
    worst_error: float
    """The largest |Δ| / max(s, |reference|), where s is the largest |reference| of the output, and
    1 where that is larger."""
    flips: int
    """Rows whose decision differs from the trained model's."""
    tolerance: Mapping[str, float]
    metrics: Mapping[str, float]
    latency: float
    """Seconds of one call with the smallest batch on one thread."""
    seconds: float
    """For emission."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate held against one target's artifact."""

    gate: str
    target: str
    format: str
    bound: str
    value: float
    passed: bool


@dataclass(frozen=True, slots=True)
class TargetPlan:
    """What one format makes of the network, seen by writing and running it with random weights."""

    format: str
    targets: tuple[str, ...]
    native: Mapping[str, int]
    """Operations of the graph that the format has, with their number."""
    decomposed: Mapping[str, int]
    """Operations that are rewritten into simpler ones for it."""
    bytes: int
    worst_error: float
    runtime: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build would do."""

    parameters: int
    """Numbers in the variables of the model, statistics included."""
    layers: int
    targets: tuple[TargetPlan, ...]
    stages: tuple[StageRun, ...] = ()

    def kept(self) -> dict[str, Any]:
        """What the store keeps of it: neither the stages nor whom an artifact is for."""
        facts = asdict(self)
        del facts["stages"]
        for each in facts["targets"]:
            del each["targets"]
        return facts

    @classmethod
    def read(cls, facts: Mapping[str, Any], users: Iterable[tuple[str, ...]]) -> Plan:
        """A plan of what `kept` gave, and the targets that each of its artifacts is for."""
        pairs = zip(facts["targets"], users, strict=True)
        targets = tuple(TargetPlan(targets=names, **each) for each, names in pairs)
        return cls(**{**facts, "targets": targets})


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What a build did and where it lies."""

    name: str
    version: str
    out: Path
    stages: tuple[StageRun, ...]
    artifacts: tuple[Artifact, ...]
    gates: tuple[GateResult, ...]
    metrics: Mapping[str, float]
    """Of the trained model on the test split."""
    manifest: Path
    report: Path
    warnings: tuple[Diagnostic, ...] = ()
    """What is worth saying of the trained model, with places in the spec."""
