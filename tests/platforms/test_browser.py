"""The browser's bundle: in Chromium and under Node.js, and caught when anything is wrong."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from kspec.targets.platforms.browser import Browser
from tests.platforms import damage, web
from tests.platforms.descriptions import described

ENGINES = ("onnxruntime", "litert")
EXAMPLES = ("digits", "breast-cancer")

pytestmark = web.needed(web.missing())


@pytest.fixture
def platform() -> str:
    return "browser"


def about(bundle: Path) -> dict[str, Any]:
    return json.loads((bundle / "kspec-bundle.json").read_text())


def write(bundle: Path, description: dict[str, Any]) -> None:
    """The bundle's description, and the client made from it."""
    for name, content in Browser().files(described(description)).items():
        (bundle / name).parent.mkdir(parents=True, exist_ok=True)
        (bundle / name).write_bytes(content)
    damage.reseal(bundle, **description)


def prepared(bundles: Path, example: str, engine: str, place: Path) -> Path:
    """A bundle with its runtime. LiteRT's is made of Android's artifact, which is the same."""
    bundle = Path(shutil.copytree(bundles / example / "browser", place))
    if engine == "litert":
        other = bundles / example / "android"
        artifact = copy.deepcopy(about(other)["artifacts"][0])
        given, artifact["path"] = artifact["path"], Path(artifact["path"]).name
        (bundle / about(bundle)["artifacts"][0]["path"]).unlink()
        shutil.copy(other / given, bundle / artifact["path"])
        write(bundle, {**about(bundle), "artifacts": [artifact], "options": {"engine": "litert"}})
    web.vendor(bundle, engine)
    return bundle


@pytest.fixture
def ready(bundle: Path) -> Path:
    """An example's bundle for ONNX Runtime with its runtime: it may be altered."""
    web.vendor(bundle, "onnxruntime")
    return bundle


def self_test(bundle: Path) -> dict[str, Any]:
    """What the line says under Node.js."""
    done = web.node("selftest.mjs", folder=bundle)
    (line,) = [each for each in done.stdout.splitlines() if each.startswith("KSPEC-SELFTEST ")]
    found = verdict(line)
    assert done.returncode == (0 if found["pass"] else 1), done.stderr
    return found


def verdict(line: str) -> dict[str, Any]:
    assert line.isascii()
    found = json.loads(line.removeprefix("KSPEC-SELFTEST "))
    assert found["pass"] is not bool(found["problems"])
    return dict(found)


def proves(found: dict[str, Any], description: dict[str, Any]) -> None:
    assert found["pass"], found
    assert found["platform"] == "browser"
    assert (found["name"], found["version"]) == (description["name"], description["version"])
    assert found["artifact"] == description["artifacts"][0]["path"]
    assert found["rows"] == description["golden"]["rows"]
    assert 0 < found["worst_error_ratio"] <= 1
    assert found["flips"] == 0
    assert found["picture_error"] == (0 if description["golden"]["pictures"] else None)
    assert found["latency_ms"] >= 0  # a page's clock has steps of 0.1 ms


@pytest.mark.parametrize("engine", ENGINES)
def test_proves_itself_under_node(bundles: Path, example: str, engine: str, tmp_path: Path) -> None:
    bundle = prepared(bundles, example, engine, tmp_path / "bundle")
    found = self_test(bundle)
    proves(found, about(bundle))
    name = {"onnxruntime": "onnxruntime-web", "litert": "@litertjs/core"}[engine]
    package = json.loads((bundle / "package.json").read_text())
    assert found["engine"] == f"{name} {package['devDependencies'][name]}"
    assert found["device"] == "wasm"


@web.needed(web.no_browser())
@pytest.mark.parametrize("device", ["wasm", "webgpu"])
def test_proves_itself_in_a_page(bundles: Path, tmp_path: Path, device: str) -> None:
    """On each engine, without a request to anywhere else, and answering without a network."""
    folders = [
        prepared(bundles, example, engine, tmp_path / f"{example}-{engine}")
        for example in EXAMPLES
        for engine in ENGINES
    ]
    pages = [{"bundle": str(each), "scenario": "examples", "device": device} for each in folders]
    reports = web.drive("page.mjs", pages=pages, gpu=device == "webgpu")
    for folder, report in zip(folders, reports, strict=True):
        (line,) = report["lines"]
        proves(verdict(line), about(folder))
        clean(report)
        found = report["found"]
        for each in found["examples"]:
            assert each["truth"] == f"The trained model said: {each['answer']}"
        assert found["verdict"] == "pass"
        assert len(found["table"]) >= 8
        assert found["latency"].endswith(" ms")
        assert (found["unnamed"], found["overflow"]) == ([], 0)
    devices = [verdict(report["lines"][0])["device"] for report in reports]
    # LiteRT.js 2.5.3 divides by a constant wrongly on a GPU; the client finds that out.
    assert {*devices[:3]} == {device}


def clean(report: dict[str, Any]) -> None:
    """Nothing went elsewhere, failed, was blocked, or popped up."""
    for each in ("outside", "failed", "violations", "errors", "dialogs"):
        assert report[each] == [], each
    assert report["requests"]


