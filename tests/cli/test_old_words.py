"""Old words are read as the new ones, with a warning at the old word."""

import json
from xml.etree import ElementTree as ET

import pytest

from kspec.pipeline.check import load_checked
from kspec.spec import KspecError, load, render
from kspec.spec.diagnostics import errors

OLD = """\
kspec: 1
name: ages
data: {source: {csv: rows.csv}}
inputs:
  x: {numeric: {size: "${2 * half}"}, columns: [a, b]}
outputs:
  age: number
  income: {number: 1, column: b2}
params: {half: 1}
network:
  - dense: 4
    name: hidden
  - dense: 1
    name: age
  - dense: 1
    name: income
    from: hidden
train: {epochs: 1}
targets: {android: {}}
gates:
  age_mae: "<= 3"
  "*.income_rmse": "<= 3"
"""
NEW = (
    OLD.replace("numeric", "number")
    .replace("age_mae", "age_mean_absolute_error")
    .replace("income_rmse", "income_root_mean_squared_error")
)
ROWS = "a,b,age,b2\n1,2,3,4\n2,1,5,6\n3,3,3,3\n4,3,3,3\n5,1,1,2\n"


@pytest.fixture
def old(tmp_path):
    (tmp_path / "rows.csv").write_text(ROWS)
    (tmp_path / "old.yaml").write_text(OLD)
    return tmp_path / "old.yaml"


def test_old_words_mean_the_new_ones(old):
    new = old.with_name("new.yaml")
    new.write_text(NEW)
    found = load_checked(old)
    assert found.spec == load_checked(new).spec
    assert found.digest == load(new).digest
    assert load(new).warnings == ()
    places = [(w.code, w.severity, w.span.line, w.span.column, w.help) for w in found.warnings]
    assert places == [
        ("KS220", "warning", 5, 7, "write `number`"),
        ("KS220", "warning", 21, 3, "write `age_mean_absolute_error`"),
        ("KS220", "warning", 22, 3, "write `*.income_root_mean_squared_error`"),
    ]


def test_strict_makes_errors_of_warnings(old):
    with pytest.raises(KspecError) as caught:
        load_checked(old, strict=True)
    assert [each.code for each in caught.value.diagnostics] == ["KS220"] * 3
    assert caught.value.exit_code == 2
    assert "3 problems found" in render(caught.value)


def test_problems_below_an_old_word_have_their_places(tmp_path):
    path = tmp_path / "model.yaml"
    path.write_text(OLD.replace('"${2 * half}"', "-3").replace("params: {half: 1}\n", ""))
    with pytest.raises(KspecError) as caught:
        load(path)
    (problem,) = [e for e in errors(caught.value.diagnostics) if e.code == "KS205"]
    assert (problem.span.line, problem.span.column) == (5, 23)


def test_both_words_at_once_are_refused(tmp_path):
    path = tmp_path / "model.yaml"
    path.write_text(OLD.replace("columns: [a, b]", "number: 2"))
    with pytest.raises(KspecError) as caught:
        load(path)
    assert ("KS201", (5, 7)) in [
        (each.code, (each.span.line, each.span.column)) for each in caught.value.diagnostics
    ]


def test_every_format_tells_warnings_from_errors(kspec, old):
    del old
    done = kspec("check", "old.yaml")
    assert done.exit_code == 0
    assert done.stdout.startswith("old.yaml: ok\n")
    assert "old.yaml:5:7: KS220 warning: `numeric` is an old word for `number`" in done.stdout
    assert done.stdout.endswith("3 warnings found\n")
    assert kspec("check", "old.yaml", "--strict").exit_code == 2
    data = json.loads(kspec("check", "old.yaml", "--output-format", "json").stdout)
    assert {each["severity"] for each in data["diagnostics"]} == {"warning"}
    github = kspec("check", "old.yaml", "--output-format", "github").stdout
    assert all(line.startswith("::warning file=old.yaml") for line in github.splitlines())
    sarif = json.loads(kspec("check", "old.yaml", "--output-format", "sarif").stdout)["runs"][0]
    assert {each["level"] for each in sarif["results"]} == {"warning"}
    (rule,) = sarif["tool"]["driver"]["rules"]
    assert rule["defaultConfiguration"] == {"level": "warning"}
    junit = ET.fromstring(kspec("check", "old.yaml", "--output-format", "junit").stdout)  # noqa: S314
    assert (junit.get("tests"), junit.get("failures")) == ("3", "0")
    assert "old word" in junit.find("testcase/system-out").text
    explained = kspec("rule", "KS220").stdout
    assert "a warning; exit code 2 with --strict" in explained
