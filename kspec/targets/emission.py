"""Graph → artifact on disk → outputs of the artifact, computed in a separate process."""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from kspec.compiler.ir import Array, Graph, Node
from kspec.compiler.ops.base import OpError
from kspec.compiler.passes import PassError
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.system_errors import FULL, system_error
from kspec.targets.formats.child import Job
from kspec.targets.formats.format import Format
from kspec.targets.formats.processes import run_python
from kspec.targets.formats.refusal import Refusal
from kspec.targets.formats.rule import FAULTS, RuleError, first_line
from kspec.targets.registry import formats
from kspec.targets.request import ArtifactRequest

PATIENCE = 1800.0
REPORT = "please report it with the model; until then, use another layer or another format"
LONGEST_WORDS = 600
"""The length to which a runtime's message is cut, in characters."""


@dataclass(frozen=True, slots=True)
class Run:
    """The outputs of an artifact in its own runtime, and how they were computed."""

    outputs: Mapping[str, Array]
    runtime: str
    """Engine and version."""
    signature: Mapping[str, Any]
    """Types of inputs and outputs as the artifact declares them."""
    seconds: float
    """The time to compute all rows, without opening the artifact."""
    latency: float
    """Median seconds of a call with the smallest batch on one thread; 0 if not measured."""
    cpu: float
    """CPU seconds of the process, including its start."""


class ArtifactError(Exception):
    """An artifact that its runtime cannot open, or cannot run to the end."""


def artifact_name(name: str, request: ArtifactRequest) -> str:
    """Return the file or folder name of a model's artifact."""
    return name + formats()[request.format].suffix


@dataclass(frozen=True, slots=True)
class Written:
    """An artifact on disk."""

    files: tuple[str, ...]
    """Every file, as a POSIX path relative to the folder that contains the artifact."""
    operations: Mapping[str, int]
    """The number of nodes of each op in the written graph."""


def emit(graph: Graph, request: ArtifactRequest, path: Path) -> Written:
    """Write a graph to which the common passes were applied; ``path`` is the artifact's main file
    or folder. The graph is lowered once: the same graph is checked, counted and written.

    Raises KspecError: KS710 if the format cannot express a node, with the node's origin; KS714 for
    a pass and KS718 for a rule that failed; KS715 for a format that does not declare the files it
    writes; KS904 if a package that the format needs is not installed.
    """
    format_ = formats()[request.format]
    if missing := tuple(_missing(format_)):
        raise KspecError(*missing)
    try:
        lowered = format_.lower(graph, request.options)
        if problems := refusals(lowered, request):
            raise KspecError(*problems)
        files = write_artifact(lowered, request, path)
    except PassError as error:
        raise KspecError(_failed(error, format_)) from error
    except RuleError as error:
        raise KspecError(_unwritten(error, format_)) from error
    except ValueError as error:  # of the format's limits
        message = f"{format_.name} cannot express the network: {error}"
        raise KspecError(Diagnostic("KS710", message, help=_instead(format_))) from error
    except FAULTS as error:
        reason = f"{type(error).__name__}: {first_line(error)}"
        message = f"{format_.name} cannot write the network ({reason})"
        raise KspecError(Diagnostic("KS718", message, help=REPORT)) from error
    return Written(files, Counter(type(node.op).__name__ for node in lowered.nodes))


def _unwritten(error: RuleError, format_: Format[Any]) -> Diagnostic:
    """Return the diagnostic for a node whose rule failed. A ValueError is a limit of the format."""
    node = error.node
    kind, cause = type(node.op).__name__, error.__cause__
    if isinstance(cause, ValueError):
        return _refused(Refusal(node.name, kind, str(error)), node, format_)
    reason = f"{type(cause).__name__}: {error}"
    message = f"{format_.name} cannot write {kind} {_place(node)} as it is used here ({reason})"
    return Diagnostic("KS718", message, node.origin.route, help=REPORT)


def write_artifact(lowered: Graph, request: ArtifactRequest, path: Path) -> tuple[str, ...]:
    """Write a lowered graph and return every file of the artifact, sorted. Raises ValueError as
    `Format.write` does, and KspecError KS715 if the format wrote other files than it declares."""
    format_, before = formats()[request.format], _files(path.parent)
    declared = format_.write(lowered, path, request.options)
    found = _files(path.parent) - before
    if odd := sorted(found ^ set(declared)):
        wrote = (
            "declares but did not write" if odd[0] in declared else "wrote without declaring it:"
        )
        raise KspecError(
            Diagnostic(
                "KS715",
                f"the format {format_.name} {wrote} {odd[0]}",
                help="`Format.write` returns every file of the artifact, relative to its folder",
            )
        )
    return tuple(sorted(found))


