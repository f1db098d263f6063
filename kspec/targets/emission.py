"""Graph → artifact on disk → its outputs, by way of a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from kspec.compiler.ir import Array, Graph, Node
from kspec.schemas.base import Model
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.targets.formats.format import Format, Refusal
from kspec.targets.platforms.platform import ArtifactRequest
from kspec.targets.registry import formats


@dataclass(frozen=True, slots=True)
class Run:
    """What an artifact gave in its own runtime."""

    outputs: Mapping[str, Array]
    runtime: str
    """Engine and version."""
    signature: Mapping[str, Any]
    """Types of inputs and outputs as the artifact itself declares them."""
    seconds: float
    """For all rows, without opening the artifact."""
    latency: float
    """Seconds of one call with the smallest batch on one thread, the median."""


class ArtifactError(Exception):
    """An artifact that its runtime does not open, or does not run to the end."""


def artifact_name(name: str, request: ArtifactRequest) -> str:
    """The file or folder name of a model's artifact."""
    return name + formats()[request.format].suffix


def emit(graph: Graph, request: ArtifactRequest, path: Path) -> None:
    """Write a graph that has been through the common passes. Raises KspecError KS710 for what the
    format cannot express; the node's origin gives the line."""
    format_ = formats()[request.format]
    lowered = format_.lower(graph)
    if problems := refusals(lowered, format_):
        raise KspecError(*problems)
    format_.write(lowered, path, request.options)


def refusals(lowered: Graph, format_: Format) -> tuple[Diagnostic, ...]:
    """What a lowered graph holds that the format cannot express."""
    nodes = lowered.producers()
    return tuple(_refused(each, nodes[each.node], format_) for each in format_.refusals(lowered))


def run_artifact(format_: Format, path: Path, rows: Mapping[str, Array]) -> Run:
    """Open the artifact in a fresh process in its own runtime, and run all rows. Raises
    ArtifactError with what the runtime said."""
    with tempfile.TemporaryDirectory(prefix="kspec-run-") as folder:
        given, made = Path(folder, "rows.safetensors"), Path(folder, "outputs.safetensors")
        save_file({name: np.asarray(array, order="C") for name, array in rows.items()}, given)
        command = [sys.executable, "-P", "-m", "kspec.targets.formats.child"]
        done = subprocess.run(  # noqa: S603 - our own module, on our own files
            [*command, format_.runner, str(path.resolve()), str(given), str(made)],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
        )
        if done.returncode != 0 or not made.exists():
            lines = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
            raise ArtifactError(lines[-1].strip())
        report = json.loads(done.stdout.strip().splitlines()[-1])
        outputs = load_file(made)
    signature = {"inputs": report["inputs"], "outputs": report["outputs"]}
    return Run(outputs, report["runtime"], signature, report["seconds"], report["latency"])


def options_of(format_: Format, **chosen: Any) -> Model:
    """The options of a format with some of them chosen."""
    return format_.options.model_validate(chosen)


def _refused(refusal: Refusal, node: Node, format_: Format) -> Diagnostic:
    return Diagnostic(
        "KS710",
        f"{format_.name} cannot express {refusal.op} of layer {node.origin.layer!r}:"
        f" {refusal.reason}",
        node.origin.route,
        help=f"use another layer, or drop the targets that need {format_.name}",
    )
