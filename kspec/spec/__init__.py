"""From text to `Document`: the YAML reader, params, expressions, blocks, wiring, diagnostics."""

from kspec.spec.diagnostics import Diagnostic, KspecError, Route, Span
from kspec.spec.document import Document, ResolvedStep
from kspec.spec.load import load, parse
from kspec.spec.render import Format, render

__all__ = [
    "Diagnostic",
    "Document",
    "Format",
    "KspecError",
    "ResolvedStep",
    "Route",
    "Span",
    "load",
    "parse",
    "render",
]
