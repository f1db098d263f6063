"""Commands that build from a spec or a .keras file: plan, build, train, emit, import."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kspec.commands.loading import load_document, print_warnings
from kspec.commands.options import (
    AllowPython,
    OutFolder,
    Quiet,
    ReportFormat,
    Roots,
    Settings,
    SpecPath,
    StoreFolder,
    Strict,
)
from kspec.commands.output import (
    artifact_data,
    artifact_table,
    paragraph,
    print_json,
    stage_printer,
    table,
)

if TYPE_CHECKING:
    from kspec.pipeline.results import BuildResult, GateResult, Plan

PROVEN = frozenset({"data", "plan"})
"""Stages that `kspec plan` itself runs."""


def plan(
    spec: SpecPath,
    settings: Settings = None,
    allow_python: AllowPython = False,  # noqa: FBT002 - as Typer reads it
    roots: Roots = None,
    strict: Strict = False,  # noqa: FBT002
    store: StoreFolder = None,
    output_format: ReportFormat = "text",
    quiet: Quiet = False,  # noqa: FBT002 - as Typer reads it
) -> None:
    """Prove with random weights that every target can be emitted; list what a build would do."""
    from kspec.pipeline.build import plan as make_plan

    document = load_document(spec, settings, allow_python=allow_python, roots=roots, strict=strict)
    found = make_plan(document, store=store, notify=stage_printer(quiet=quiet))
    if output_format == "json":
        print_json("plan", {"name": document.spec.name, **asdict(found)})
    else:
        typer.echo(_plan_text(found))


def build(
    spec: SpecPath,
    settings: Settings = None,
    allow_python: AllowPython = False,  # noqa: FBT002
    roots: Roots = None,
    strict: Strict = False,  # noqa: FBT002
    out: OutFolder = None,
    store: StoreFolder = None,
    output_format: ReportFormat = "text",
    quiet: Quiet = False,  # noqa: FBT002
) -> None:
    """Train, emit every target, run and compare every artifact, and pack what was proven."""
    from kspec.pipeline.build import build as make
    from kspec.training.monitors import monitor_for

    document = load_document(spec, settings, allow_python=allow_python, roots=roots, strict=strict)
    result = make(
        document,
        out=out,
        store=store,
        monitor=monitor_for(sys.stderr, quiet=quiet),
        notify=stage_printer(quiet=quiet),
    )
    if output_format == "json":
        print_json("build", _build_data(result))
        return
    typer.echo(_build_text(result))
    print_warnings([each for each in result.warnings if each not in document.warnings], document)


def train(
    spec: SpecPath,
    settings: Settings = None,
    allow_python: AllowPython = False,  # noqa: FBT002
    roots: Roots = None,
    strict: Strict = False,  # noqa: FBT002
    store: StoreFolder = None,
    output_format: ReportFormat = "text",
    quiet: Quiet = False,  # noqa: FBT002
) -> None:
    """Prove the plan and train, no further; `kspec build` and `kspec emit` go on from there."""
    from kspec.pipeline.build import train as make
    from kspec.pipeline.store.records import HISTORY, WEIGHTS
    from kspec.training.monitors import monitor_for, spell_metrics

    folder = make(
        load_document(spec, settings, allow_python=allow_python, roots=roots, strict=strict),
        store=store,
        monitor=monitor_for(sys.stderr, quiet=quiet),
        notify=stage_printer(quiet=quiet),
    )
    history = json.loads((folder / HISTORY).read_text(encoding="utf-8"))
    if output_format == "json":
        print_json("train", {"weights": folder / WEIGHTS, **history})
        return
    last = {k: v for e in history["epochs"][-1:] for k, v in e.items() if isinstance(v, float)}
    early = ", stopped early" if history["stopped_early"] else ""
    typer.echo(f"{len(history['epochs'])} epochs{early}   {spell_metrics(last)}")
    typer.echo(f"weights in {folder / WEIGHTS}")


def emit(
    spec: SpecPath,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the files go.")],
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", metavar="NAME", help="onnx, coreml, …; else all the targets'."),
    ] = None,
    rows: Annotated[
        Path | None,
        typer.Option(
            "--rows", metavar="FILE", help="Compare a .keras file's artifacts on these rows."
        ),
    ] = None,
    settings: Settings = None,
    allow_python: AllowPython = False,  # noqa: FBT002
    roots: Roots = None,
    strict: Strict = False,  # noqa: FBT002
    store: StoreFolder = None,
    output_format: ReportFormat = "text",
    quiet: Quiet = False,  # noqa: FBT002
) -> None:
    """Write and verify artifacts of the trained model, or of a .keras file, without bundles."""
    from kspec.pipeline.keras_files import SUFFIXES, emit_keras, rows_of_a_spec
    from kspec.pipeline.selection import emit_formats
    from kspec.spec.diagnostics import KspecError

    if spec.suffix in SUFFIXES:
        artifacts = emit_keras(spec, formats or (), out, rows)
    elif rows is not None:
        raise KspecError(rows_of_a_spec(rows))
    else:
        document = load_document(
            spec, settings, allow_python=allow_python, roots=roots, strict=strict
        )
        notify = stage_printer(quiet=quiet)
        artifacts = emit_formats(document, formats or (), out, store=store, notify=notify)
    if output_format == "json":
        print_json("emit", {"out": out, "artifacts": [artifact_data(each) for each in artifacts]})
    else:
        typer.echo(artifact_table(artifacts, {}))


def import_(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A .keras file.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the files go.")],
    output_format: ReportFormat = "text",
) -> None:
    """Write the network of a .keras file as a spec, and its weights as safetensors."""
    from kspec.pipeline.keras_files import import_keras

    spec, weights = import_keras(model, out)
    if output_format == "json":
        print_json("import", {"spec": spec, "weights": weights})
    else:
        typer.echo(f"spec     {spec}\nweights  {weights}")


def _plan_text(plan_: Plan) -> str:
    from kspec.spec.amounts import spell_bytes

    head = f"{plan_.parameters:,} parameters in {plan_.layers} layers"
    formats = table(
        ["format", "for", "size", "worst error", "run by"],
        [
            [
                each.format,
                ", ".join(each.targets),
                spell_bytes(each.bytes),
                f"{each.worst_error:.2g}",
                each.runtime,
            ]
            for each in plan_.targets
        ],
        right=("size", "worst error"),
    )
    stages = table(
        ["stage", "would run", "why"],
        [
            [each.name, "yes" if each.ran else "no", each.reason]
            for each in plan_.stages
            if each.name not in PROVEN
        ],
    )
    return "\n".join([head, "", formats, "", *_operations(plan_), "", stages])


def _operations(plan_: Plan) -> list[str]:
    """Return lines with the operations of the graph, native and rewritten, by format."""
    found: dict[tuple[str, str], list[str]] = {}
    for each in plan_.targets:
        for word, ops in (("native", each.native), ("rewritten", each.decomposed)):
            if ops:
                counted = ", ".join(
                    f"{count}\N{NO-BREAK SPACE}{name}" for name, count in ops.items()
                )
                found.setdefault((word, counted), []).append(each.format)
    return [
        paragraph(f"{word:<9}  ", f"{counted}: {', '.join(dict.fromkeys(names))}")
        for (word, counted), names in found.items()
    ]


def _build_data(result: BuildResult) -> dict[str, Any]:
    from kspec.spec.render.machine import as_data

    return {
        "name": result.name,
        "model_version": result.version,
        "out": result.out,
        "stages": [asdict(each) for each in result.stages],
        "metrics": dict(result.metrics),
        "warnings": [as_data(each) for each in result.warnings],
        "artifacts": [artifact_data(each) for each in result.artifacts],
        "gates": [asdict(each) for each in result.gates],
        "manifest": result.manifest,
        "report": result.report,
    }


def _build_text(result: BuildResult) -> str:
    ran = sum(each.ran for each in result.stages)
    done = f"{ran} of {len(result.stages)} stages ran" if ran else "nothing has changed"
    return "\n".join(
        [
            f"{result.name} {result.version}: {done}\n",
            artifact_table(result.artifacts, result.metrics),
            "",
            *gate_lines(result.gates),
            f"bundles   {result.out}",
            f"manifest  {result.manifest}",
            f"report    {result.report}",
        ]
    )


def gate_lines(gates: Sequence[GateResult]) -> list[str]:
    """Return one line per gate: its bound, and the value of each artifact that it applies to."""
    from kspec.pipeline.figures import spell_gate

    by_gate: dict[tuple[str, str], list[str]] = {}
    for each in gates:
        found = by_gate.setdefault((each.gate, each.bound), [])
        whose = each.target if each.target == each.format else f"{each.target} ({each.format})"
        found.append(f"{whose} {spell_gate(each.bound, each.value)}")
    return [
        paragraph("gate      ", f"{gate} {bound}: {', '.join(values)}")
        for (gate, bound), values in by_gate.items()
    ]
