"""The Raspberry Pi bundle: proven and caught when anything is wrong."""

from __future__ import annotations

import csv
import json
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file

from kspec.targets.platforms.raspberry_pi import package_of
from tests.platforms import damage

ENGINES = ("litert", "onnxruntime")
FILES = {"litert": ".tflite", "onnxruntime": ".onnx"}
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def platform() -> str:
    return "raspberry_pi"


def natively(folder: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False, **options
    )


def self_test(bundle: Path, engine: str, run: Run = natively) -> dict[str, Any]:
    """What the line says, with the exit status."""
    done = run(bundle, "-m", package(bundle), "self-test", "--engine", engine)
    (line,) = done.stdout.splitlines()
    mark, _, found = line.partition(" ")
    assert mark == "KSPEC-SELFTEST", done.stderr
    report = json.loads(found, parse_constant=pytest.fail)
    assert done.returncode == (0 if report["pass"] else 1)
    assert report["pass"] is not bool(report["problems"])
    return report


def about(bundle: Path) -> dict[str, Any]:
    return json.loads((bundle / "kspec-bundle.json").read_text())


def package(bundle: Path) -> str:
    return package_of(about(bundle)["name"])


def check_passed(report: dict[str, Any], bundle: Path, engine: str) -> None:
    assert report["pass"], report
    assert report["platform"] == "raspberry_pi"
    name = "ai-edge-litert" if engine == "litert" else engine
    assert re.fullmatch(rf"{name} \d+\.\d+\.\d+", report["engine"])
    described = about(bundle)
    assert (report["name"], report["version"]) == (described["name"], described["version"])
    assert report["artifact"] == described["name"] + FILES[engine]
    assert report["rows"] == described["golden"]["rows"]
    assert 0 < report["worst_error_ratio"] <= 1
    assert (report["flips"], report["problems"]) == (0, [])
    pictures = bool(described["golden"]["pictures"])
    assert report["picture_error"] == (0.0 if pictures else None)
    assert report["latency_ms"] > 0


@pytest.mark.parametrize("engine", ENGINES)
def test_the_self_test_passes(bundle: Path, engine: str) -> None:
    check_passed(self_test(bundle, engine), bundle, engine)


def flip_bit(bundle: Path, engine: str) -> None:
    path = artifact(bundle, engine)
    path.write_bytes(damage.visible(path, bundle)[1])


def grow_weight(bundle: Path, engine: str) -> None:
    flip_bit(bundle, engine)
    damage.reseal(bundle)


def break_weight(bundle: Path, engine: str) -> None:
    """A weight that is not a number, and the bundle lists the file that has it."""
    path = artifact(bundle, engine)
    place, _ = damage.visible(path, bundle)
    content = bytearray(path.read_bytes())
    struct.pack_into("<f", content, place, float("nan"))
    path.write_bytes(content)
    damage.reseal(bundle)


def artifact(bundle: Path, engine: str) -> Path:
    return bundle / (about(bundle)["name"] + FILES[engine])


def edit(bundle: Path, before: str, after: str) -> None:
    path = bundle / package(bundle) / "spec.py"
    text = path.read_text()
    assert text.count(before) == 1
    path.write_text(text.replace(before, after))


def swap(field: str) -> Callable[[Path, str], None]:
    """The first two texts of a constant, each in the other's place."""

    def change(bundle: Path, engine: str) -> None:
        text = (bundle / package(bundle) / "spec.py").read_text()
        line = re.search(rf"{field}=\((.*?), (.*?)([,)].*)", text)
        assert line is not None
        edit(bundle, line[0], f"{field}=({line[2]}, {line[1]}{line[3]}")

    return change


def replace(before: str, after: str) -> Callable[[Path, str], None]:
    return lambda bundle, engine: edit(bundle, before, after)


def forget_row(bundle: Path, engine: str) -> None:
    path = bundle / "golden.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")


