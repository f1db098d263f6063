"""An artifact is a set of files: all of them are placed, hashed, measured and verified."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kspec
from kspec.models.keras_model import randomize
from kspec.pipeline.bundles.artifacts import place_artifact
from kspec.pipeline.bundles.shipped import bundles_in, verify_bundles
from kspec.pipeline.check import load_checked
from kspec.pipeline.keras_files import import_keras
from kspec.pipeline.results import Artifact
from kspec.pipeline.selection import emit_formats
from kspec.pipeline.store.artifacts import changes, digest_artifact, parts
from kspec.spec.diagnostics import KspecError
from kspec.targets.formats.onnx.run import OnnxRunner
from kspec.targets.registry import formats

FILES = {"wide.onnx", "wide.onnx.data"}


@pytest.fixture
def small_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX files of at most 2,000 bytes of weights; the others lie beside the file."""
    monkeypatch.setattr(formats()["onnx"], "largest_message", 2_000)


def wide() -> Any:
    import keras

    x = keras.Input((16,), name="x")
    hidden = keras.layers.Dense(32, activation="relu", name="hidden")(x)
    model = keras.Model(x, keras.layers.Dense(3, name="y")(hidden), name="wide")
    randomize(model)
    return model


def opens(path: Path) -> None:
    (found,) = OnnxRunner(path)({"x": np.ones((2, 16), np.float32)}).values()
    assert found.shape == (2, 3)


@pytest.mark.usefixtures("small_messages")
def test_a_keras_model_with_weights_outside(tmp_path: Path) -> None:
    (artifact,) = kspec.compile_keras(wide(), ("onnx",), tmp_path / "out")
    assert {each.name for each in (tmp_path / "out").iterdir()} == FILES
    assert artifact.files.keys() == FILES
    assert artifact.bytes == sum(each.stat().st_size for each in (tmp_path / "out").iterdir())
    moved = tmp_path / "moved"
    (tmp_path / "out").rename(moved)
    opens(moved / "wide.onnx")


@pytest.mark.usefixtures("small_messages")
def test_a_build_with_weights_outside(tmp_path: Path) -> None:
    wide().save(tmp_path / "wide.keras")
    spec, _ = import_keras(tmp_path / "wide.keras", tmp_path)
    spec.write_text(spec.read_text().partition("targets:")[0] + "targets: {onnx: {}, jvm: {}}\n")
    result = kspec.build(spec)
    for each in result.artifacts:
        assert {file.name for file in each.path.parent.iterdir()} >= FILES
        assert not changes(each.path, each.files)
        opens(each.path)
    bundles = bundles_in(result.out)
    assert len(verify_bundles(bundles)) == 2
    (emitted,) = emit_formats(load_checked(spec), ("onnx",), tmp_path / "emitted")
    assert {each.name for each in (tmp_path / "emitted").iterdir()} == FILES
    opens(emitted.path)
    (outside,) = result.out.joinpath("onnx").glob("*.data")
    content = bytearray(outside.read_bytes())
    content[-1] ^= 1
    for damage in (lambda: outside.write_bytes(content), outside.unlink):
        damage()
        with pytest.raises(KspecError, match=r"wide\.onnx\.data") as caught:
            verify_bundles(bundles)
        assert {each.code for each in caught.value.diagnostics} == {"KS915"}


def artifact(folder: Path, *files: str) -> Artifact:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    path = folder / files[0].partition("/")[0]
    digest = digest_artifact(path, files)
    rest: dict[str, Any] = dict.fromkeys(
        ("target", "options", "runtime", "rows", "worst_error", "flips", "tolerances")
    )
    rest |= dict.fromkeys(("metrics", "latency", "seconds"))
    rest["format"] = "onnx"
    return Artifact(path=path, sha256=digest.sha256, bytes=digest.bytes, files=digest.files, **rest)


SETS = {
    "one file": ("m.onnx",),
    "two files": ("m.onnx", "m.onnx.data"),
    "a folder": ("m.mlpackage/Manifest.json", "m.mlpackage/Data/weights/weight.bin"),
    "a folder and a file": ("m/1/saved_model.pb", "m.json"),
}


@pytest.mark.parametrize("name", SETS)
def test_every_file_is_placed_and_every_change_is_found(name: str, tmp_path: Path) -> None:
    made = artifact(tmp_path / "made", *SETS[name])
    (tmp_path / "out").mkdir()
    (tmp_path / "out/other.txt").write_text("stays")
    placed = place_artifact(made, tmp_path / "out")
    assert digest_artifact(placed.path, placed.files).sha256 == made.sha256
    there = {each for each in (tmp_path / "out").rglob("*") if each.is_file()}
    assert len(there) == len(SETS[name]) + 1
    for file in SETS[name]:
        original = made.path.parent / file
        for change in (_damaged, Path.unlink, lambda path, to=original: _linked(path, to)):
            again = place_artifact(made, tmp_path / "out")
            change(again.path.parent / file)
            assert changes(again.path, again.files) == (file,)
            (again.path.parent / file).unlink(missing_ok=True)
    again = place_artifact(made, tmp_path / "out")
    for folder in parts(again.path, again.files).values():
        if folder.is_dir():
            (folder / "added").write_bytes(b"")
            assert changes(again.path, again.files) == (f"{folder.name}/added",)


def test_a_digest_depends_on_names_and_contents(tmp_path: Path) -> None:
    found = {
        name: artifact(tmp_path / name.replace(" ", "-"), *files).sha256
        for name, files in SETS.items()
    }
    assert len(set(found.values())) == len(found)
    shutil.copytree(tmp_path / "two-files", tmp_path / "swapped")
    first, second = (tmp_path / "swapped" / each for each in SETS["two files"])
    first.rename(tmp_path / "kept")
    second.rename(first)
    (tmp_path / "kept").rename(second)
    assert digest_artifact(first, SETS["two files"]).sha256 != found["two files"]


def test_a_placed_file_is_compared_with_the_verified_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = artifact(tmp_path / "made", *SETS["two files"])
    copy: Callable[..., Any] = shutil.copyfile

    def wrong(source: Path, final: Path, **given: Any) -> Any:
        copied = copy(source, final, **given)
        if Path(final).suffix == ".data":
            _damaged(Path(final))
        return copied

    monkeypatch.setattr(shutil, "copyfile", wrong)
    with pytest.raises(KspecError, match=r"m\.onnx\.data is not the file that was verified"):
        place_artifact(made, tmp_path / "out")


def _damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)


def _linked(path: Path, to: Path) -> None:
    """The same content behind a link."""
    path.unlink()
    path.symlink_to(to)


def test_a_file_of_an_earlier_artifact_goes_with_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    wide_, small = (artifact(tmp_path / name, *SETS[name]) for name in ("two files", "one file"))
    place_artifact(wide_, out)
    (out / "m.onnx.json").write_text("stays")
    place_artifact(small, out)
    assert {each.name for each in out.iterdir()} == {"m.onnx", "m.onnx.json"}
    place_artifact(wide_, out)
    assert {each.name for each in out.iterdir()} == {"m.onnx", "m.onnx.data", "m.onnx.json"}


def test_a_file_beside_no_artifact_stays(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/m.onnx.data").write_text("of the user")
    place_artifact(artifact(tmp_path / "made", *SETS["one file"]), tmp_path / "out")
    assert (tmp_path / "out/m.onnx.data").read_text() == "of the user"
