"""How files are refused."""

from __future__ import annotations

from kspec.spec.diagnostics import Diagnostic, KspecError


def refused(code: str, message: str, help: str | None = None) -> KspecError:  # noqa: A002
    """The error for one thing that is wrong with a file."""
    return KspecError(Diagnostic(code, message, help=help))
