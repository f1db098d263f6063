"""Loads the spec of a command: problems are errors, warnings go to stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from kspec.commands.options import Setting, overrides
from kspec.commands.output import wants_color

if TYPE_CHECKING:
    from kspec.spec.diagnostics import Diagnostic
    from kspec.spec.document import Document


def load_document(
    spec: Path,
    settings: Iterable[Setting] | None,
    *,
    allow_python: bool = False,
    roots: Sequence[Path] | None = None,
    strict: bool = False,
) -> Document:
    """Return the checked document at `spec`; print its warnings on stderr.

    Raises KspecError with every problem, and with every warning too where `strict` says so.
    """
    from kspec.pipeline.check import load_checked

    document = load_checked(
        spec,
        overrides=overrides(settings),
        allow_python=allow_python,
        roots=roots or (),
        strict=strict,
    )
    print_warnings(document.warnings, document)
    return document


def print_warnings(warnings: Sequence[Diagnostic], document: Document) -> None:
    """Print warnings as text on stderr."""
    from kspec.spec.diagnostics import KspecError
    from kspec.spec.render import render

    if warnings:
        error = KspecError(*warnings, document=document)
        typer.echo(render(error, color=wants_color(sys.stderr)), err=True)
