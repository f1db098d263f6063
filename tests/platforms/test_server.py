"""The server's bundle proves itself, and fails where something in it is wrong."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from kspec.targets.platforms.server import Server
from tests.platforms import damage
from tests.platforms.descriptions import described
from tests.platforms.hostile import disguise
from tests.platforms.skeleton import skeleton

MODEL = "server/model.py"


@pytest.fixture
def platform() -> str:
    return "server"


def self_test(bundle: Path) -> tuple[int, dict[str, Any]]:
    """The exit code, and what the only line says."""
    done = subprocess.run(
        [sys.executable, "-m", "server", "--self-test"],
        cwd=bundle,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    (line,) = done.stdout.splitlines()
    assert done.stderr == ""
    assert line.startswith("KSPEC-SELFTEST ")
    return done.returncode, json.loads(line.removeprefix("KSPEC-SELFTEST "))


def test_the_self_test_passes(bundle: Path, example: str) -> None:
    code, report = self_test(bundle)
    assert (code, report["pass"], report["problems"]) == (0, True, [])
    assert report["rows"] == damage.about_of(bundle)["golden"]["rows"]
    assert report["flips"] == 0
    assert 0 < report["worst_error_ratio"] < 0.1
    assert report["picture_error"] == (0.0 if example == "digits" else None)
    assert 0 < report["latency_ms"] < 100
    assert re.fullmatch(r"onnxruntime [\d.]+", report["engine"])


def flip_a_bit(bundle: Path) -> None:
    (path,) = (bundle / "models").glob("*.onnx")
    path.write_bytes(damage.visible(path, bundle)[1])


def flip_a_bit_unseen(bundle: Path) -> None:
    flip_a_bit(bundle)
    damage.reseal(bundle)


def make_weights_nan(bundle: Path) -> None:
    (path,) = (bundle / "models").glob("*.onnx")
    model = onnx.load(path)
    weights = max(model.graph.initializer, key=lambda each: len(each.raw_data))
    nothing = np.full(tuple(weights.dims), np.nan, np.float32)
    weights.CopyFrom(numpy_helper.from_array(nothing, weights.name))
    onnx.save(model, path)
    damage.reseal(bundle)


def rewrite(bundle: Path, pattern: str, change: Callable[[re.Match[str]], str]) -> None:
    path = bundle / MODEL
    text, count = re.subn(pattern, change, path.read_text("utf-8"), count=1)
    assert count == 1
    path.write_text(text, "utf-8")


def swapped(name: str) -> Callable[[Path], None]:
    """The first two texts of a tuple in each other's place."""

    def swap(bundle: Path) -> None:
        def change(match: re.Match[str]) -> str:
            first, second, *rest = ast.literal_eval(match[1])
            return f"{name}={(second, first, *rest)!r}"

        rewrite(bundle, rf"{name}=(\(.*\))", change)

    return swap


def other_maximum(bundle: Path) -> None:
    rewrite(bundle, r"maximum=16.0", lambda _: "maximum=255.0")


def no_resize(bundle: Path) -> None:
    rewrite(bundle, r"steps.Resample\(.*\),", lambda _: "")


def other_resize(bundle: Path) -> None:
    rewrite(bundle, r"method='bilinear'", lambda _: "method='nearest'")


@pytest.mark.parametrize(
    ("example", "sabotage", "word"),
    [
        ("digits", flip_a_bit, "is not the file that was built"),
        ("breast-cancer", flip_a_bit, "is not the file that was built"),
        ("digits", flip_a_bit_unseen, "× the tolerance"),
        ("breast-cancer", make_weights_nan, "no finite value"),
        ("digits", swapped("labels"), "rows have another label"),
        ("breast-cancer", swapped("labels"), "rows have another label"),
        ("digits", other_maximum, "the golden picture is"),
        ("digits", other_resize, "the golden picture is"),
        ("digits", no_resize, "the golden picture has the shape"),
        ("breast-cancer", swapped("columns"), "× the tolerance"),
    ],
    indirect=["example"],
)
def test_sabotage_fails(bundle: Path, sabotage: Callable[[Path], None], word: str) -> None:
    sabotage(bundle)
    code, report = self_test(bundle)
    assert code == 1
    assert not report["pass"]
    assert any(word in problem for problem in report["problems"]), report["problems"]


def test_every_file_is_compared(bundle: Path) -> None:
    expected = damage.change_every_file(bundle)
    code, report = self_test(bundle)
    assert code == 1
    assert expected <= set(report["problems"])


def about(bundles: Path, example: str) -> dict[str, Any]:
    path = bundles / example / "server/kspec-bundle.json"
    return dict(json.loads(path.read_text("utf-8")))


def test_texts_of_a_spec_are_string_constants(bundles: Path, example: str) -> None:
    plain = about(bundles, example)
    files = Server().files(described(plain))
    assert Server().files(described(plain)) == files
    expected = skeleton(files[MODEL], ".py")
    for turn in range(200):
        hidden = Server().files(described(disguise(plain, turn)))
        assert skeleton(hidden[MODEL], ".py") == expected, turn
        assert {path for path in files if files[path] != hidden[path]} == {MODEL}


def test_what_the_code_says_is_what_the_bundle_says(bundles: Path, example: str) -> None:
    for turn in (0, 7):
        hidden = disguise(about(bundles, example), turn)
        texts = {
            node.value
            for node in ast.walk(ast.parse(Server().files(described(hidden))[MODEL]))
            if isinstance(node, ast.Constant)
        }
        for part in hidden["signature"].values():
            for each in part:
                labels = (each.get("decision") or {}).get("labels", ())
                assert {each["name"], *labels} <= texts
                assert each["kind"] != "number" or set(each["columns"]) <= texts
        assert hidden["description"] in texts


def test_the_code_is_typed(bundles: Path, tmp_path: Path) -> None:
    shutil.copytree(bundles / "digits/server/server", tmp_path / "server")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "server"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout


def test_requirements_are_pinned_by_hash(bundles: Path) -> None:
    lines = (bundles / "digits/server/requirements.txt").read_text().replace("\\\n", "")
    for line in lines.splitlines():
        assert re.match(r"[\w.-]+==[\w.]+ ", line), line
        assert "--hash=sha256:" in line
        assert "://" not in line
