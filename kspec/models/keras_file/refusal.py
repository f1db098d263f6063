"""The error for files that are refused."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kspec.spec.diagnostics import Diagnostic, KspecError

IN_PYTHON = "compile the model in Python, where its classes are: `kspec.compile_keras(model)`"
UNCHANGED = "save the model again with `model.save`, and leave the file unchanged"
HELP: Mapping[str, str] = MappingProxyType(
    {
        "KS730": UNCHANGED,
        "KS731": UNCHANGED,
        "KS732": IN_PYTHON,
        "KS733": UNCHANGED,
        "KS734": "build a smaller model, or one with fewer layers",
        "KS735": UNCHANGED,
        "KS736": UNCHANGED,
        "KS737": "load it with the version of Keras that wrote it, and save it again with "
        "Keras 3.15, or compile it in Python: `kspec.compile_keras(model)`",
        "KS738": "`kspec emit` compiles the model without a spec",
        "KS741": "call the model on such rows in Python, and correct the layer that fails",
    }
)
"""What to do about a refusal that has not a help of its own, by code."""


def refused(code: str, message: str, help: str | None = None) -> KspecError:  # noqa: A002
    """Return the error for one problem in a file."""
    return KspecError(Diagnostic(code, message, help=help or HELP[code]))