@web.needed(web.no_browser())
def test_takes_what_a_person_gives(bundles: Path, tmp_path: Path) -> None:
    """A drawing, a file, a typed row; a request for WebGPU without WebGPU."""
    digits = prepared(bundles, "digits", "onnxruntime", tmp_path / "digits")
    rows = prepared(bundles, "breast-cancer", "onnxruntime", tmp_path / "rows")
    pages = [
        {"bundle": str(digits), "scenario": "pictures"},
        {"bundle": str(rows), "scenario": "row", "device": "webgpu"},
    ]
    drawn, typed = web.drive("page.mjs", pages=pages, gpu=False)
    clean(drawn)
    assert drawn["found"]["drawn"] == ["3"]
    assert drawn["found"]["refusal"]
    assert set(drawn["found"]["errors"].values()) == {0}, drawn["found"]["errors"]
    assert len(drawn["found"]["errors"]) == 9
    clean(typed)
    assert verdict(typed["lines"][0])["device"] == "wasm"
    found = typed["found"]
    assert "mean_area is not a number" in found["refusal"]
    assert found["invalid"] == "true"
    assert found["hidden"]
    assert found["answer"][0] in {"benign", "malignant"}


HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "\u2028\u2029\u202e'\"`${alert(3)}",
    "__proto__",
    "constructor",
    "&lt;b&gt; <style>*{display:none}</style>",
    "<svg onload=alert(4)>",
    "\\u003cscript>",
    "-->",
    "]]>",
)


@web.needed(web.no_browser())
def test_hostile_texts_are_shown_as_texts(bundles: Path, tmp_path: Path) -> None:
    digits = prepared(bundles, "digits", "onnxruntime", tmp_path / "digits")
    rows = prepared(bundles, "breast-cancer", "onnxruntime", tmp_path / "rows")
    for bundle in (digits, rows):
        description = about(bundle)
        description["description"] = "".join(HOSTILE)
        for output in description["signature"]["outputs"]:
            decision = output["decision"]
            decision["labels"] = list(HOSTILE[: len(decision["labels"])])
        for given in description["signature"]["inputs"]:
            count = len(given["columns"])
            given["columns"] = [f"{HOSTILE[i % 10]} {i}" for i in range(count)]
        write(bundle, description)
    pages = [{"bundle": str(each), "scenario": "texts"} for each in (digits, rows)]
    for bundle, report in zip((digits, rows), web.drive("page.mjs", pages=pages), strict=True):
        clean(report)
        found, description = report["found"], about(bundle)
        (output,) = description["signature"]["outputs"]
        (given,) = description["signature"]["inputs"]
        assert found["title"] == description["description"]
        assert found["labels"] == output["decision"]["labels"]
        assert found["columns"] == (given["columns"] if given["kind"] == "number" else [])
        assert found["elements"] == 1  # the page's own script
        # The golden rows still decide by the labels there were.
        assert found["verdict"] == "fail"
        assert verdict(report["lines"][0])["flips"] == description["golden"]["rows"]


def replace(bundle: Path, old: str, new: str) -> None:
    """Edit the constants of the client once."""
    path = bundle / "model.js"
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))


def artifact(bundle: Path) -> Path:
    return bundle / about(bundle)["artifacts"][0]["path"]


def test_a_wrong_bit_in_a_weight_is_found(ready: Path) -> None:
    path = artifact(ready)
    path.write_bytes(damage.visible(path, ready)[1])
    assert f"{path.name} is not the file that was built" in self_test(ready)["problems"]
    damage.reseal(ready)
    found = self_test(ready)
    assert any("tolerance" in each for each in found["problems"]), found


def test_what_is_not_a_number_fails(ready: Path) -> None:
    path = artifact(ready)
    place, _ = damage.visible(path, ready)
    content = bytearray(path.read_bytes())
    content[place : place + 4] = b"\x00\x00\xc0\x7f"
    path.write_bytes(content)
    damage.reseal(ready)
    found = self_test(ready)
    assert found["worst_error_ratio"] is None
    assert not found["pass"]


def test_every_file_is_compared(ready: Path) -> None:
    expected = damage.change_every_file(ready)
    found = self_test(ready)
    assert expected <= set(found["problems"]), found


@pytest.mark.parametrize(
    ("example", "old", "new", "problem"),
    [
        ("digits", '"3", "4"', '"4", "3"', "the label is"),
        ("digits", '"maximum": 16.0', '"maximum": 255.0', "the golden picture differs"),
        ("digits", '"bilinear"', '"nearest"', "the golden picture differs"),
        ("digits", '"height": null, "width": null', '"height": 8, "width": 8', "97 × 61 pixels"),
        ("breast-cancer", '"benign", "malignant"', '"malignant", "benign"', "the label is"),
        ("breast-cancer", '"mean_area", "mean_com', '"mean_com_area", "mean_', "is missing"),
        ("breast-cancer", '"mean_radius", "mean_smoothness"', '"mean_smoothness", "mean_radius"',
         "the tolerance"),
    ],
)  # fmt: skip
def test_a_wrong_constant_of_the_client_is_found(
    ready: Path, old: str, new: str, problem: str
) -> None:
    replace(ready, old, new)
    problems = self_test(ready)["problems"]
    assert any(problem in each or "there is no column" in each for each in problems), problems