def refusals(lowered: Graph, request: ArtifactRequest) -> tuple[Diagnostic, ...]:
    """Return diagnostics for the nodes of a lowered graph that the format cannot express."""
    format_, nodes = formats()[request.format], lowered.producers()
    found = format_.refusals(lowered, request.options)
    return tuple(_refused(each, nodes[each.node], format_) for each in found)


def _files(folder: Path) -> set[str]:
    return {each.relative_to(folder).as_posix() for each in folder.rglob("*") if not each.is_dir()}


def _failed(error: PassError, format_: Format[Any]) -> Diagnostic:
    if isinstance(error.__cause__, OpError):  # sizes that do not fit
        message = f"{format_.name} cannot express the network: {error}"
        return Diagnostic("KS710", message, help=_instead(format_))
    return Diagnostic(
        "KS714",
        f"the network could not be lowered for {format_.name}: {error}",
        help="this is an error of kspec or of an extension; please report it with the spec",
    )


@dataclass(frozen=True, slots=True)
class HowToRun:
    """How an artifact's process is run."""

    latency: bool = True
    """Whether to measure one call as well."""
    turn: Path | None = None
    """A lock file for parallel processes: none computes while another one is measured."""
    patience: float = PATIENCE
    """Seconds after which the process counts as hanging."""


MEASURED = HowToRun()


def run_artifact(
    format_: Format[Any], path: Path, rows: Mapping[str, Array], how: HowToRun = MEASURED
) -> Run:
    """Open the artifact in a fresh process in its own runtime, and run all rows. Raises
    ArtifactError with the runtime's message, or at the time limit; OSError if the disk is full."""
    with tempfile.TemporaryDirectory(prefix="kspec-run-") as folder:
        given, made = Path(folder, "rows.safetensors"), Path(folder, "outputs.safetensors")
        save_file({name: np.asarray(array, order="C") for name, array in rows.items()}, given)
        job = Job(
            runner=format_.runner,
            artifact=str(path.resolve()),
            rows=str(given),
            outputs=str(made),
            latency=how.latency,
            turn=str(how.turn.resolve()) if how.turn else None,
        )
        command = ["-m", "kspec.targets.formats.child", json.dumps(asdict(job))]
        try:
            done = run_python(command, folder=Path(folder), timeout=how.patience)
        except subprocess.TimeoutExpired as error:
            raise ArtifactError(f"it had not ended after {how.patience:g} seconds") from error
        if done.returncode != 0:
            told = system_error(done.stderr)
            if told is not None and told.errno in FULL:
                raise told  # of the folder for the outputs, not of the artifact
            raise ArtifactError(_last_words(done.stderr, done.returncode))
        report = json.loads(done.stdout.strip().splitlines()[-1])
        outputs = load_file(made)
    signature = {"inputs": report["inputs"], "outputs": report["outputs"]}
    figures = (report["seconds"], report["latency"], report["cpu"])
    return Run(outputs, report["runtime"], signature, *figures)


def _missing(format_: Format[Any]) -> Iterator[Diagnostic]:
    for name in format_.packages:
        try:
            version(name)
        except PackageNotFoundError:
            yield Diagnostic(
                "KS904",
                f"{format_.name} artifacts need {name}, which is not installed",
                help=f"install {name}, or drop the targets that need {format_.name}",
            )


def _last_words(stderr: str, code: int) -> str:
    """Return the message of a failed process's traceback, or else its last lines."""
    if code < 0:
        return f"it was ended by {signal.Signals(-code).name}"
    lines = [line.rstrip() for line in stderr.splitlines() if line.strip()]
    frames = [index for index, line in enumerate(lines) if line.startswith('  File "')]
    said = lines[frames[-1] + 1 :] if frames else lines[-3:]
    text = " ".join(line.strip() for line in said if not frames or not line.startswith("    "))
    return text[:LONGEST_WORDS] or f"it ended with {code}"


def _refused(refusal: Refusal, node: Node, format_: Format[Any]) -> Diagnostic:
    return Diagnostic(
        "KS710",
        f"{format_.name} cannot express {refusal.op} {_place(node)}: {refusal.reason}",
        node.origin.route,
        help=_instead(format_),
    )


def _instead(format_: Format[Any]) -> str:
    return f"use another layer, or drop the targets that need {format_.name}"


def _place(node: Node) -> str:
    """Return the layer of a node; an operation between layers is named by its value."""
    layer = node.origin.layer
    return f"of layer {layer!r}" if layer else f"at {node.name!r}, between layers"
