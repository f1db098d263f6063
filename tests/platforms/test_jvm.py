"""The JVM bundle: Maven proves it, and nothing that is wrong with it passes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kspec.targets.platforms.jvm import RUNTIME, Jvm
from tests.platforms import damage, jvm
from tests.platforms.conftest import EXAMPLES
from tests.platforms.descriptions import described
from tests.platforms.hostile import disguise
from tests.platforms.skeleton import renamed, skeleton

PACKAGES = {"digits": "kspec.digits", "breast-cancer": "kspec.breast_cancer"}
MODELS = {"digits": "DigitsModel", "breast-cancer": "BreastCancerModel"}
RESOURCES = "META-INF/kspec"


@pytest.fixture
def platform() -> str:
    return "jvm"


@pytest.fixture
def project(bundles: Path, example: str) -> Path:
    return jvm.built(bundles, example)[0]


def about(project: Path) -> dict[str, Any]:
    return json.loads((project / "kspec-bundle.json").read_text())


def source(project: Path, example: str, name: str, part: str = "main") -> Path:
    return project / f"src/{part}/java" / PACKAGES[example].replace(".", "/") / f"{name}.java"


def test_maven_proves_the_bundle(bundles: Path, example: str) -> None:
    project, output = jvm.built(bundles, example)
    assert re.search(r"Tests run: 3, Failures: 0, Errors: 0, Skipped: 0\n", output)
    report = jvm.said(output)
    expected = about(project)
    assert report["pass"]
    assert (report["platform"], report["name"], report["version"]) == ("jvm", example, "1.0.0")
    assert report["engine"] == f"onnxruntime {RUNTIME}"
    assert report["rows"] == expected["golden"]["rows"]
    assert 0 < report["worst_error_ratio"] <= 1
    assert report["flips"] == 0
    assert report["picture_error"] == (0 if expected["golden"]["pictures"] else None)
    assert 0 < report["latency_ms"] < 100


def test_one_jar_is_all_an_app_needs(bundles: Path, tmp_path: Path) -> None:
    """The same jar is built elsewhere; the self-test runs with it, and by itself."""
    project, _ = jvm.built(bundles, "breast-cancer")
    again = shutil.copytree(bundles / "breast-cancer/jvm", tmp_path / "again")
    output = jvm.maven(again, "--quiet", "package", "exec:java", "-DskipTests")
    assert jvm.said(output)["pass"]
    jar = "target/breast-cancer-1.0.0.jar"
    assert (again / jar).read_bytes() == (project / jar).read_bytes()
    tests = project / "target/test-classes"
    found = jvm.self_test(again, "kspec.breast_cancer.SelfTest", tests, project / jar, jvm.RUNTIME)
    assert found["pass"]


def test_the_runtime_is_silent_and_starts_in_large_apps(bundles: Path) -> None:
    """Later versions send telemetry, and read the command line with what overflows the stack."""
    project, _ = jvm.built(bundles, "breast-cancer")
    with zipfile.ZipFile(jvm.RUNTIME) as jar:
        native = jar.read("ai/onnxruntime/native/linux-x64/libonnxruntime.so")
    assert b"events.data" not in native
    crowd = Path("/" + "x" * 20_000)
    name = "kspec.breast_cancer.SelfTest"
    assert jvm.self_test(project, name, *jvm.classes(project), crowd)["pass"]


def test_the_function_for_spark_compiles(bundles: Path, tmp_path: Path) -> None:
    project, _ = jvm.built(bundles, "digits")
    assert (project / "target/classes/kspec/digits/SparkFunction.class").exists()
    copy = shutil.copytree(bundles / "breast-cancer/jvm", tmp_path / "spark")
    jvm.maven(copy, "--quiet", "compile", "--activate-profiles", "spark")
    assert (copy / "target/classes/kspec/breast_cancer/SparkFunction.class").exists()


Edit = Callable[[str], str]


def swapped(one: str, other: str) -> Edit:
    def edit(text: str) -> str:
        assert text.count(f'"{one}"') == text.count(f'"{other}"') == 1
        held = text.replace(f'"{one}"', '"\0"').replace(f'"{other}"', f'"{one}"')
        return held.replace('"\0"', f'"{other}"')

    return edit


def replaced(old: str, new: str) -> Edit:
    def edit(text: str) -> str:
        assert text.count(old) == 1
        return text.replace(old, new)

    return edit


@pytest.mark.parametrize(
    ("example", "edit", "problem"),
    [
        ("digits", swapped("3", "4"), "rows have another label"),
        ("digits", replaced("16.0", "255.0"), "a golden picture differs"),
        ("digits", replaced("bilinear", "nearest"), "a golden picture differs"),
        ("digits", replaced("(1, null, null,", "(1, 8, 8,"), "takes 8 × 8"),
        ("breast-cancer", swapped("benign", "malignant"), "rows have another label"),
        ("breast-cancer", swapped("mean_area", "worst_area"), "times the tolerance"),
        ("breast-cancer", replaced('"diagnosis", true', '"diagnosis", false'), "ONNX Runtime"),
    ],
)
def test_a_wrong_client_fails(
    project: Path, example: str, edit: Edit, problem: str, tmp_path: Path
) -> None:
    altered = tmp_path / f"{MODELS[example]}.java"
    altered.write_text(edit(source(project, example, MODELS[example]).read_text()))
    path = jvm.classes(project)
    jvm.compile_java([altered], tmp_path / "out", *path)
    report = jvm.self_test(project, f"{PACKAGES[example]}.SelfTest", tmp_path / "out", *path)
    assert not report["pass"]
    assert problem in "\n".join(report["problems"])


@pytest.mark.parametrize("change", ["bit", "value", "nan", "missing"])
def test_a_wrong_artifact_fails(project: Path, example: str, change: str, tmp_path: Path) -> None:
    """The hash tells a flipped bit; larger faults are seen in the answers as well."""
    path = tmp_path / RESOURCES / f"{example}.onnx"
    path.parent.mkdir(parents=True)
    built = project / f"src/main/resources/{RESOURCES}/{example}.onnx"
    place, flipped = damage.visible(built, project)
    content = bytearray(built.read_bytes())
    content[place : place + 4] = {
        "bit": bytes([content[place] ^ 1]) + content[place + 1 : place + 4],
        "value": flipped[place : place + 4],
        "nan": b"\x00\x00\xc0\x7f",
    }.get(change, b"")
    path.write_bytes(b"" if change == "missing" else content)
    report = jvm.self_test(
        project, f"{PACKAGES[example]}.SelfTest", tmp_path, *jvm.classes(project)
    )
    assert not report["pass"]
    assert f"{example}.onnx has another SHA-256" in report["problems"][0]
    assert (report["worst_error_ratio"] is None) == (change in ("nan", "missing"))
    assert (len(report["problems"]) > 1) == (change != "bit")


def test_every_file_is_compared(project: Path, example: str, tmp_path: Path) -> None:
    """Of the project; what Maven has built of it is not its own."""
    copy = Path(shutil.copytree(project, tmp_path / "copy"))
    expected = damage.change_every_file(copy)
    report = jvm.self_test(copy, f"{PACKAGES[example]}.SelfTest", *jvm.classes(project))
    assert set(report["problems"]) == expected


def test_hostile_texts_are_only_constants(bundles: Path, example: str) -> None:
    plain = about(bundles / example / "jvm")
    expected = Jvm().files(described(plain))
    tokens = {
        path: skeleton(content, ".java")
        for path, content in expected.items()
        if path.endswith(".java")
    }
    for turn in range(EXAMPLES.index(example), 200, len(EXAMPLES)):
        found = Jvm().files(described(disguise(plain, turn)))
        assert found.keys() == expected.keys()
        for path, content in found.items():
            if content != expected[path]:
                assert renamed(skeleton(content, ".java"), tokens[path]), (turn, path)


@pytest.mark.parametrize("turn", [0, 60])
def test_hostile_texts_come_back(bundles: Path, turn: int, tmp_path: Path) -> None:
    project, _ = jvm.built(bundles, "digits")
    told = disguise(about(project), turn)
    sources = [jvm.SOURCES / "Echo.java"]
    for path, content in Jvm().files(described(told)).items():
        if path.startswith("src/main"):
            place = tmp_path / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            sources.append(place)
    jvm.compile_java(sources, tmp_path / "out", jvm.RUNTIME)
    printed = jvm.java("Echo", tmp_path / "out", jvm.RUNTIME).split()
    signature = told["signature"]
    texts = [each["name"] for each in (*signature["inputs"], *signature["outputs"])]
    texts += signature["outputs"][0]["decision"]["labels"]
    assert [bytes.fromhex(each).decode("utf-16-be") for each in printed] == texts


def test_the_same_description_makes_the_same_bytes(bundles: Path, example: str) -> None:
    bundle = bundles / example / "jvm"
    code = (
        "import hashlib, sys; from kspec.targets.platforms.jvm import RUNTIME, Jvm;"
        "from kspec.features.description import Description;"
        "files = Jvm().files(Description.read(open(sys.argv[1]).read()));"
        "print({k: hashlib.sha256(v).hexdigest() for k, v in files.items()})"
    )
    command = [sys.executable, "-c", code, str(bundle / "kspec-bundle.json")]
    printed = [
        subprocess.run(
            command, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert printed[0] == printed[1]
    for path, content in Jvm().files(described(about(bundle))).items():
        assert (bundle / path).read_bytes() == content
