"""Runs every written artifact and compares it with the trained model."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from kspec.compiler.ir import Array, Graph, Origin, Value
from kspec.compiler.passes import run_passes
from kspec.compiler.passes.channels_first import SUFFIX
from kspec.compiler.passes.common import COMMON
from kspec.compiler.reference import NONE, evaluate
from kspec.features.decision import Decisions
from kspec.pipeline.proof.comparison import (
    Comparison,
    Outputs,
    compare,
    errors_of,
    scale_of,
)
from kspec.pipeline.proof.metrics import task_metrics
from kspec.pipeline.proof.rows import Rows
from kspec.pipeline.proof.verdict import (
    ELSEWHERE,
    Tolerances,
    Yardstick,
    bundle_tolerances,
    measure,
    within,
)
from kspec.spec.diagnostics import Diagnostic
from kspec.targets.emission import (
    MEASURED,
    ArtifactError,
    HowToRun,
    Run,
    artifact_name,
    run_artifact,
)
from kspec.targets.formats.format import Tolerance
from kspec.targets.registry import formats
from kspec.targets.request import ArtifactRequest


@dataclass(frozen=True, slots=True)
class Suspect:
    """The first value of an artifact that differs from the same value of the graph."""

    name: str
    op: str
    origin: Origin
    error: float


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of verifying one artifact."""

    comparison: Comparison | None
    """The run; None if the artifact did not run."""
    run: Run | None
    metrics: Mapping[str, float]
    problems: tuple[Diagnostic, ...]
    """Why the artifact must not ship; empty if it agrees."""
    tolerances: Tolerances = field(default_factory=dict)
    """The tolerance of a bundle's self-test for each output; empty if the artifact did not run."""

    @property
    def passed(self) -> bool:
        return not self.problems

    def facts(self) -> dict[str, Any]:
        """Return the fields of an Artifact that verification determines."""
        assert self.comparison is not None
        assert self.run is not None
        return {
            "runtime": self.run.runtime,
            "rows": self.comparison.rows,
            "worst_error": self.comparison.worst_error,
            "flips": self.comparison.flips,
            "metrics": dict(self.metrics),
            "latency": self.run.latency,
            "tolerances": {name: asdict(each) for name, each in self.tolerances.items()},
        }


def verify_artifact(
    path: Path,
    request: ArtifactRequest,
    rows: Rows,
    outputs: Decisions,
    graph: Graph | None = None,
    least: Tolerances | None = None,
    how: HowToRun = MEASURED,
) -> Verification:
    """Run an artifact on the rows and compare its outputs. With the traced ``graph``, a difference
    is traced to the first node that differs, and so to its line. ``least`` is the error of each
    output that is always allowed; by default it is the format's."""
    format_ = formats()[request.format]
    try:
        run = run_artifact(format_, path, rows.inputs, how)
    except ArtifactError as error:
        message = f"{path.name} does not run in {format_.name}'s own runtime: {error}"
        return Verification(None, None, {}, (Diagnostic("KS721", message),))
    if odd := _misfit(run.outputs, rows.expected):
        return Verification(None, run, {}, (Diagnostic("KS721", f"{path.name} {odd}"),))
    tolerances = least or dict.fromkeys(rows.expected, format_.tolerance(request.options))
    comparison = compare(run.outputs, rows.expected, outputs, tolerances, rows.yardsticks)
    metrics = task_metrics(run.outputs, rows.targets, outputs) if rows.targets else {}
    problems: tuple[Diagnostic, ...] = ()
    if not comparison.within:
        suspect = locate(graph, request, rows.first(4)) if graph else None
        name = comparison.worst_output
        own = rows.yardsticks.get(name, Yardstick()).peak / scale_of(rows.expected[name])
        problems = (_difference(path, comparison, own, suspect),)
    scales = {name: scale_of(each) for name, each in rows.expected.items()}
    allowed = bundle_tolerances(tolerances, scales, rows.yardsticks)
    return Verification(comparison, run, metrics, problems, allowed)


