"""Output of commands: tables or versioned JSON on stdout, progress on stderr."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING, Any, TextIO

import typer

if TYPE_CHECKING:
    from kspec.pipeline.results import Artifact, Progress, StageRun

JSON_VERSION = 1
"""Increases when a field changes its meaning or is removed."""
STAGE = 28
"""Columns of a stage's name in the lines of progress: `verify·tflite (raspberry_pi)`."""
SMALLEST, LARGEST = 60, 100
"""Least and largest width of a table, in columns of the terminal."""
NARROWEST = 12
"""Least width to which the cells of a column are broken."""


def print_json(command: str | None, content: Mapping[str, Any]) -> None:
    """Print one JSON object whose first keys are the kind of its content and its version."""
    data = {"version": JSON_VERSION, "command": command, **content}
    typer.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str))


def wants_color(stream: TextIO) -> bool:
    """Return whether the stream is a terminal and NO_COLOR is not set."""
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Return the width of tables: that of the terminal, from 60 to 100; 100 without a terminal."""
    return min(max(shutil.get_terminal_size((LARGEST, 24)).columns, SMALLEST), LARGEST)


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[str] = (),
    limit: int | None = None,
) -> str:
    """Columns as wide as their widest cell, those named in `right` flush right; empty columns are
    left out. Where a line would be longer than `limit`, else `width()`, cells are broken. Control
    and bidirectional characters of cells are escaped."""
    from kspec.spec.render.text import visible

    columns = [
        (name, [name, *map(visible, cells)])
        for name, *cells in zip(header, *rows, strict=True)
        if any(cells)
    ]
    sizes = _fitted([[*map(len, cells)] for _, cells in columns], limit or width())
    lines: list[list[str]] = []
    for row in zip(*(cells for _, cells in columns), strict=True):
        broken = [_broken(cell, size) for cell, size in zip(row, sizes, strict=True)]
        lines += map(list, zip_longest(*broken, fillvalue=""))
    head = max(
        len(_broken(cells[0], size)) for (_, cells), size in zip(columns, sizes, strict=True)
    )
    lines.insert(head, ["─" * size for size in sizes])
    names = [name for name, _ in columns]
    return "\n".join(
        "  ".join(
            cell.rjust(size) if name in right else cell.ljust(size)
            for cell, size, name in zip(line, sizes, names, strict=True)
        ).rstrip()
        for line in lines
    )


def _fitted(lengths: Sequence[Sequence[int]], limit: int) -> list[int]:
    """Return the width of each column: of its widest cell; the widest columns are narrowed until
    the table fits."""
    sizes = [max(each) for each in lengths]
    while sum(sizes) + 2 * (len(sizes) - 1) > limit and max(sizes) > NARROWEST:
        sizes[sizes.index(max(sizes))] -= 1
    return sizes


def _broken(cell: str, size: int) -> list[str]:
    """Break a cell into lines of at most `size` characters, after spaces, commas, `_`, `/`, `-`."""
    lines = [""]
    for part in re.findall(r"[^ _/,-]+[ _/,-]*|[ _/,-]+", cell):
        if lines[-1] and len(lines[-1]) + len(part.rstrip()) > size:
            lines.append("")
        lines[-1] += part
        while len(lines[-1].rstrip()) > size:
            lines[-1:] = [lines[-1][:size], lines[-1][size:]]
    return [line.rstrip() for line in lines]


def paragraph(label: str, text: str) -> str:
    """Text of several words behind a label, broken into lines of `width()`, not at spaces that are
    U+00A0; these are printed as plain ones."""
    lines = wrap(text, width() - len(label), break_on_hyphens=False)
    return "\n".join(
        [label + (lines or [""])[0], *(" " * len(label) + line for line in lines[1:])]
    ).replace("\N{NO-BREAK SPACE}", " ")


def artifact_table(artifacts: Sequence[Artifact], trained: Mapping[str, float]) -> str:
    """Return a table with a row for the trained model and one per artifact, with every metric."""
    from kspec.pipeline.figures import spell_seconds
    from kspec.spec.amounts import spell_bytes

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
    """Return an artifact as JSON data."""
    return {**asdict(artifact), "path": str(artifact.path)}


def stage_printer(*, quiet: bool) -> Callable[[Progress | StageRun], None]:
    """Return a function that prints one line to stderr when work begins, and one when a stage
    ends."""

    def tell(event: Progress | StageRun) -> None:
        from kspec.pipeline.results import Progress
        from kspec.spec.render.text import visible

        if isinstance(event, Progress):
            line = f"{event.stage:<{STAGE}} {'…':>8}   {visible(event.text)}"
        elif event.ran:
            line = f"{event.name:<{STAGE}} {event.seconds:6.1f} s   done"
        else:
            return
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    return _silent if quiet else tell


def _silent(_event: Progress | StageRun) -> None:
    return
