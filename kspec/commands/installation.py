"""The command that examines the machine: doctor."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import typer

from kspec.commands.options import ReportFormat
from kspec.commands.output import print_json, table

ENVIRONMENT = 3


def doctor(output_format: ReportFormat = "text") -> None:
    """Say whether this machine has what kspec needs: packages, runtimes, space."""
    from kspec.pipeline.doctor import examine

    findings = tuple(examine(Path.cwd()))
    if output_format == "json":
        print_json("doctor", {"findings": [asdict(each) for each in findings]})
    else:
        rows = [[each.name, each.status, each.found] for each in findings]
        typer.echo(table(["what", "status", "found"], rows))
    if any(each.status == "missing" for each in findings):
        raise typer.Exit(ENVIRONMENT)
