"""The public functions of the package ``kspec``."""

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
    """Read a spec and run all checks that need no TensorFlow. The spec's Python file runs only with
    ``allow_python``; its data may be in its own folder or in one of the folders ``roots``. Raises
    KspecError with every problem."""
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
    """Train, emit, verify and pack. Bundles, ``manifest.json`` and ``report.html`` are placed in
    ``out``, by default ``dist`` beside the spec. Raises KspecError; then ``out`` is unchanged."""
    return pipeline.build(_document(spec), out=out, store=store, monitor=monitor, notify=notify)


def _document(spec: str | Path | Document) -> Document:
    return spec if isinstance(spec, Document) else load(spec)
