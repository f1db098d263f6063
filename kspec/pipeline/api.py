"""The functions that ``kspec`` offers to Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from kspec.pipeline import build as pipeline
from kspec.pipeline.build import Notify
from kspec.pipeline.check import NONE, check, load_checked
from kspec.pipeline.results import BuildResult, Plan
from kspec.spec.document import Document
from kspec.training.monitors import Monitor

__all__ = ["build", "check", "load", "plan"]


def load(
    path: str | Path,
    *,
    overrides: Mapping[str, str] = NONE,
    allow_python: bool = False,
    roots: Sequence[Path] = (),
) -> Document:
    """Read a spec and check all that can be checked without TensorFlow; a Python file that it names
    is run where ``allow_python`` says so, and its data may lie in the folders ``roots`` beside its
    own. Raises KspecError with every problem found."""
    return load_checked(path, overrides=overrides, allow_python=allow_python, roots=roots)


def plan(
    spec: str | Path | Document, *, store: Path | None = None, notify: Notify | None = None
) -> Plan:
    """Prove with random weights that every target can be emitted; nothing is trained."""
    return pipeline.plan(_document(spec), store=store, notify=notify)


def build(
    spec: str | Path | Document,
    *,
    out: Path | None = None,
    store: Path | None = None,
    monitor: Monitor | None = None,
    notify: Notify | None = None,
) -> BuildResult:
    """Train, emit, verify and pack; bundles, ``manifest.json`` and ``report.html`` lie in ``out``
    (``dist`` beside the spec). Raises KspecError; then nothing in ``out`` has changed."""
    return pipeline.build(_document(spec), out=out, store=store, monitor=monitor, notify=notify)


def _document(spec: str | Path | Document) -> Document:
    return spec if isinstance(spec, Document) else load(spec)
