"""Options shared by several commands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer


@dataclass(frozen=True, slots=True)
class Setting:
    """One `--set a.b=value`."""

    path: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Setting:
        """Split the text at the first `=`."""
        path, equals, value = text.partition("=")
        if not equals or not path.strip():
            raise typer.BadParameter(f"{text!r} is not of the form path=value: train.epochs=2")
        return cls(path.strip(), value)


def overrides(settings: Iterable[Setting] | None) -> dict[str, str]:
    """Return path → value for `kspec.spec.load`; the last of several values for a path applies."""
    return {each.path: each.value for each in settings or ()}


SpecPath = Annotated[Path, typer.Argument(metavar="SPEC", help="The YAML file of the model.")]
Settings = Annotated[
    list[Setting] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        parser=Setting.parse,
        help="Set a value of the spec: train.epochs=2. May be repeated.",
    ),
]
AllowPython = Annotated[
    bool, typer.Option("--allow-python", help="Run the Python file that the spec names.")
]
Roots = Annotated[
    list[Path] | None,
    typer.Option(
        "--root",
        metavar="DIR",
        help="A folder beside the spec's own in which its data may lie. May be repeated.",
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Treat warnings as errors.")]
StoreFolder = Annotated[
    Path | None,
    typer.Option(
        "--store", metavar="DIR", help="Where results are kept; else .kspec beside the spec."
    ),
]
OutFolder = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Where bundles lie; else dist beside the spec."),
]
Report = Literal["text", "json"]
ReportFormat = Annotated[
    Report, typer.Option("--output-format", help="How the result is written to stdout.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
