"""Whole builds: what they leave, what they do not do twice, and what kills cannot spoil."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import kspec
from kspec.pipeline.proof import verification
from kspec.pipeline.results import BuildResult
from kspec.pipeline.store.content import Store
from kspec.pipeline.store.keys import Keys
from kspec.pipeline.store.stages import Stages
from kspec.spec.diagnostics import KspecError
from kspec.targets.emission import Run
from tests.pipeline import tiny

FORMATS = {
    "ios": "coreml",
    "android": "tflite",
    "browser": "onnx",
    "server": "tf_serving",
    "onnx": "onnx",
}
EMITTED = {f"{stage}·{name}" for name in FORMATS.values() for stage in ("emit", "verify")}
PACKED = {*(f"package·{target}" for target in FORMATS), "report"}
ALL = {"data", "plan", "train", "compile", *EMITTED, *PACKED}


@dataclass(frozen=True)
class Built:
    spec: Path
    result: BuildResult
    other: Path
    """Where the same spec is built in another process, which is killed again and again."""
    interrupted: subprocess.Popen[str]

    @property
    def out(self) -> Path:
        return self.spec.with_name("dist")


def script(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.pipeline.tiny", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def answer(process: subprocess.Popen[str]) -> Any:
    stdout, _ = process.communicate(timeout=400)
    assert process.returncode == 0
    return json.loads(stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    other = tiny.write(tmp_path_factory.mktemp("interrupted"))
    with script("interrupted", other, other.parent / "dist") as interrupted:
        spec = tiny.write(tmp_path_factory.mktemp("first"))
        yield Built(spec, kspec.build(spec), other.parent / "dist", interrupted)
        interrupted.kill()


@pytest.fixture
def built(first: Built, tmp_path: Path) -> Built:
    """A copy of the spec with its data, its store and its bundles, for one test alone."""
    copy = shutil.copytree(first.spec.parent, tmp_path / "copy", symlinks=True)
    return replace(first, spec=copy / first.spec.name)


def tree(folder: Path) -> dict[str, str]:
    files = (each for each in folder.rglob("*") if each.is_file())
    return {
        each.relative_to(folder).as_posix(): hashlib.sha256(each.read_bytes()).hexdigest()
        for each in files
    }


def test_all_artifacts_equal_the_model(built: Built) -> None:
    assert {each.target: each.format for each in built.result.artifacts} == FORMATS
    for each in built.result.artifacts:
        assert each.worst_error <= 1e-5
        assert each.flips == 0
        assert each.rows == 20
        assert each.metrics == built.result.metrics
        assert each.path.exists()
    assert {each.name for each in built.result.stages if each.ran} == ALL
    assert {each.reason for each in built.result.stages} == {"first build"}
    assert all(each.passed for each in built.result.gates)


def test_manifest_and_bundles_are_complete(built: Built) -> None:
    manifest = json.loads((built.out / "manifest.json").read_text())
    assert dict.fromkeys(each["target"] for each in manifest["artifacts"]) == dict.fromkeys(FORMATS)
    assert manifest["data"]["rows"] == {"train": 60, "validation": 20, "test": 20}
    assert {each["gate"] for each in manifest["gates"]} == {"accuracy", "*.flips", "android.size"}
    assert manifest["versions"].keys() >= {"kspec", "keras", "tensorflow", "onnx", "coremltools"}
    for listed in manifest["artifacts"]:
        folder = built.out / listed["target"]
        about = json.loads((folder / "kspec-bundle.json").read_text())
        assert (about["name"], about["version"]) == ("tiny", "1.2.3")
        inputs = {each["name"]: each for each in about["signature"]["inputs"]}
        assert inputs["pixels"]["shape"] == ["batch", 6, 5, 1]
        assert [each["step"] for each in inputs["facts"]["steps"]] == ["normalize"]
        (corner,) = about["signature"]["outputs"]
        assert corner["decision"]["labels"] == ["a", "b", "c"]
        artifact = {key: value for key, value in listed.items() if key != "target"}
        assert artifact in about["artifacts"]
        assert not artifact.keys() & {"latency", "seconds"}
        golden = about["golden"]
        parts = {artifact["path"], golden["file"], *golden["pictures"].values(), "README.md"}
        assert [each for each in parts if not (folder / each).exists()] == []
        if (folder / artifact["path"]).is_file():
            content = (folder / artifact["path"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == artifact["sha256"]
            assert len(content) == artifact["bytes"]


def test_golden_rows_vary(built: Built) -> None:
    golden = load_file(built.out / "onnx" / "golden.safetensors")
    rows = {"input/facts", "input/pixels", "output/corner"}
    assert golden.keys() == {*rows, "decision/corner", "picture/pixels"}
    for name in rows:
        assert np.ptp(golden[name], axis=0).max() > 1e-3
    labels = [bytes(each).rstrip(b"\0").decode() for each in golden["decision/corner"]]
    assert labels == ["abc"[each] for each in golden["output/corner"].argmax(axis=-1)]
    assert golden["picture/pixels"].shape == (1, 6, 5, 1)


def test_a_second_build_does_nothing(built: Built) -> None:
    before = tree(built.out)
    found = answer(script("warm", built.spec))
    assert {name for name, _ in found["stages"]} == ALL
    assert not [name for name, ran in found["stages"] if ran]
    heavy = {
        "numpy",
        "tensorflow",
        "keras",
        "onnx",
        "onnxruntime",
        "coremltools",
        "pyarrow",
        "jinja2",
    }
    assert not (heavy | {"safetensors"}) & set(found["loaded"])
    assert tree(built.out) == before


@pytest.mark.parametrize(
    ("old", "new", "ran", "reasons"),
    [
        ("name: tiny", "name:   tiny  # a comment", set(), {}),
        ("  epochs: 3\n  batch_size: 16", "  batch_size: 16\n  epochs: 3", set(), {}),
        ('accuracy: ">= 0.2"', 'accuracy: ">= 0.3"', {"report"}, {"report": "changed: gates"}),
        (
            "corner is lit",
            "one is lit",
            PACKED | {"emit·coreml", "verify·coreml", "emit·tflite", "verify·tflite"},
            {"package·browser": "changed: about", "emit·coreml": "changed: format"},
        ),
        (
            "android: {}",
            "android: {batch: 4}",
            {"plan", "emit·tflite", "verify·tflite", "package·android", "report"},
            {"plan": "changed: targets", "emit·tflite": "changed: format"},
        ),
        ("  browser: {}\n", "", {"report"}, {"report": "changed: packages"}),
        (
            "learning_rate: 0.02",
            "learning_rate: 0.03",
            ALL - {"data", "plan"},
            {"train": "changed: train", "compile": "changed: train"},
        ),
        ("seed: 5", "seed: 6", ALL - {"plan"}, {"train": "changed: data"}),
        (
            "dense: 5",
            "dense: 6",
            ALL - {"data"},
            {"plan": "changed: network", "train": "changed: network"},
        ),
    ],
)
def test_what_a_change_runs(
    old: str, new: str, ran: set[str], reasons: Mapping[str, str], built: Built
) -> None:
    text = tiny.SPEC.replace(old, new)
    assert text != tiny.SPEC
    path = built.spec.with_name("changed.yaml")
    path.write_text(text)
    found = would_run(path)
    assert set(found) == ran
    assert found | reasons == found


def would_run(path: Path) -> dict[str, str]:
    """The stages that a build would run, with the reasons."""
    document = kspec.load(path)
    stages = Stages(Store.at(path.parent / ".kspec"), document.spec.name, lambda _: None)
    return {each.name: each.reason for each in stages.foreseen(Keys(document).all) if each.ran}


def test_changed_data_trains_again(built: Built) -> None:
    assert not would_run(built.spec)
    data = built.spec.with_name("tiny.csv")
    data.write_text(data.read_text().replace(",a\n", ",b\n", 1))
    found = would_run(built.spec)
    assert set(found) == ALL - {"plan"}
    assert found["train"] == "changed: rows"


def test_a_target_that_changes_is_emitted_and_nothing_trained(built: Built) -> None:
    out = built.spec.with_name("batched")
    result = kspec.build(kspec.load(built.spec, overrides={"targets.android.batch": "4"}), out=out)
    ran = {each.name for each in result.stages if each.ran}
    assert ran == {"plan", "emit·tflite", "verify·tflite", "package·android", "report"}
    (android,) = (each for each in result.artifacts if each.target == "android")
    assert android.options["batch"] == 4
    assert android.worst_error <= 1e-5
    for target in ("ios", "browser", "server"):
        assert tree(out / target) == tree(built.out / target)


def test_a_target_that_is_dropped_leaves(built: Built) -> None:
    out = built.spec.with_name("fewer")
    kspec.build(built.spec, out=out)
    (out / "notes.txt").write_text("mine")
    path = built.spec.with_name("fewer.yaml")
    path.write_text(tiny.SPEC.replace("  browser: {}\n", ""))
    kspec.build(path, out=out)
    left = {"ios", "android", "server", "onnx", "manifest.json", "report.html", "notes.txt"}
    assert {each.name for each in out.iterdir()} == left


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        ('accuracy: ">= 0.2"', 'accuracy: "> 1"', ["KS801"] * 6),
        ('android.size: "<= 1 MB"', 'ios.size: "<= 1 KB"', ["KS801"]),
        ('"*.flips": "<= 0 %"', '"*.flop": "<= 0 %"', ["KS802"]),
        ("android.size", "androit.size", ["KS803"]),
    ],
)
def test_a_gate_that_is_not_met_ships_nothing(
    old: str, new: str, codes: list[str], built: Built
) -> None:
    before = tree(built.out)
    path = built.spec.with_name("gated.yaml")
    path.write_text(tiny.SPEC.replace(old, new))
    with pytest.raises(KspecError) as caught:
        kspec.build(path)
    assert [each.code for each in caught.value.diagnostics] == codes
    assert caught.value.exit_code == (1 if codes[0] == "KS801" else 2)
    assert all(each.span is not None for each in caught.value.diagnostics)
    assert tree(built.out) == before


@pytest.mark.parametrize(
    ("harm", "code", "message"),
    [
        (lambda found: found * np.nan, "KS720", "error inf"),
        (
            lambda found: found[:, :2],
            "KS721",
            "20 rows of shape [2] for 'corner' instead of 20 of [3]",
        ),
        (lambda found: found[:-1], "KS721", "19 rows of shape [3] for 'corner'"),
        (lambda found: found[:, ::-1], "KS720", "differs from the trained model"),
    ],
)
def test_an_artifact_that_differs_ships_nothing(
    harm: Callable[[np.ndarray], np.ndarray],
    code: str,
    message: str,
    built: Built,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    store = tmp_path / "store"
    shutil.copytree(built.spec.with_name(".kspec"), store)
    shutil.rmtree(store / "verify-onnx")
    (expected,) = store.glob("compile/*/rows-expected.safetensors")

    def run(*_: Any) -> Run:
        return Run({"corner": harm(load_file(expected)["corner"])}, "harmed", {}, 0.0, 0.0, 0.0)

    monkeypatch.setattr(verification, "run_artifact", run)
    monkeypatch.setattr(verification, "locate", lambda *_: None)
    before = tree(built.out)
    with pytest.raises(KspecError) as caught:
        kspec.build(built.spec, store=store)
    (problem,) = caught.value.diagnostics
    assert problem.code == code
    assert message in problem.message
    assert tree(built.out) == before


def test_builds_that_were_killed_end_in_the_same_bytes(built: Built) -> None:
    """Of every file, in another folder and process and after five deaths; the report alone holds
    times."""
    told = answer(built.interrupted)
    assert told[0][0] == -9
    assert {code for code, _ in told} <= {-9, 0}
    assert [code for code, _ in told[-2:]] == [0, 0]
    for code, names in told:
        assert ("manifest.json" in names) if code == 0 else (names == [])
    other = built.other
    here, there = tree(built.out), tree(other)
    del here["report.html"], there["report.html"]
    assert there == here
    (weights,) = built.out.parent.glob(".kspec/train/*/weights.safetensors")
    (others,) = other.parent.glob(".kspec/train/*/weights.safetensors")
    assert others.read_bytes() == weights.read_bytes()
