"""Diagnostics for programs: kspec's own versioned JSON, and SARIF 2.1.0."""

import json
from collections.abc import Sequence
from typing import Any

from kspec import __version__
from kspec.spec.codes import RULES
from kspec.spec.diagnostics import Diagnostic, Span

JSON_VERSION = 1
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render_json(diagnostics: Sequence[Diagnostic]) -> str:
    """Return one object; `version` rises if a field changes its meaning or is removed."""
    found = [as_data(each) for each in diagnostics]
    return json.dumps({"version": JSON_VERSION, "diagnostics": found}, indent=2)


def as_data(diagnostic: Diagnostic) -> dict[str, Any]:
    """Return a diagnostic as JSON data; lines and columns count from 1, ends are exclusive."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "help": diagnostic.help,
        "route": list(diagnostic.route),
        "span": _span(diagnostic.span),
        "uses": [_span(use) for use in diagnostic.uses],
        "calls": [_span(call) for call in diagnostic.call_spans],
    }


def _span(span: Span | None) -> dict[str, Any] | None:
    if span is None:
        return None
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def render_sarif(diagnostics: Sequence[Diagnostic]) -> str:
    """Return a SARIF log with the violated rules and a result for each problem."""
    codes = sorted({each.code for each in diagnostics})
    driver = {
        "name": "kspec",
        "version": __version__,
        "rules": [_rule(code) for code in codes],
    }
    results = [_result(each, codes) for each in diagnostics]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(code: str) -> dict[str, Any]:
    rule = RULES[code]
    return {
        "id": code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.explanation},
        "defaultConfiguration": {"level": rule.severity},
    }


def _result(diagnostic: Diagnostic, codes: list[str]) -> dict[str, Any]:
    text = diagnostic.message
    if diagnostic.help is not None:
        text = f"{text}\nhelp: {diagnostic.help}"
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": codes.index(diagnostic.code),
        "level": diagnostic.severity,
        "message": {"text": text},
    }
    if diagnostic.span is not None:
        result["locations"] = [_location(diagnostic.span)]
    if related := (*diagnostic.uses, *diagnostic.call_spans):
        result["relatedLocations"] = [_location(each) for each in related]
    return result


def _location(span: Span) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": span.file},
            "region": {
                "startLine": span.line,
                "startColumn": span.column,
                "endLine": span.end_line,
                "endColumn": span.end_column,
            },
        }
    }
