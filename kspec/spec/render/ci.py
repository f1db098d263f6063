"""Diagnostics for the pages of CI services: GitHub's annotations and JUnit's XML."""

from collections.abc import Sequence

from kspec.spec.diagnostics import Diagnostic, errors
from kspec.spec.render.text import MAX_USES, called_from, place, visible


def render_github(diagnostics: Sequence[Diagnostic]) -> str:
    """Return workflow commands, one per line, which GitHub shows in pull requests."""
    return "\n".join(_annotation(each) for each in diagnostics)


def _annotation(diagnostic: Diagnostic) -> str:
    properties = {"title": diagnostic.code}
    span = diagnostic.span
    if span is not None:
        properties = {
            "file": span.file,
            "line": str(span.line),
            "col": str(span.column),
            "endLine": str(span.end_line),
            "endColumn": str(span.end_column),
            **properties,
        }
    head = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return (
        f"::{diagnostic.severity} {head}::{'%0A'.join(_data(line) for line in _lines(diagnostic))}"
    )


def _lines(diagnostic: Diagnostic) -> list[str]:
    help_ = [f"help: {diagnostic.help}"] if diagnostic.help else []
    uses = [f"used at {place(use)}" for use in diagnostic.uses[:MAX_USES]]
    return [visible(line) for line in (diagnostic.message, *help_, *uses, *called_from(diagnostic))]


def _data(text: str) -> str:
    return visible(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def render_junit(diagnostics: Sequence[Diagnostic]) -> str:
    """Return a JUnit report with a case for each problem: an error fails its case, a warning does
    not. Without problems there is one passed case."""
    cases = [_case(each) for each in diagnostics] or ['  <testcase classname="kspec" name="spec"/>']
    failed = len(errors(diagnostics))
    head = f'<testsuite name="kspec" tests="{len(cases)}" failures="{failed}" errors="0">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *cases, "</testsuite>"])


def _case(diagnostic: Diagnostic) -> str:
    from xml.sax.saxutils import escape, quoteattr  # imports ssl, which takes 50 ms

    span = diagnostic.span
    where = place(span) if span is not None else "kspec"
    name = quoteattr(visible(f"{diagnostic.code} {where}"))
    file = quoteattr(visible(span.file) if span is not None else "kspec")
    body = escape("\n".join(_lines(diagnostic)))
    if diagnostic.severity == "warning":
        return (
            f"  <testcase classname={file} name={name}>\n"
            f"    <system-out>warning: {body}</system-out>\n"
            f"  </testcase>"
        )
    return (
        f"  <testcase classname={file} name={name}>\n"
        f"    <failure type={quoteattr(diagnostic.code)} "
        f"message={quoteattr(visible(diagnostic.message))}>{body}</failure>\n"
        f"  </testcase>"
    )
