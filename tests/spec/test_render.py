"""Five formats of the same problems, none of which lets data out of its place."""

import json
from xml.etree import ElementTree as ET

import pytest

from kspec.spec import Diagnostic, KspecError, Span, render
from kspec.spec.render import FORMATS

EVIL = "\x1b[31m\u202e%0A::error::<&>\"'\n]]>,:\x00\ud800"
FILE = f"a{EVIL}.yaml"
ERROR = KspecError(
    Diagnostic(
        "KS201",
        f"unknown key `{EVIL}`",
        ("train", EVIL),
        Span(FILE, 2, 3, 2, 5),
        f"did you mean `{EVIL}`?",
        call_spans=(Span(FILE, 1, 1, 1, 2),),
        uses=(Span(FILE, 3, 1, 3, 2),),
    ),
    Diagnostic("KS115", "no place"),
    sources={FILE: f"one\nab{EVIL.replace(chr(10), '')}\n"},
)


@pytest.mark.parametrize("output_format", FORMATS)
def test_nothing_invisible_comes_out(output_format):
    text = render(ERROR, output_format)
    assert all(char.isprintable() or char == "\n" for char in text)
    text.encode()


def test_text_underlines_what_is_meant():
    wide = "漢字: [x, é, yy]"
    span = Span("f", 1, 12, 1, 14)
    error = KspecError(Diagnostic("KS203", "m", (), span), sources={"f": wide})
    assert render(error).split("\n")[2:4] == [f"1 | {wide}", "  |              ^^"]
    long = "x" * 500 + "here" + "y" * 500
    error = KspecError(Diagnostic("KS203", "m", (), Span("f", 1, 501, 1, 505)), sources={"f": long})
    line, marks = render(error).split("\n")[2:4]
    assert len(line) < 120
    assert line[marks.index("^") : marks.rindex("^") + 1] == "here"


def test_colour_adds_only_colour():
    colored = render(ERROR, color=True)
    for code in ("\x1b[1;31m", "\x1b[1m", "\x1b[34m", "\x1b[0m"):
        assert code in colored
        colored = colored.replace(code, "")
    assert colored == render(ERROR)


def test_json_is_versioned():
    data = json.loads(render(ERROR, "json"))
    first, second = data["diagnostics"]
    assert data["version"] == 1
    assert first["span"] == {"file": FILE, "line": 2, "column": 3, "end_line": 2, "end_column": 5}
    assert (first["code"], first["route"], second["span"]) == ("KS201", ["train", EVIL], None)
    assert [use["line"] for use in first["uses"]] == [3]


def test_github_keeps_one_command_a_problem():
    lines = render(ERROR, "github").split("\n")
    assert len(lines) == 2
    assert all(line.startswith("::error ") for line in lines)
    assert lines[0].count("::") - lines[0].split("::", 2)[2].count("::") == 2
    assert "%250A" in lines[0]


def test_junit_is_xml_with_a_case_a_problem():
    suite = ET.fromstring(render(ERROR, "junit"))  # noqa: S314
    assert (suite.get("tests"), suite.get("failures")) == ("2", "2")
    failure = suite.find("testcase/failure")
    assert failure.get("type") == "KS201"
    assert "in the call at" in failure.text
    assert "used at" in failure.text
    assert ET.fromstring(render(KspecError(), "junit")).get("failures") == "0"  # noqa: S314


def test_sarif_points_at_rules_and_regions():
    run = json.loads(render(ERROR, "sarif"))["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["KS115", "KS201"]
    first, second = run["results"]
    assert rules[first["ruleIndex"]] == first["ruleId"] == "KS201"
    region = first["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 2, "startColumn": 3, "endLine": 2, "endColumn": 5}
    assert "locations" not in second
    assert len(first["relatedLocations"]) == 2
