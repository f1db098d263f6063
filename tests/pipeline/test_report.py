"""The report: what it says, that it is inert whatever it is fed, and that a browser takes it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kspec.pipeline.report.drawing import draw_chart, draw_lanes, round_marks
from kspec.pipeline.report.page import best_epoch, judge_build, render_report
from kspec.spec.reader import UNSEEN
from tests.pipeline.sample_build import Sample, history, hostile, sample

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
VOID = {"meta", "img", "br", "hr", "input", "link", "base"}


class Page(HTMLParser):
    """Elements with their attributes, the rows of each table, and whether tags are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: dict[str, list[list[str]]] = {}
        self.text: list[str] = []
        self._open: list[str] = []
        self._table = ""
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.elements.append((tag, given))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self._table = given.get("id") or ""
            self.rows.setdefault(self._table, [])
        if tag == "tr":
            self.rows[self._table].append([])
        if tag in ("td", "th"):
            self.rows[self._table][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if {"td", "th"} & set(self._open) and "title" not in self._open:
            self.rows[self._table][-1][-1] += data

    def table(self, name: str) -> list[list[str]]:
        return [[" ".join(cell.split()) for cell in row] for row in self.rows[name]]


@pytest.fixture
def built(tmp_path: Path) -> Sample:
    return sample(tmp_path)


def render(of: Sample) -> str:
    return render_report(of.document, of.result, of.plan, of.compiled, of.history)


def test_says_what_was_built_and_how_near_it_came(built: Sample) -> None:
    text = render(built)
    page = Page(text)
    assert (
        "2 artifacts, each run and equal to the trained model within 1e-5; all gates passed"
        in page.text
    )
    header, ios, browser, trained = page.table("artifact-table")
    assert header[:5] == ["Target", "File", "Size", "Worst error", "Flips"]
    assert ios[:5] == [
        "ioscoreml",
        "houses.coremlsha256 0123456789ab",
        "151.4 KB",
        "9.4e-6 of 1e-5",
        "0of 1,234",
    ]
    assert ios[5:7] == ["1235= trained", "2346= trained"]
    assert ios[7:] == [
        "92.50 %−0.50 %",
        "35 µsin NumPy",
        "numpy 2.4.6 evaluation of the written package",
    ]
    assert browser[3:5] == ["3.5e-7 of 1e-5", "2of 1,234"]
    assert trained[7] == "93.00 %"
    assert "evaluated from the written package in NumPy; Core ML itself runs on macOS" in text
    assert page.table("gate-table")[1:] == [
        ["district_accuracy", ">= 0.9", "0.93", "0.925"],
        ["ios.size", "<= 200 KB", "151.4 KB", "–"],
    ]
    assert page.table("stage-table")[1:] == [
        ["train", "abababab", "ran", "changed: train", "3 min 05 s"],
        ["emit·onnx", "cdcdcdcd", "reused", "unchanged", ""],
    ]
    assert page.table("plan-table")[2] == ["onnxbrowser", "Linear 5", "Relu 3", "4.3 KB", "0"]
    assert built.result.artifacts[0].sha256 in text
    assert "× 0.25, then − 0.5, then to mean 0 and variance 1" in text


def test_draws_the_network_with_lines_shapes_and_branches(built: Sample) -> None:
    _, *rows = Page(render(built)).table("network-table")
    assert [row[1:] for row in rows[:4]] == [
        ["factsinput", "", "number", "", "(6,)", "", "6"],
        ["stem", "facts", "dense", "units: 16, activation: relu", "(16,)", "96", "17"],
        [
            "body_1/first",
            "stem",
            "dense",
            "units: 16, activation: relu",
            "(16,)",
            "",
            "12, from 19",
        ],
        ["body_1/add", "body_1/first, stem", "add", "", "(16,)", "", "14, from 19"],
    ]
    assert [row[1] for row in rows[-2:]] == ["priceoutput", "districtoutput"]


def test_hides_the_sources_of_a_chain(built: Sample) -> None:
    steps = [each for each in built.document.steps if each.name == "stem"]
    chain = replace(built, document=replace(built.document, steps=tuple(steps)))
    assert Page(render(chain)).table("network-table")[0][1:3] == ["Step", "Layer"]


@pytest.mark.parametrize("change", [lambda it: it, hostile], ids=["plain", "hostile"])
def test_is_inert(built: Sample, change: Callable[[Sample], Sample]) -> None:
    text = render(change(built))
    page = Page(text)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "img", "iframe", "object", "embed", "link", "base", "form", "a"}
    for tag, attributes in page.elements:
        assert not {name for name in attributes if name.startswith("on")}, tag
        assert not attributes.keys() & {"src", "href", "style", "srcset", "action"}, tag
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    assert not re.search(r"url\(|@import|https?:", style[1])
    assert re.search(r"default-src 'none'; style-src 'sha256-[\w+/]{43}='", text)


def test_shows_hostile_text_as_it_is(built: Sample) -> None:
    text = render(hostile(built))
    assert "<script" not in text
    assert "{{ 7*7 }}" in text
    page = Page(text)
    assert any(each.startswith("<script>alert(1)") for each in page.text)
    assert "30 labels" in text


def test_characters_that_cannot_be_seen_are_escaped(built: Sample) -> None:
    text = render(hostile(built, "a\u202eb\x1b[31mc\u200bd <\u05d0>"))
    assert "a\\u202eb\\u001b[31mc\\u200bd &lt;\u05d0&gt;" in text
    assert not UNSEEN.search(text.replace("\n", ""))


def test_same_arguments_give_the_same_bytes(built: Sample) -> None:
    assert render(built) == render(built)


