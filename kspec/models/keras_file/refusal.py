"""The error for files that are refused."""

from __future__ import annotations

from kspec.spec.diagnostics import Diagnostic, KspecError


def refused(code: str, message: str, help: str | None = None) -> KspecError:  # noqa: A002
    """Return the error for one problem in a file."""
    return KspecError(Diagnostic(code, message, help=help))
