"""Commands for built bundles: verify, predict, inspect."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kspec.commands.builds import gate_lines
from kspec.commands.loading import load_document
from kspec.commands.options import (
    AllowPython,
    OutFolder,
    Quiet,
    ReportFormat,
    Roots,
    Settings,
    StoreFolder,
)
from kspec.commands.output import artifact_data, artifact_table, print_json, stage_printer, table

if TYPE_CHECKING:
    from kspec.pipeline.bundles.prediction import Prediction
    from kspec.pipeline.inspection import ShownStep
    from kspec.pipeline.results import GateResult

PROOF: Mapping[str, str] = MappingProxyType(
    {
        "golden": "proven on the golden rows of the bundles",
        "build": "proven on all rows that the build judged by",
    }
)
NO_GATES: tuple[GateResult, ...] = ()

Place = Annotated[
    Path, typer.Argument(metavar="SPEC|BUNDLE", help="A spec, or the folder of bundles or of one.")
]


def verify(
    place: Place,
    settings: Settings = None,
    allow_python: AllowPython = False,  # noqa: FBT002 - as Typer reads it
    roots: Roots = None,
    out: OutFolder = None,
    store: StoreFolder = None,
    output_format: ReportFormat = "text",
    quiet: Quiet = False,  # noqa: FBT002
) -> None:
    """Run every artifact that was built again, and compare it with the trained model."""
    from kspec.pipeline.bundles.shipped import bundles_in, verify_bundles, verify_document

    notify = stage_printer(quiet=quiet)
    if not _is_spec(place):
        artifacts, gates, proof = (
            verify_bundles(bundles_in(place), notify=notify),
            NO_GATES,
            "golden",
        )
    else:
        document = load_document(place, settings, allow_python=allow_python, roots=roots)
        artifacts, gates, proof = verify_document(document, out=out, store=store, notify=notify)
    if output_format == "json":
        found = {
            "rows": proof,
            "artifacts": [artifact_data(each) for each in artifacts],
            "gates": [asdict(each) for each in gates],
        }
        print_json("verify", found)
    else:
        typer.echo("\n".join([artifact_table(artifacts, {}), "", *gate_lines(gates), PROOF[proof]]))


def predict(
    place: Place,
    rows: Annotated[
        Path, typer.Option("--input", metavar="FILE", help="Rows in a .json or .csv file.")
    ],
    format_: Annotated[
        str | None, typer.Option("--format", metavar="NAME", help="Which artifact; else the first.")
    ] = None,
    settings: Settings = None,
    allow_python: AllowPython = False,  # noqa: FBT002
    roots: Roots = None,
    out: OutFolder = None,
    output_format: ReportFormat = "text",
) -> None:
    """Run an artifact that was built on rows, and print labels and numbers."""
    from kspec.pipeline.bundles.prediction import predict as run
    from kspec.pipeline.bundles.prediction import read_rows
    from kspec.pipeline.bundles.shipped import bundles_in, bundles_of, choose

    if not _is_spec(place):
        bundles = bundles_in(place)
    else:
        document = load_document(place, settings, allow_python=allow_python, roots=roots)
        bundles = bundles_of(document, out)
    artifact = choose(bundles, format_)
    signature = bundles[0].about.signature
    predictions = run(artifact, read_rows(rows, signature.inputs), signature.decisions)
    if output_format == "json":
        print_json("predict", {"artifact": str(artifact.path), "predictions": predictions})
    else:
        typer.echo(_prediction_table(predictions))


def inspect(
    place: Annotated[
        Path, typer.Argument(metavar="SPEC|BUNDLE|MANIFEST", help="What to look into.")
    ],
    ir: Annotated[bool, typer.Option("--ir", help="The graph's text form instead.")] = False,  # noqa: FBT002
    settings: Settings = None,
    allow_python: AllowPython = False,  # noqa: FBT002
    roots: Roots = None,
    store: StoreFolder = None,
    output_format: ReportFormat = "text",
) -> None:
    """Show a spec's network with its shapes, or its graph; or what a bundle or manifest says."""
    if not _is_spec(place):
        about = _description(place)
        if output_format == "json":
            print_json("inspect", about)
        else:
            typer.echo(_described(about))
        return
    from kspec.pipeline.inspection import graph, network

    document = load_document(place, settings, allow_python=allow_python, roots=roots)
    if ir:
        from kspec.compiler.text import format_graph

        typer.echo(format_graph(graph(document, store=store)), nl=False)
        return
    steps = network(document)
    if output_format == "json":
        print_json("inspect", {"name": document.spec.name, "network": [asdict(s) for s in steps]})
    else:
        typer.echo(_network_table(steps))


def _is_spec(place: Path) -> bool:
    return place.suffix in (".yaml", ".yml") and not place.is_dir()


def _description(place: Path) -> Mapping[str, Any]:
    from kspec.pipeline.bundles.shipped import open_bundle, read_manifest

    if place.suffix == ".json":
        return read_manifest(place)
    return open_bundle(place).about.model_dump(mode="json", by_alias=True)


def _described(about: Mapping[str, Any]) -> str:
    from kspec.spec.render.text import visible

    head = f"{about['name']} {about['version']}"
    head += f" for {about['target']}" if "target" in about else ""
    puts = [
        [
            direction,
            each["name"],
            each["kind"],
            f"{each['dtype']}[{', '.join(map(str, each['shape']))}]",
            _labels((each.get("decision") or {}).get("labels", [])),
        ]
        for direction, section in (("input", "inputs"), ("output", "outputs"))
        for each in about["signature"][section]
    ]
    files = [
        [
            each.get("target", about.get("target", "")),
            each["format"],
            each["path"],
            each["sha256"][:16],
            f"{each['worst_error']:.2g}",
            each["runtime"],
        ]
        for each in about["artifacts"]
    ]
    return "\n\n".join(
        [
            *(visible(part) for part in (head, about.get("description")) if part),
            table(["", "name", "kind", "type", "labels"], puts),
            table(["target", "format", "file", "sha256", "worst error", "run by"], files),
        ]
    )


def _labels(labels: list[str]) -> str:
    text = ", ".join(labels)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _network_table(steps: tuple[ShownStep, ...]) -> str:
    rows = [
        [
            str(each.line),
            each.name,
            each.layer,
            ", ".join(each.inputs),
            " × ".join(map(str, each.shape)),
        ]
        for each in steps
    ]
    return table(["line", "name", "layer", "from", "shape"], rows, right=("line",))


def _prediction_table(predictions: tuple[Prediction, ...]) -> str:
    rows = [
        [str(place), name, str(found.get("label", "")), json.dumps(_rounded(found["values"]))]
        for place, prediction in enumerate(predictions, 1)
        for name, found in prediction.items()
    ]
    return table(["row", "output", "label", "values"], rows, right=("row",))


def _rounded(values: Any) -> Any:
    if isinstance(values, list):
        return [_rounded(each) for each in values]
    return float(f"{values:.4g}")
