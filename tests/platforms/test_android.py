"""The Android module: compiled against Android's classes, and run on the JVM with LiteRT."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image, ImageOps
from safetensors.numpy import save_file

from kspec.features.cells import read_cell
from kspec.features.decision import Decision
from kspec.pipeline.proof.comparison import scale_of, within
from kspec.schemas.features import Image as Picture
from kspec.targets.formats.format import Tolerance
from kspec.targets.platforms.android import Android
from kspec.targets.platforms.android.model import package_of, type_of
from tests.platforms import damage
from tests.platforms.android.toolchain import HERE, Classes, compile_kotlin
from tests.platforms.conftest import EXAMPLES
from tests.platforms.descriptions import TOLERANCE, described, picture_steps, port
from tests.platforms.hostile import disguise
from tests.platforms.skeleton import renamed, skeleton

ASSETS = "src/main/assets/kspec"


@pytest.fixture
def platform() -> str:
    return "android"


@pytest.fixture(scope="session")
def classes(bundles: Path, tmp_path_factory: pytest.TempPathFactory) -> Classes:
    """Both bundles with their tests, altered constants, and a model of every kind of input and
    output, compiled as one."""
    folder = tmp_path_factory.mktemp("android")
    stubs, library = folder / "stubs", folder / "library"
    compile_kotlin([HERE / "litert", HERE / "androidx"], stubs)
    shipped = [bundles / example / "android/src" for example in EXAMPLES]
    kinds = unpack(many_kinds(about_of(bundles / "digits/android")), folder / "kinds")
    compile_kotlin([*(each / "main/kotlin" for each in shipped), kinds], library, stubs)
    tests = [each / part / "kotlin" for each in shipped for part in ("test", "androidTest")]
    for example in EXAMPLES:
        tests += altered(bundles / example / "android", folder / example)
    return compile_kotlin(tests, folder / "tests", library, stubs, tested=library)


def about_of(bundle: Path) -> dict[str, Any]:
    return json.loads((bundle / "kspec-bundle.json").read_text("utf-8"))


def unpack(about: Mapping[str, Any], folder: Path) -> Path:
    """The folder with the Kotlin of the library itself."""
    for name, content in Android().files(described(about)).items():
        if name.startswith("src/main/kotlin"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    return folder


def many_kinds(about: dict[str, Any]) -> dict[str, Any]:
    """A description with an input and an output of every kind, several of some."""
    (picture,) = about["signature"]["inputs"]
    labels = [f"{number}" for number in range(1001)]
    about["name"] = "class"
    about["options"] |= {"batch": 3, "dimensions": {"time": 7}}
    about["signature"] = {
        "inputs": [
            {**picture, "name": "a"},
            {**picture, "name": "b", "steps": picture_steps(1, 255.0, None)},
            port("c", "number", [2], columns=["x", "y"], columns_by_name=True),
            port("d", "tensor", ["time", 2], dtype="int32", columns=[]),
            port("e", "tensor", [2], columns=[]),
        ],
        "outputs": [
            port("a", "category", [1001], decision={"labels": labels}),
            port("b", "category", ["time", 2], decision={"labels": ["x", "y"]}),
            port("c", "binary", [1], decision={"labels": ["x", "y"], "threshold": 0.5}),
            port("d", "number", [2]),
        ],
    }
    tolerances = {name: dict(TOLERANCE) for name in "abcd"}
    about["artifacts"][0]["tolerances"] = tolerances
    return about


def altered(bundle: Path, folder: Path) -> list[Path]:
    """Copies of the model's class with wrong constants, and a main class that tests them all."""
    about = about_of(bundle)
    package, type_ = package_of(about["name"]), type_of(about["name"])
    (source,) = bundle.glob(f"src/main/kotlin/kspec/*/{type_}.kt")
    artifact = about["artifacts"][0]
    _, damaged = damage.visible(bundle / artifact["path"], bundle)
    first, second = about["signature"]["outputs"][0]["decision"]["labels"][:2]
    changes = {
        "labels": (f'"{first}", "{second}"', f'"{second}", "{first}"'),
        "maximum": ("maximum = 16.0", "maximum = 255.0"),
        "resize": ('method = "bilinear"', 'method = "nearest"'),
        "columns": ('"mean_area", "mean_compactness"', '"mean_compactness", "mean_area"'),
        "weights": (artifact["sha256"], hashlib.sha256(damaged).hexdigest()),
    }
    folder.mkdir()
    paths, subjects = [], [f'"" to {type_}.SUBJECT']
    for name, (before, after) in changes.items():
        text = source.read_text("utf-8")
        if before in text:
            paths.append(folder / f"{name}.kt")
            renamed = text.replace(before, after, 1).replace(type_, f"{type_}_{name}")
            paths[-1].write_text(renamed, "utf-8")
            subjects.append(f'"{name}" to {type_}_{name}.SUBJECT')
    values = {"package": package, "type": type_, "subjects": ", ".join(subjects)}
    for each in (HERE / "Run.kt", HERE / "Probe.kt"):
        text = each.read_text("utf-8")
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", value)
        paths.append(folder / each.name)
        paths[-1].write_text(text, "utf-8")
    return paths


