"""init → build → build again → verify → predict → inspect, as a user does it."""

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.cli.command import Kspec

QUICK = ("--set", "train.epochs=2", "--set", 'gates.accuracy=">= 0"')
ARTIFACT = {
    "target": str,
    "format": str,
    "path": str,
    "sha256": str,
    "bytes": int,
    "files": dict,
    "options": dict,
    "runtime": str,
    "rows": int,
    "worst_error": float,
    "flips": int,
    "tolerances": dict,
    "metrics": dict,
    "latency": float,
    "seconds": float,
}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder in which the starter was built, the command line, and what it printed."""
    kspec = Kspec(tmp_path_factory.mktemp("starter"))
    assert kspec.apart("init").returncode == 0
    done = kspec.apart("build", "model.yaml", *QUICK, "--output-format", "json")
    assert done.returncode == 0, done.stderr
    return kspec, done


def test_a_build_says_what_it_did(built, parsed):
    kspec, done = built
    found = parsed(done.stdout, "build")
    assert found["name"] == "circle"
    assert all(stage["ran"] for stage in found["stages"])
    assert [(each["target"], each["format"]) for each in found["artifacts"]] == [
        ("ios", "coreml"),
        ("android", "tflite"),
        ("browser", "onnx"),
        ("server", "onnx"),
        ("server", "tf_serving"),
    ]
    for each in found["artifacts"]:
        assert {name: type(value) for name, value in each.items()} == ARTIFACT
        assert (kspec.folder / each["path"]).exists()
        assert each["worst_error"] <= 1e-5
        assert each["flips"] == 0
        assert each["rows"] == 80
        assert each["metrics"].keys() == {"accuracy"}
    onnx = next(each for each in found["artifacts"] if each["format"] == "onnx")
    content = (kspec.folder / onnx["path"]).read_bytes()
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (onnx["sha256"], onnx["bytes"])
    assert len(found["gates"]) == 10
    assert all(each["passed"] for each in found["gates"])
    assert (kspec.folder / found["manifest"]).exists()
    assert (kspec.folder / found["report"]).exists()


def test_progress_is_plain_lines_without_chatter(built):
    _, done = built
    lines = done.stderr.splitlines()
    stage = re.compile(
        r"[\w·]+ +(… +(first build|build and trace the network|emit and run \w+ for [\w, ]+)"
        r"|[\d.]+ s   done)"
    )
    epoch = re.compile(r"epoch \d/2  .*|training 2 epochs of \d+ steps")
    assert [line for line in lines if not stage.fullmatch(line) and not epoch.fullmatch(line)] == []


def test_nothing_is_done_twice(built):
    kspec, _ = built
    done = kspec.apart("build", "model.yaml", *QUICK, options=("-X", "importtime"))
    assert done.returncode == 0
    assert done.stdout.startswith("circle 0.1.0: nothing has changed\n")
    loaded = set(re.findall(r"^import time:.*\| +(\w+)[\w.]*$", done.stderr, re.MULTILINE))
    assert not loaded & {"tensorflow", "keras", "onnx", "coremltools", "onnxruntime"}


def test_a_forged_store_does_not_ship(built, tmp_path):
    """A result whose files and index were both altered is made again, and nothing of it ships."""
    kspec, _ = built
    copy = Kspec(tmp_path / "copy")
    shutil.copytree(kspec.folder, copy.folder, symlinks=True)
    stage = copy.folder / ".kspec" / "package-browser"
    (index,) = stage.glob("*.json")
    folder = stage / index.stem
    honest = (copy.folder / "dist" / "browser" / "index.js").read_bytes()
    (folder / "index.js").write_bytes(b"globalThis.forged = 1;\n" + honest)
    (folder / "leak.txt").symlink_to("/etc/passwd")
    listed = json.loads(index.read_text())
    listed["files"]["index.js"] = hashlib.sha256((folder / "index.js").read_bytes()).hexdigest()
    index.write_text(json.dumps(listed))
    shutil.rmtree(copy.folder / "dist")
    done = copy.apart("build", "model.yaml", *QUICK)
    assert done.returncode == 0, done.stderr
    assert (copy.folder / "dist" / "browser" / "index.js").read_bytes() == honest
    assert not os.path.lexists(copy.folder / "dist" / "browser" / "leak.txt")


def test_verify_finds_what_was_altered(built, parsed, tmp_path):
    kspec, _ = built
    done = kspec.apart("verify", "model.yaml", *QUICK, "--output-format", "json")
    assert done.returncode == 0, done.stdout
    found = parsed(done.stdout, "verify")
    assert found["rows"] == "build"
    assert [set(each) for each in found["artifacts"]] == [set(ARTIFACT)] * 5
    assert len(found["gates"]) == 10
    copy = tmp_path / "browser"
    shutil.copytree(kspec.folder / "dist" / "browser", copy)
    (artifact,) = copy.glob("*.onnx")
    artifact.write_bytes(artifact.read_bytes() + b"\0")
    refused = kspec.apart("verify", str(copy))
    assert refused.returncode == 1
    assert "KS915" in refused.stderr


def test_predictions_are_the_same_by_every_way(built, parsed):
    kspec, _ = built
    points = [[0.0, 0.0], [0.9, -0.9], [0.1, 0.3]]
    Path(kspec.folder, "rows.csv").write_text(
        "\n".join(["x1,x2", *(f"{x},{y}" for x, y in points)]) + "\n"
    )
    Path(kspec.folder, "rows.json").write_text(json.dumps([{"point": each} for each in points]))
    csv = ("predict", "model.yaml", *QUICK, "--input", "rows.csv", "--format", "onnx")
    one = parsed(kspec.apart(*csv, "--output-format", "json").stdout, "predict")["predictions"]
    bundle = ("predict", "dist/android", "--input", "rows.json", "--output-format", "json")
    two = parsed(kspec.apart(*bundle).stdout, "predict")["predictions"]
    assert len(one) == len(two) == 3
    for first, second in zip(one, two, strict=True):
        assert first["place"]["label"] == second["place"]["label"]
        inside = first["place"]["values"][0] > 0.5
        assert first["place"]["label"] == ("inside" if inside else "outside")
        assert first["place"]["values"] == pytest.approx(second["place"]["values"], abs=1e-5)
    text = kspec.apart(*csv).stdout.splitlines()
    assert text[0].split() == ["row", "output", "label", "values"]
    assert len(text) == 5


def test_inspect_reads_what_was_built(built):
    kspec, _ = built
    bundle = kspec.apart("inspect", "dist/ios").stdout
    assert "circle 0.1.0 for ios" in bundle
    assert "float32[batch, 2]" in bundle
    assert "outside, inside" in bundle
    manifest = kspec.apart("inspect", "dist/manifest.json", "--output-format", "json")
    assert len(json.loads(manifest.stdout)["artifacts"]) == 5
    graph = kspec.apart("inspect", "model.yaml", *QUICK, "--ir", options=("-X", "importtime"))
    assert graph.stdout.startswith("graph circle(point: float32[batch, 2]) -> (place: ")
    assert not re.search(r"\| +tensorflow$", graph.stderr, re.MULTILINE)


def test_a_failed_gate_ends_with_1_and_its_line(built, parsed):
    kspec, _ = built
    tight = ("--set", "train.epochs=2", "--set", 'gates.accuracy=">= 1"')
    done = kspec.apart("build", "model.yaml", *tight, "--output-format", "json")
    assert done.returncode == 1
    found = parsed(done.stdout, "build")["diagnostics"]
    assert {each["code"] for each in found} == {"KS801"}
    assert len(found) == 5
    assert found[0]["span"]["file"] in ("--set", "model.yaml")
