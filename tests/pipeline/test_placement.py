"""Whatever kills a build, a result and the folder of bundles are whole or recognisably not."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kspec.pipeline.store.content import Store
from kspec.pipeline.store.placement import place
from kspec.spec import KspecError
from tests.pipeline.tiny import ended, forked, kill_at

KILLED = -9


def tree(folder: Path) -> dict[str, str]:
    files = (each for each in folder.rglob("*") if each.is_file())
    return {each.relative_to(folder).as_posix(): each.read_text() for each in files}


def bundles(folder: Path, mark: str, *names: str) -> dict[str, Path]:
    """A folder for each name and a manifest, marked."""
    for name in names:
        (folder / name / "deep").mkdir(parents=True)
        for file in ("a", "deep/b"):
            (folder / name / file).write_text(f"{mark} {file}")
        about = json.dumps({"kspec_bundle": 1, "target": name, "mark": mark})
        (folder / name / "kspec-bundle.json").write_text(about)
    (folder / "manifest.json").write_text(mark)
    return {name: folder / name for name in (*names, "manifest.json")}


def killed_everywhere(work: Callable[[], object], check: Callable[[], None]) -> int:
    """Do the work in processes that are killed at their first, second, … change of the file
    system, until one ends; how many were killed."""
    for count in range(1000):

        def doomed(count: int = count) -> None:
            kill_at(count)
            work()

        code = ended(forked(doomed))
        check()
        if code == 0:
            return count
        assert code == KILLED
    raise AssertionError("it does not end")


def test_a_new_out_is_absent_or_whole(tmp_path: Path) -> None:
    parts = bundles(tmp_path / "store", "new", "ios", "server")
    whole, out = tree(tmp_path / "store"), tmp_path / "deep" / "out"

    def check() -> None:
        assert not out.exists() or tree(out) == whole

    assert killed_everywhere(lambda: place(parts, out, seal="manifest.json"), check) > 8
    assert [each.name for each in out.parent.iterdir()] == ["out"]


def test_an_out_that_was_there_is_sealed_only_when_whole(tmp_path: Path) -> None:
    old = bundles(tmp_path / "old", "old", "ios", "server", "android")
    new = bundles(tmp_path / "new", "new", "ios", "server", "browser")
    before, after = tree(tmp_path / "old"), tree(tmp_path / "new")
    out = tmp_path / "out"
    place(old, out, seal="manifest.json")
    (out / "notes.txt").write_text("mine")

    def check() -> None:
        found = {k: v for k, v in tree(out).items() if not k.startswith(".out.")}
        assert found.pop("notes.txt") == "mine"
        if "manifest.json" in found:
            assert found in (before, after)
        for name in ("ios", "server", "android", "browser"):  # each bundle is whole in itself
            part = {k: v for k, v in found.items() if k.startswith(f"{name}/")}
            assert not part or part.items() <= before.items() or part.items() <= after.items()
            assert len(part) in (0, 3)

    work = lambda: place(new, out, seal="manifest.json", stale=["android"])  # noqa: E731
    assert killed_everywhere(work, check) > 12
    assert tree(out) == {**after, "notes.txt": "mine"}


@pytest.mark.parametrize("there", [False, True])
def test_a_disk_that_is_full_changes_nothing(
    there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    if there:
        place(bundles(tmp_path / "old", "old", "ios"), out, seal="manifest.json")
    before = tree(tmp_path)
    new = bundles(tmp_path / "new", "new", "ios")

    def full(source: Path, final: Path) -> None:
        Path(final).write_text("half")
        raise OSError(28, "No space left on device", str(final))

    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(OSError, match="No space"):
        place(new, out, seal="manifest.json")
    assert {k: v for k, v in tree(tmp_path).items() if not k.startswith("new/")} == before
    assert out.exists() == there


def test_an_out_that_is_a_file_stays(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(KspecError, match=r"KS917 .* is a file, not a folder"):
        place(bundles(tmp_path / "new", "new", "ios"), tmp_path / "out", seal="manifest.json")
    assert (tmp_path / "out").read_text() == "mine"


def fill(store: Store, text: str = "result") -> bool:
    with store.writing("train", "key") as folder:
        if folder is None:
            return False
        (folder / "deep").mkdir()
        (folder / "deep" / "weights").write_text(text)
        (folder / "about").write_text(text)
    return True


def test_a_result_is_whole_or_none(tmp_path: Path) -> None:
    store = Store.at(tmp_path / "store")

    def check() -> None:
        if store.has("train", "key"):
            assert len(tree(store.path("train", "key"))) == 2

    assert killed_everywhere(lambda: fill(store), check) > 6
    assert store.has("train", "key")
    assert not fill(store)
    assert not list((store.root / "running").iterdir())


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: (path / "about").unlink(),
        lambda path: (path / "about").write_text("res"),
        lambda path: (path / "more").write_text(""),
        lambda path: path.rename(path.with_name("elsewhere")),
        lambda path: path.with_name("key.json").unlink(),
        lambda path: path.with_name("key.json").write_text('{"about"'),
    ],
)
def test_a_result_that_was_harmed_is_made_again(
    harm: Callable[[Path], object], tmp_path: Path
) -> None:
    store = Store.at(tmp_path)
    assert fill(store)
    harm(store.path("train", "key"))
    assert not store.has("train", "key")
    assert fill(store, "result again")
    assert tree(store.path("train", "key"))["about"] == "result again"


def test_an_error_leaves_the_checkpoints_and_nothing_else(tmp_path: Path) -> None:
    store = Store.at(tmp_path)

    def fail() -> None:
        with store.writing("train", "key") as folder:
            assert folder is not None
            (folder / "half").write_text("")
            (store.scratch("train", "key") / "checkpoint").write_text("kept")
            raise OSError(28, "full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert not store.has("train", "key")
    assert tree(tmp_path / "running") == {"train-key/checkpoint": "kept"}


def test_of_two_builds_one_works(tmp_path: Path) -> None:
    """The second waits for the first, and finds its result."""
    store = Store.at(tmp_path)
    began, go_on = os.pipe()

    def slow() -> None:
        with store.writing("train", "key") as folder:
            assert folder is not None
            os.write(go_on, b".")
            for index in range(300):
                (folder / str(index)).write_text("")

    process = forked(slow)
    os.read(began, 1)
    assert not fill(store)
    assert ended(process) == 0
    assert len(tree(store.path("train", "key"))) == 300
