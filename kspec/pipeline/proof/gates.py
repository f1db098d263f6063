"""Gates: conditions on every artifact; a build that fails one ships nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from kspec.features.kinds import decisions_of
from kspec.pipeline.proof.metrics import metric_names
from kspec.schemas import Spec
from kspec.spec.diagnostics import Diagnostic
from kspec.spec.suggestions import suggest

if TYPE_CHECKING:
    from kspec.pipeline.results import Artifact, GateResult

MEASURES = ("size", "latency", "flips", "worst_error")
"""The figures of every artifact: bytes, seconds per call, the share of rows whose decision differs,
and the largest value of `kspec.pipeline.proof.comparison.errors_of`."""


def check_gates(spec: Spec) -> Iterator[Diagnostic]:
    """Yield KS802 and KS803 for gates whose metric no artifact has, or whose target the spec
    lacks."""
    without_truth = spec.data is None and spec.weights is not None
    known = (*(() if without_truth else metric_names(decisions_of(spec))), *MEASURES)
    for name in spec.gates:
        glob, metric = split_gate(name)
        if metric not in known:
            yield Diagnostic(
                "KS802",
                f"unknown metric `{metric}`",
                ("gates", name),
                help=suggest(metric, known) or f"available: {', '.join(known)}",
            )
        if not any(fnmatchcase(target, glob) for target in spec.targets):
            yield Diagnostic(
                "KS803",
                f"no target has the name `{glob}`",
                ("gates", name),
                help=suggest(glob, tuple(spec.targets)) or "remove the gate, or add the target",
            )


def judge(spec: Spec, artifacts: Iterable[Artifact]) -> tuple[GateResult, ...]:
    """Compare every gate with every artifact of its targets."""
    from kspec.pipeline.results import GateResult  # `check` creates no results

    found = tuple(artifacts)
    return tuple(
        GateResult(name, each.target, each.format, gate.text, value, gate.holds(value))
        for name, gate in spec.gates.items()
        for each in found
        if fnmatchcase(each.target, split_gate(name)[0])
        for value in [measures(each)[split_gate(name)[1]]]
    )


def failures(results: Iterable[GateResult]) -> tuple[Diagnostic, ...]:
    return tuple(
        Diagnostic(
            "KS801",
            f"gate {each.gate}: {each.target} ({each.format}) has {each.value:.6g},"
            f" not {each.bound}",
            ("gates", each.gate),
        )
        for each in results
        if not each.passed
    )


def measures(artifact: Artifact) -> Mapping[str, float]:
    """Return every figure that a gate can name, in its unit."""
    return {
        **artifact.metrics,
        "size": float(artifact.bytes),
        "latency": artifact.latency,
        "flips": artifact.flips / max(1, artifact.rows),
        "worst_error": artifact.worst_error,
    }


def split_gate(name: str) -> tuple[str, str]:
    """Split ``android.size`` into (``android``, ``size``). A gate without a target applies to all
    targets."""
    glob, _, metric = name.rpartition(".")
    return glob or "*", metric