def test_tables_and_pictures_are_accessible(built: Sample) -> None:
    elements = Page(render(built)).elements
    assert all("scope" in given for tag, given in elements if tag == "th")
    pictures = [given for tag, given in elements if tag == "svg"]
    assert pictures
    assert all("aria-hidden" in each or each.get("role") == "img" for each in pictures)
    described = sum(tag == "svg" and given.get("role") == "img" for tag, given in elements)
    titles = sum(tag == "title" for tag, _ in elements) - 1
    assert titles == described
    identities = [given["id"] for _, given in elements if "id" in given]
    assert len(identities) == len(set(identities))
    named = {name for _, given in elements for name in (given.get("aria-labelledby") or "").split()}
    assert named <= set(identities)


@pytest.mark.parametrize(
    ("error", "gate", "said"),
    [
        (9e-6, True, "within 1e-5; all gates passed"),
        (1.9e-5, True, "within its tolerance; all gates passed"),
        (2.1e-5, True, "1 of 2 artifacts differs from the trained model; all gates passed"),
        (float("nan"), True, "1 of 2 artifacts differs from the trained model; all gates passed"),
        (0.0, False, "within 1e-5; 1 of 2 gates failed"),
    ],
)
def test_verdict(built: Sample, error: float, gate: bool, said: str) -> None:
    first, second = built.result.artifacts
    gates = (replace(built.result.gates[0], passed=gate), *built.result.gates[1:])
    result = replace(
        built.result, artifacts=(replace(first, worst_error=error), second), gates=gates
    )
    verdict = judge_build(result)
    assert verdict.text.endswith(said)
    assert verdict.passed == ("differs" not in said and "failed" not in said)
    assert ('class="verdict failed"' in render(replace(built, result=result))) != verdict.passed


def test_verdict_without_gates_or_with_several_tolerances(built: Sample) -> None:
    first, second = built.result.artifacts
    half = replace(first, tolerances={**first.tolerances, "price": {"atol": 1e-2, "rtol": 1e-2}})
    result = replace(built.result, artifacts=(half, second), gates=())
    assert judge_build(result).text.endswith("within 1e-5 to 1e-2; the spec has no gates")
    assert "The spec has no gates" in render(replace(built, result=result))


@pytest.mark.parametrize("epochs", [1, 2, 300])
def test_any_number_of_epochs(built: Sample, epochs: int) -> None:
    text = render(replace(built, history=history(epochs)))
    assert text.count("<figure>") == 4
    assert "NaN" not in text
    assert best_epoch(built.document, history(epochs)["epochs"]) == (min(epochs - 1, 4), "val_loss")


def test_epochs_without_validation(built: Sample) -> None:
    epochs = [{"loss": loss, "learning_rate": 0.1 / loss} for loss in (3.0, 2.0, 2.5)]
    told = {"epochs": epochs, "stopped_early": False, "seconds": 0.4}
    assert best_epoch(built.document, epochs) == (1, "loss")
    text = render(replace(built, history=told))
    assert text.count("<figure>") == 2
    assert "loss by epoch: training from 3 to 2.5." in text


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        ([0.1, 0.98], (0.0, 0.5, 1.0)),
        ([0.0, 0.003], (0.0, 0.001, 0.002, 0.003)),
        ([5.0, 5.0], (4.5, 4.75, 5.0, 5.25, 5.5)),
        ([0.0], (-1.0, -0.5, 0.0, 0.5, 1.0)),
        ([-3.2e6, 1e6], (-4e6, -2e6, 0.0, 2e6)),
    ],
)
def test_axes_have_round_marks(values: list[float], marks: tuple[float, ...]) -> None:
    found = round_marks(values)
    assert found[0] <= min(values)
    assert found[-1] >= max(values)
    assert 2 <= len(found) <= 7
    if marks[0] != 4.5:
        assert found == marks


@pytest.mark.parametrize(
    ("line", "logarithmic"),
    [([2.0, 0.01], True), ([2.0, 1.0], False), ([1.0, 0.0], False), ([1e-9, 1e9], True)],
)
def test_curves_stay_inside_their_picture(line: list[float], logarithmic: bool) -> None:
    chart = draw_chart("loss", {"training": line, "validation": [None, 1.0]}, 0)
    assert chart.logarithmic is logarithmic
    points = [
        float(n) for curve in chart.curves for part in curve.lines for n in re.split("[ ,]", part)
    ]
    assert all(0 <= x <= 420 for x in points[::2])
    assert all(0 <= y <= 210 for y in points[1::2])
    assert len(chart.up) <= 8


def test_lanes_of_a_residual_network() -> None:
    steps = [("x", ()), ("a", ("x",)), ("b", ("a",)), ("add", ("b", "x")), ("y", ("add",))]
    _, rows = draw_lanes(steps)
    lanes = [row.dot for row in rows]
    assert lanes[0] == lanes[3] == lanes[4] < lanes[1] == lanes[2]
    passing = f"M{lanes[0]} 0V30"
    assert [passing in row.paths for row in rows] == [False, True, True, False, False]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("change", [lambda it: it, hostile], ids=["plain", "hostile"])
def test_opens_in_a_browser_without_a_complaint(
    built: Sample, tmp_path: Path, change: Callable[[Sample], Sample]
) -> None:
    """The console stays empty: no blocked style, no failed load, no script that ran."""
    page = tmp_path / "report.html"
    page.write_text(render(change(built)), "utf-8")
    options = (
        "--headless --no-sandbox --disable-gpu --disable-quic --disable-sync --no-first-run"
        " --disable-background-networking --disable-component-update --enable-logging=stderr"
    )
    done = subprocess.run(
        [
            str(CHROMIUM),
            *options.split(),
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--screenshot={tmp_path / 'report.png'}",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (tmp_path / "report.png").stat().st_size > 10_000
    assert not [line for line in done.stderr.splitlines() if "CONSOLE" in line]