def forget_signature(bundle: Path, engine: str) -> None:
    path = bundle / "kspec-bundle.json"
    path.write_text(json.dumps({**about(bundle), "signature": {}}))


def remove_engine(bundle: Path, engine: str) -> None:
    name = "ai_edge_litert" if engine == "litert" else engine
    (bundle / f"{name}.py").write_text('raise ImportError("not here")')


SABOTAGE: dict[str, tuple[Callable[[Path, str], None], str]] = {
    "a bit of a weight": (flip_bit, "is not the file that was built"),
    "a weight": (grow_weight, "× the tolerance"),
    "a weight that is not a number": (break_weight, "nan × the tolerance"),
    "labels": (swap("labels"), "rows have another label"),
    "golden rows": (forget_row, "golden.safetensors is not the file that was built"),
    "description": (forget_signature, "kspec-bundle.json: KeyError"),
    "no engine": (remove_engine, "is not installed"),
}
OF_EXAMPLE: dict[str, dict[str, tuple[Callable[[Path, str], None], str]]] = {
    "digits": {
        "maximum": (replace("maximum=16.0", "maximum=255.0"), "the golden picture is"),
        "no resize": (replace("steps.Resample(", "# "), "the golden picture has the shape"),
        "other resize": (replace("method='bilinear'", "method='nearest'"), "golden picture"),
    },
    "breast-cancer": {"order of columns": (swap("columns"), "× the tolerance")},
}
CASES = [
    (example, name) for example, own in OF_EXAMPLE.items() for name in sorted({**SABOTAGE, **own})
]


def test_every_file_is_compared(bundle: Path) -> None:
    expected = damage.change_every_file(bundle)
    report = self_test(bundle, "litert")
    assert set(report["problems"]) == expected


@pytest.mark.parametrize(("example", "name"), CASES)
@pytest.mark.parametrize("engine", ENGINES)
def test_sabotage_is_caught(bundle: Path, example: str, name: str, engine: str) -> None:
    check_caught(bundle, example, name, engine, natively)


def check_caught(bundle: Path, example: str, name: str, engine: str, run: Run) -> None:
    spoil, reason = {**SABOTAGE, **OF_EXAMPLE[example]}[name]
    spoil(bundle, engine)
    report = self_test(bundle, engine, run)
    assert not report["pass"]
    assert any(reason in problem for problem in report["problems"]), report
    if spoil is break_weight:
        assert report["worst_error_ratio"] is None
    if spoil is grow_weight:
        assert report["worst_error_ratio"] > 1


def test_rows_of_a_file_are_answered(bundle: Path, example: str) -> None:
    described, golden = about(bundle), load_file(bundle / "golden.safetensors")
    (given,), (meaning,) = described["signature"]["inputs"], described["signature"]["outputs"]
    name, output = given["name"], meaning["name"]
    rows = golden[f"input/{name}"].reshape(described["golden"]["rows"], -1).tolist()
    with (bundle / "rows.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["not asked for", *reversed(given["columns"])])
        writer.writerows(["x", *reversed(row)] for row in rows)
    lines = "".join(
        json.dumps({name: golden[f"input/{name}"][row].tolist()}) + "\n" for row in range(len(rows))
    )
    from_file = natively(bundle, "-m", package(bundle), "predict", "rows.csv")
    from_lines = natively(bundle, "-m", package(bundle), "predict", "-", input=lines)
    assert from_file.stdout == from_lines.stdout
    assert from_file.returncode == from_lines.returncode == 0
    expected = [bytes(row).rstrip(b"\0").decode() for row in golden[f"decision/{output}"]]
    answers = [json.loads(line)[output] for line in from_file.stdout.splitlines()]
    assert [each["label"] for each in answers] == expected
    assert all(each["confidence"] == max(each["probabilities"].values()) for each in answers)
    assert list(answers[0]["probabilities"]) == meaning["decision"]["labels"]