def self_test(classes: Classes, bundle: Path, constants: str = "") -> dict[str, Any]:
    package = package_of(about_of(bundle)["name"])
    code, said = classes.run(f"kspec.{package}.Run", bundle, constants)
    (line,) = said.splitlines()
    head, _, facts = line.partition(" ")
    assert head == "KSPEC-SELFTEST"
    report = json.loads(facts)
    assert (code == 0) is report["pass"] is (not report["problems"])
    return dict(report)


def test_the_artifact_passes_in_litert(classes: Classes, bundle: Path, example: str) -> None:
    report = self_test(classes, bundle)
    assert report["pass"], report
    rows = about_of(bundle)["golden"]["rows"]
    assert (report["platform"], report["name"], report["rows"]) == ("android", example, rows)
    assert report["engine"] == "LiteRT 2.3.0"
    assert report["worst_error_ratio"] < 0.1
    assert report["flips"] == 0
    assert report["picture_error"] == (0.0 if example == "digits" else None)
    assert report["latency_ms"] > 0


def test_all_but_the_engine_passes_in_junit(classes: Classes, bundle: Path) -> None:
    package = package_of(about_of(bundle)["name"])
    code, said = classes.run(
        "org.junit.runner.JUnitCore", f"kspec.{package}.GoldenTest", module=bundle
    )
    assert (code, "OK (3 tests)" in said) == (0, True), said


@pytest.mark.parametrize(
    ("of", "constants", "problem"),
    [
        ("digits", "labels", "another label"),
        ("digits", "maximum", "picture becomes another tensor"),
        ("digits", "resize", "picture becomes another tensor"),
        ("breast-cancer", "labels", "another label"),
        ("breast-cancer", "columns", "times the tolerance"),
    ],
)
def test_wrong_constants_fail(
    classes: Classes, bundles: Path, of: str, constants: str, problem: str
) -> None:
    report = self_test(classes, bundles / of / "android", constants)
    assert not report["pass"]
    assert any(problem in each for each in report["problems"]), report


def test_a_wrong_bit_in_a_weight_fails(classes: Classes, bundle: Path) -> None:
    artifact = bundle / about_of(bundle)["artifacts"][0]["path"]
    artifact.write_bytes(damage.visible(artifact, bundle)[1])
    sealed, unsealed = self_test(classes, bundle), self_test(classes, bundle, "weights")
    assert [sealed["pass"], unsealed["pass"]] == [False, False]
    assert f"{artifact.name} is not the file that was built" in sealed["problems"]
    assert "times the tolerance" in unsealed["problems"][0]


def test_other_golden_rows_fail(classes: Classes, bundle: Path) -> None:
    golden = bundle / about_of(bundle)["golden"]["file"]
    golden.write_bytes(golden.read_bytes()[:-1] + b"\x01")
    problems = self_test(classes, bundle)["problems"]
    assert "golden.safetensors is not the file that was built" in problems


def test_every_file_is_compared(classes: Classes, bundle: Path) -> None:
    """On a device those of the assets, and by Gradle's test those of the module."""
    assets = [path for path in bundle.rglob("assets/kspec/*/*") if path.is_file()]
    expected = damage.change_every_file(bundle)
    problems = self_test(classes, bundle)["problems"]
    assert {f"{each.name} is not the file that was built" for each in assets} <= set(problems)
    package = package_of(about_of(bundle)["name"])
    code, said = classes.run(f"kspec.{package}.Probe", "files", bundle)
    assert (code, set(said.splitlines())) == (0, expected)


def test_assets_that_are_missing_or_added_are_found(classes: Classes, bundle: Path) -> None:
    rows = bundle / about_of(bundle)["golden"]["file"]
    rows.rename(rows.with_name("other.safetensors"))
    assert self_test(classes, bundle)["problems"][:2] == [
        "golden.safetensors is missing",
        "other.safetensors does not belong to the model",
    ]