def locate(graph: Graph, request: ArtifactRequest, rows: Rows) -> Suspect | None:
    """Return the first node whose value differs. The graph is written again with every value as an
    output, and each value is compared with the reference's value of the same name: passes keep the
    name of a value as long as its numbers stay the same."""
    format_ = formats()[request.format]
    lowered = format_.lower(run_passes(graph, COMMON), request.options)
    batch = format_.fixed(request.options).get("batch", len(rows))
    chunks = _chunks(rows.inputs, batch)
    meant, rounded = (
        {
            **_values(lowered, chunks, precision, format_.reference),
            **_values(graph, chunks, precision),
        }
        for precision in (np.float64, np.float32)
    )
    nodes = [node for node in lowered.nodes if len(node.outputs) == 1]
    shown = tuple(node.output for node in nodes)
    least = format_.tolerance(request.options)
    tolerance = Tolerance(max(least.atol, ELSEWHERE.atol), max(least.rtol, ELSEWHERE.rtol))
    with tempfile.TemporaryDirectory(prefix="kspec-locate-") as folder:
        path = Path(folder, artifact_name(graph.name, request))
        try:
            format_.write(replace(lowered, outputs=shown), path, request.options)
            how = HowToRun(latency=False)
            found = run_artifact(format_, path, _joined(chunks), how).outputs
        except (ArtifactError, ValueError):  # not every format can show every value
            return None
    for node in nodes:
        name, expected = node.name, _meant(meant, node.output)
        scale = scale_of(expected)
        own = measure(expected, _meant(rounded, node.output))
        if name in found and not within(found[name], expected, tolerance, scale, own):
            error = float(errors_of(found[name], expected, scale).max())
            return Suspect(name, type(node.op).__name__, node.origin, error)
    return None


def _chunks(inputs: Mapping[str, Array], batch: int) -> list[dict[str, Array]]:
    """Yield the rows in chunks of exactly ``batch``; the last row fills up the last chunk."""
    count = len(next(iter(inputs.values())))
    places = [range(start, start + batch) for start in range(0, count, batch)]
    return [
        {name: np.take(array, place, axis=0, mode="clip") for name, array in inputs.items()}
        for place in places
    ]


def _values(
    graph: Graph,
    chunks: Sequence[Mapping[str, Array]],
    precision: type[np.float32] | type[np.float64],
    more: Mapping[type, Callable[..., Any]] = NONE,
) -> dict[str, Array]:
    """Return the reference of every value, over all chunks."""
    return _joined(evaluate(graph, x, keep=True, precision=precision, more=more) for x in chunks)


def _joined(parts: Iterable[Mapping[str, Array]]) -> dict[str, Array]:
    first, *others = parts
    return {
        name: np.concatenate([array, *(each[name] for each in others)]) if array.ndim else array
        for name, array in first.items()
    }


def _misfit(found: Outputs, expected: Outputs) -> str | None:
    """Return which outputs an artifact lacks or adds, or the first output of another shape."""
    if odd := found.keys() ^ expected.keys():
        return f"has other outputs than the model: {', '.join(sorted(odd))}"
    for name, each in expected.items():
        if found[name].shape != each.shape:
            rows, *given = found[name].shape
            wanted = f"{len(each)} of {list(each.shape[1:])}"
            return f"returns {rows} rows of shape {given} for {name!r} instead of {wanted}"
    return None


def _meant(meant: Outputs, value: Value) -> Array:
    """Return the reference's value; a channels-first value is known by its other name."""
    plain = value.name.removesuffix(SUFFIX)
    array = meant[value.name]
    if plain != value.name and plain in meant and meant[plain].ndim == array.ndim > 2:
        return np.moveaxis(meant[plain], -1, 1)
    return array


def _difference(
    path: Path, comparison: Comparison, own: float, suspect: Suspect | None
) -> Diagnostic:
    where = ""
    route: tuple[str | int, ...] = ()
    if suspect is not None:
        route = suspect.origin.route
        where = (
            f"; the first node that differs is {suspect.op} {suspect.name!r} of layer"
            f" {suspect.origin.layer!r}, by {suspect.error:.3g}"
        )
    return Diagnostic(
        "KS720",
        f"{path.name} differs from the trained model at output {comparison.worst_output!r}, row"
        f" {comparison.worst_row}: error {comparison.worst_error:.3g}, where rounding moves the"
        f" trained model by {own:.1g}{where}",
        route,
        help="nothing was shipped; please report it with the spec",
    )
