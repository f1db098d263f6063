"""No place that kspec writes to leaves anything half-written when the disk is full or read-only.

The kernel refuses the writes: the largest size of a file is limited in a process of its own, so
that writers in Python, C and Rust fail alike. Errors that need privileges are put in by hand.
"""

import errno
import os
import resource
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from kspec.commands.failures import diagnose
from kspec.compiler import file as graph_file
from kspec.pipeline.starter import write_starter
from kspec.pipeline.store.content import Store, write_whole
from kspec.pipeline.store.placement import place, replace
from kspec.spec.codes import RULES
from kspec.spec.system_errors import FULL, system_error
from kspec.targets import emission
from kspec.targets.emission import run_artifact
from kspec.targets.registry import formats
from kspec.training import files
from kspec.training.checkpoints import Checkpoint, Progress, write_checkpoint
from tests.compiler.pass_graphs import graph_of
from tests.pipeline.tiny import ended, forked

LIMIT = 1500
BIG = bytes(3 * LIMIT)
ABOUT = '{"kspec_bundle": 1, "target": "browser"}'
TENSORS = {"w": np.ones(LIMIT, np.float32)}


def bundle(folder: Path) -> dict[str, Path]:
    (folder / "browser").mkdir(parents=True)
    for name in ("a", "z"):
        (folder / "browser" / name).write_bytes(b"small")
    (folder / "browser" / "kspec-bundle.json").write_text(ABOUT)
    (folder / "manifest.json").write_text("old")
    return {name: folder / name for name in ("browser", "manifest.json")}


def result(folder: Path, write: Callable[[Path], object]) -> None:
    with Store.at(folder / "store").writing("stage", "key") as fresh:
        assert fresh is not None
        write(fresh)


def many(fresh: Path) -> None:
    for count in range(40):
        (fresh / f"file-{count}").write_bytes(b"small")


def into_dist(folder: Path) -> None:
    parts = {name: folder / "new" / name for name in ("browser", "manifest.json")}
    place(parts, folder / "dist", seal="manifest.json")


def checkpoint(folder: Path) -> None:
    write_checkpoint(folder / "running", Checkpoint(Progress(), TENSORS, {}), "run")


def starter(folder: Path) -> None:
    write_starter(folder / "start")


WRITERS: Mapping[str, Callable[[Path], None]] = {
    "a result of the store": lambda folder: result(
        folder, lambda fresh: (fresh / "a").write_bytes(BIG)
    ),
    "tensors in a result, written in Rust": lambda folder: result(
        folder, lambda fresh: save_file(TENSORS, fresh / "a.safetensors")
    ),
    "the index of a result": lambda folder: result(folder, many),
    "what a stage read": lambda folder: Store.at(folder / "store").remember(
        "m", "plan", {"text": "x" * 3 * LIMIT}
    ),
    "a small file of the store": lambda folder: write_whole(folder / "f", "x" * 3 * LIMIT),
    "bundles": into_dist,
    "an emitted artifact": lambda folder: replace(folder / "new" / "browser", folder / "artifact"),
    "a checkpoint": checkpoint,
    "weights": lambda folder: files.write_whole(folder / "w.safetensors", BIG),
    "the starter": starter,
    "a graph": lambda folder: graph_file.save(graph_of("both_ways"), folder / "graph"),
}


def content(folder: Path) -> dict[str, bytes]:
    """Every file but locks, by its path."""
    found = (each for each in sorted(folder.rglob("*")) if each.is_file())
    return {
        each.relative_to(folder).as_posix(): each.read_bytes()
        for each in found
        if each.stat().st_size
    }


def within_limit(work: Callable[[], object]) -> str:
    """The code of the diagnostic with which `work` ends where files are small; `` if it works."""
    reading, writing = os.pipe()

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))
        try:
            work()
        except Exception as error:  # noqa: BLE001 - as at the end of each command
            os.write(writing, diagnose(error).code.encode())

    assert ended(forked(limited)) == 0
    os.close(writing)
    with os.fdopen(reading) as stream:
        return stream.read()


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_nothing_half_written(tmp_path, name):
    bundle(tmp_path / "dist")
    (bundle(tmp_path / "new")["browser"] / "m").write_bytes(BIG)
    before = content(tmp_path)
    assert within_limit(lambda: WRITERS[name](tmp_path)) == "KS901"
    after = content(tmp_path)
    after.pop("store/.gitignore", None)  # whole, and written first
    assert after == before
    WRITERS[name](tmp_path)  # what failed is made as if nothing had been
    assert content(tmp_path) != before


@pytest.mark.parametrize("number", [*sorted(FULL), errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("call", ["open", "mkdir", "rename"])
def test_each_refusal_of_the_system_is_a_diagnostic(tmp_path, monkeypatch, number, call):
    """Of a build that makes its folders, its files and their places."""
    bundle(tmp_path / "dist")
    (bundle(tmp_path / "new")["browser"] / "m").write_bytes(BIG)
    before = content(tmp_path / "dist")

    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number), "place")

    with monkeypatch.context() as patch:
        if call == "open":
            patch.setattr(shutil, "copyfile", refuse)
        else:
            patch.setattr(os, call, refuse)
        with pytest.raises(OSError, match="place") as caught:
            into_dist(tmp_path)
    told = diagnose(caught.value)
    assert told.code == ("KS901" if number in FULL else "KS902")
    assert RULES[told.code].exit_code == 3
    assert content(tmp_path / "dist") == before


def test_numbers_are_read_from_the_texts_of_libraries():
    rust = "Error while serializing: I/O error: No space left on device (os error 28)"
    assert system_error(rust).errno == errno.ENOSPC
    folder = shutil.Error([("a", "b", "[Errno 122] Disk quota exceeded: 'b'")])
    assert diagnose(folder).code == "KS901"
    assert diagnose(ValueError(rust)).code == "KS901"
    assert system_error("ValueError: os error") is None
    assert diagnose(ValueError("os error")).code == "KS970"


def test_a_child_without_space_does_not_blame_the_artifact(tmp_path, monkeypatch):
    """Its outputs have no place: that says nothing of the artifact."""

    class Done:
        returncode = 1
        stderr = "Traceback\nSafetensorError: I/O error: No space left on device (os error 28)"

    monkeypatch.setattr(emission, "run_python", lambda *_arguments, **_options: Done)
    onnx = formats()["onnx"]
    with pytest.raises(OSError, match="No space left"):
        run_artifact(onnx, tmp_path / "m.onnx", {})
