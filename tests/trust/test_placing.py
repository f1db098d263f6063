"""A build replaces and removes only files that a build has written."""

import json
import os
from pathlib import Path

import pytest

from kspec.pipeline.store.placement import place, replace, reserved
from kspec.spec import KspecError
from tests.pipeline.tiny import ended, forked

SEAL = "manifest.json"


def made(folder: Path, mark: str, *names: str) -> dict[str, Path]:
    """Write a bundle for each name, and a manifest."""
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "index.js").write_text(mark)
        about = {"kspec_bundle": 1, "target": name}
        (folder / name / "kspec-bundle.json").write_text(json.dumps(about))
    (folder / SEAL).write_text(mark)
    return {name: folder / name for name in (*names, SEAL)}


@pytest.fixture
def parts(tmp_path):
    return made(tmp_path / "made", "new", "browser", "ios")


def refused(parts: dict[str, Path], out: Path, **options: object) -> str:
    with pytest.raises(KspecError) as caught:
        place(parts, out, seal=SEAL, **options)
    return str(caught.value)


def content(folder: Path) -> dict[str, str]:
    files = (each for each in folder.rglob("*") if each.is_file())
    return {each.relative_to(folder).as_posix(): each.read_text() for each in files}


@pytest.mark.parametrize("where", ["out", "above", "parent"])
def test_no_link_leads_to_the_bundles(tmp_path, parts, monkeypatch, where):
    victim, root = tmp_path / "victim", tmp_path / "clone"
    (victim / "browser").mkdir(parents=True)
    (victim / "browser" / "precious").write_text("mine")
    (root / ".git").mkdir(parents=True)
    place_of = {"out": root / "dist", "above": root / "a", "parent": root / "a"}[where]
    place_of.symlink_to(victim)
    out = place_of if where == "out" else place_of / "dist"
    if where == "parent":
        monkeypatch.chdir(root)
        out = Path("a/dist")
    assert "KS917" in refused(parts, out)
    with pytest.raises(KspecError, match="KS917"), reserved(out):
        pass
    assert content(victim) == {"browser/precious": "mine"}


OTHERS = {
    "files of the user": lambda folder: (folder / "index.html").write_text("mine"),
    "another target's bundle": lambda folder: (folder / "kspec-bundle.json").write_text(
        '{"kspec_bundle": 1, "target": "ios"}'
    ),
    "a description that is empty": lambda folder: (folder / "kspec-bundle.json").write_text("{}"),
    "one that is not JSON": lambda folder: (folder / "kspec-bundle.json").write_text("{"),
    "one that is deep": lambda folder: (folder / "kspec-bundle.json").write_text("[" * 100_000),
    "a description behind a link": lambda folder: (
        (folder / "about").write_text('{"kspec_bundle": 1, "target": "browser"}'),
        (folder / "kspec-bundle.json").symlink_to("about"),
    ),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("stale", [False, True])
def test_a_folder_that_is_not_ours_stays(tmp_path, parts, name, stale):
    out = tmp_path / "dist"
    (out / "browser").mkdir(parents=True)
    OTHERS[name](out / "browser")
    before = content(out)
    if stale:
        del parts["browser"]
    said = refused(parts, out, stale=["browser"] if stale else [])
    assert "KS916" in said
    assert str(out / "browser") in said
    assert content(out) == before


@pytest.mark.parametrize("kind", ["link", "file", "folder"])
def test_only_a_thing_of_the_same_kind_is_replaced(tmp_path, parts, kind):
    out, victim = tmp_path / "dist", tmp_path / "victim"
    place(made(tmp_path / "old", "old", "browser"), victim, seal=SEAL)
    out.mkdir()
    if kind == "link":  # to a sound bundle elsewhere
        (out / "browser").symlink_to(victim / "browser")
    elif kind == "file":
        (out / "browser").write_text("mine")
    else:
        (out / SEAL).mkdir()
    assert "KS916" in refused(parts, out)
    assert content(victim / "browser")["index.js"] == "old"


def test_all_that_is_in_the_way_is_named(tmp_path, parts):
    for name in parts:
        (tmp_path / "dist" / name).mkdir(parents=True)
    with pytest.raises(KspecError) as caught:
        place(parts, tmp_path / "dist", seal=SEAL)
    assert len(caught.value.diagnostics) == 3


def test_a_link_at_the_place_of_half_written_files_is_removed(tmp_path, parts):
    victim = tmp_path / "victim"
    victim.mkdir()
    for name in (".dist.partial", "dist/.dist.partial"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(victim)
    place(parts, tmp_path / "dist", seal=SEAL)
    assert not list(victim.iterdir())
    assert content(tmp_path / "dist")["browser/index.js"] == "new"


def test_an_emission_replaces_its_artifact_and_no_more(tmp_path):
    source, final = tmp_path / "made" / "m.mlpackage", tmp_path / "out" / "m.mlpackage"
    (source / "Data").mkdir(parents=True)
    (source / "Data" / "weights").write_text("new")
    (source / "Manifest.json").write_text("new")
    final.mkdir(parents=True)
    (final / "Manifest.json").write_text("old")
    replace(source, final)
    assert content(final) == {"Data/weights": "new", "Manifest.json": "new"}
    (source / "Manifest.json").write_text("newer")
    (final / "notes").write_text("mine")
    with pytest.raises(KspecError, match="KS916"):
        replace(source, final)
    assert content(final)["notes"] == "mine"


def test_builds_into_one_folder_go_one_after_the_other(tmp_path):
    began, go_on = os.pipe()

    def first() -> None:
        with reserved(tmp_path / "dist"):
            place(made(tmp_path / "one", "one", "browser"), tmp_path / "dist", seal=SEAL)
            os.write(go_on, b".")
            os.set_blocking(waits, True)
            os.read(waits, 1)
            assert content(tmp_path / "dist")["browser/index.js"] == "one"

    waits, release = os.pipe()
    process = forked(first)
    os.read(began, 1)
    told: list[str] = []

    def tell(who: str) -> None:
        told.append(who)
        os.write(release, b".")

    with reserved(tmp_path / "dist", tell):
        assert ended(process) == 0
        place(made(tmp_path / "two", "two", "browser"), tmp_path / "dist", seal=SEAL)
    assert content(tmp_path / "dist")["browser/index.js"] == "two"
    assert told[0].startswith(f"process {process} on ")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["dist", "one", "two"]
    for handle in (began, go_on, waits, release):
        os.close(handle)