def test_pictures_become_the_numbers_of_the_training(classes: Classes, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    colors = np.random.default_rng(3).integers(0, 256, (7, 9, 4), np.uint8)
    image = Image.fromarray(colors)
    image.save(path)
    code, said = classes.run("kspec.digits.Probe", "pictures", path)
    lines = [line.split() for line in said.splitlines()]
    assert (code, len(lines)) == (0, 8 + 4 + 2 * 12 + 2)
    assert said.splitlines()[-2:] == [
        "9 × 7 pixels, more than 62",
        "9 × 7 pixels, the model takes 10 × 7",
    ]
    for orientation, width, height, *values in lines[:8]:
        exif = Image.Exif()
        exif[0x0112] = int(orientation)
        image.save(tmp_path / "turned.png", exif=exif)
        with Image.open(tmp_path / "turned.png") as turned:
            upright = np.asarray(ImageOps.exif_transpose(turned))
        assert upright.shape[:2] == (int(height), int(width))
        found = np.array(values, np.int64).astype(np.uint32).view("<u1").reshape(*upright.shape)
        assert np.array_equal(found[..., [2, 1, 0, 3]], upright), orientation
    for method, height, width, channels, *values in lines[8:-2]:
        resize = None if method == "null" else method
        wanted = Picture(
            height=int(height),
            width=int(width),
            channels=int(channels),
            maximum=16.0,
            resize=resize,
        )
        expected = read_cell(path, wanted).astype(np.float32).reshape(-1)
        assert np.array_equal(np.array(values, np.int32).view(np.float32), expected), method


def test_the_verdict_is_that_of_the_build(classes: Classes, tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    kinds = {
        "category": Decision(labels=("a", "b", "c")),
        "binary": Decision.binary(("a", "b")),
    }
    tensors, expected = {}, []
    for name, kind in kinds.items():
        for case in range(60):
            exact = random.random((4, 3 if name == "category" else 1)).astype(np.float32)
            exact *= np.float32(10.0 ** random.integers(-3, 2))
            found = exact + random.normal(0, [3e-3, 3e-2][case % 2], exact.shape).astype(np.float32)
            if case % 6 == 5:
                found.flat[random.integers(found.size)] = [np.nan, np.inf, -np.inf][case % 3]
            tensors |= {f"found/{name}-{case:02}": found, f"exact/{name}-{case:02}": exact}
            near = within(found, exact, Tolerance(1e-2, 1e-3), scale_of(exact))
            flipped = kind.flips(found, exact, 1e-2 * scale_of(exact)).sum()
            expected.append(f"{name}-{case:02} {str(near).lower()} {flipped}")
    save_file(tensors, tmp_path / "cases.safetensors")
    code, said = classes.run("kspec.digits.Probe", "verdicts", tmp_path / "cases.safetensors")
    assert code == 0
    assert said.splitlines() == sorted(expected)
    assert len({each.partition(" ")[2] for each in expected}) > 4


def test_a_fixed_batch_is_filled_up(classes: Classes) -> None:
    rows = " ".join(f"{2 * row}.0,{2 * row + 1}.0" for row in range(7))
    assert classes.run("kspec.digits.Probe", "batches") == (0, f"3 3 3 {rows}\n")


def test_whatever_a_spec_says_is_a_string_constant(bundles: Path, example: str) -> None:
    about = about_of(bundles / example / "android")
    files = Android().files(described(about))
    changed = set()
    for turn in range(200):
        found = Android().files(described(disguise(about, turn)))
        assert found.keys() == files.keys()
        for name in (each for each in files if found[each] != files[each]):
            changed.add(Path(name).name)
            if not name.endswith(".json"):
                suffix = Path(name).suffix
                tokens = skeleton(found[name], suffix), skeleton(files[name], suffix)
                assert renamed(*tokens), (turn, name)
    assert changed == {"kspec-bundle.json", f"{type_of(about['name'])}.kt"}


def test_the_labels_lie_in_the_file_that_was_proven(bundles: Path) -> None:
    about = about_of(bundles / "digits/android")
    artifact = bundles / "digits/android" / about["artifacts"][0]["path"]
    assert hashlib.sha256(artifact.read_bytes()).hexdigest() == about["artifacts"][0]["sha256"]
    with ZipFile(artifact) as archive:
        labels = archive.read("labels-0.txt").decode().splitlines()
    assert labels == about["signature"]["outputs"][0]["decision"]["labels"]
    assert b"TFLITE_METADATA" in artifact.read_bytes()
    assert artifact.parent == bundles / "digits/android" / ASSETS / "digits"


def test_the_bundle_is_what_its_description_makes(bundles: Path, example: str) -> None:
    bundle = bundles / example / "android"
    about = about_of(bundle)
    for name, content in Android().files(described(about)).items():
        assert (bundle / name).read_bytes() == content, name
    chosen = {**about, "options": {**about["options"], "accelerator": "gpu"}}
    files = {name: each.decode() for name, each in Android().files(described(chosen)).items()}
    assert (
        'implementation("com.google.ai.edge.litert:litert-gpu:2.3.0")' in files["build.gradle.kts"]
    )
    assert 'noCompress += "tflite"' in files["build.gradle.kts"]
    assert any("accelerator: Accelerator = Accelerator.GPU" in each for each in files.values())
