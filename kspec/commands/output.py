"""What goes to stdout: tables for people, versioned JSON for programs; progress goes to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TextIO

import typer

if TYPE_CHECKING:
    from kspec.pipeline.results import Artifact, Progress, StageRun

JSON_VERSION = 1
"""Rises when a field changes its meaning or goes away."""


def print_json(command: str | None, content: Mapping[str, Any]) -> None:
    """One object, with what it is about in front."""
    data = {"version": JSON_VERSION, "command": command, **content}
    typer.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str))


def wants_color(stream: TextIO) -> bool:
    """Whether a person looks at the stream who has not asked for plain text."""
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[str] = ()
) -> str:
    """Columns as wide as their widest cell, those named in `right` flush right; empty columns are
    left out."""
    columns = [
        (name, [name, *cells]) for name, *cells in zip(header, *rows, strict=True) if any(cells)
    ]
    padded = []
    for name, cells in columns:
        width = max(map(len, cells))
        cells.insert(1, "─" * width)
        padded.append([c.rjust(width) if name in right else c.ljust(width) for c in cells])
    return "\n".join("  ".join(line).rstrip() for line in zip(*padded, strict=True))


def spell_bytes(count: int) -> str:
    """Three digits and a unit of the powers of 1000, as gates have them."""
    if count < 1000:
        return f"{count} B"
    size, unit = (count / 1e3, "KB") if count < 1e6 else (count / 1e6, "MB")
    return f"{size:.3g} {unit}" if size < 1000 else f"{size:,.0f} {unit}"


def spell_seconds(seconds: float) -> str:
    """Seconds, thousandths or millionths of them."""
    if seconds >= 1:
        return f"{seconds:.3g} s"
    return f"{1e3 * seconds:.3g} ms" if seconds >= 1e-3 else f"{1e6 * seconds:.3g} µs"


def artifact_table(artifacts: Sequence[Artifact], trained: Mapping[str, float]) -> str:
    """One row an artifact, after one for the trained model, with every metric."""
    metrics = list(dict.fromkeys(name for each in artifacts for name in each.metrics))
    header = ["target", "format", "file", "size", "worst error", "flips", *metrics, "latency"]
    rows = [
        [
            each.target,
            each.format,
            each.path.name,
            spell_bytes(each.bytes),
            f"{each.worst_error:.2g}",
            f"{each.flips} of {each.rows}",
            *(f"{each.metrics[name]:.4g}" if name in each.metrics else "" for name in metrics),
            spell_seconds(each.latency),
        ]
        for each in artifacts
    ]
    if trained:
        figures = [f"{trained[name]:.4g}" if name in trained else "" for name in metrics]
        rows.insert(0, ["", "", "trained model", "", "", "", *figures, ""])
    return table(header, rows, right=("size", "worst error", "flips", *metrics, "latency"))


def artifact_data(artifact: Artifact) -> dict[str, Any]:
    """An artifact as JSON data."""
    return {**asdict(artifact), "path": str(artifact.path)}


def stage_printer(*, quiet: bool) -> Callable[[Progress | StageRun], None]:
    """Prints to stderr one line for each piece of work that begins, and one for each stage that
    ended."""

    def tell(event: Progress | StageRun) -> None:
        from kspec.pipeline.results import Progress

        if isinstance(event, Progress):
            line = f"{event.stage:<20} {'…':>8}   {event.text}"
        elif event.ran:
            line = f"{event.name:<20} {event.seconds:6.1f} s   done"
        else:
            return
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    return _silent if quiet else tell


def _silent(_event: Progress | StageRun) -> None:
    return
