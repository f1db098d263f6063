"""A path from an untrusted spec never leads out of its folder, blocks, or is read without a
bound."""

import os
import socket
from pathlib import Path

import pytest

from kspec.data.files import digest_files
from kspec.data.sources import open_source
from kspec.models.keras_file.archive import open_archive
from kspec.pipeline.bundles.prediction import read_rows
from kspec.pipeline.check import check
from kspec.schemas.data import Data
from kspec.spec import KspecError, untrusted
from kspec.spec.extensions import run_file
from kspec.spec.roots import Roots
from kspec.spec.untrusted import File, PlaceError, files_below, located
from kspec.training.weights import read_weights

CONTENT = "AUTHORIZATION: basic SECRET_CANARY"
SPEC = """\
kspec: 1
name: m
{extra}
inputs: {{x: {{number: 1}}}}
outputs: {{y: {{category: [a, b]}}}}
network:
  - {{dense: {{units: 2, activation: softmax}}, name: y}}
targets: {{browser: {{}}}}
"""


def texts(path: Path, **options: bool) -> str:
    """Return everything that a check prints."""
    found = check(path, **options)
    assert found
    return "\n".join(f"{each.code} {each.message} {each.help}" for each in found)


@pytest.fixture
def repository(tmp_path):
    """A cloned repository with a secret in it, and a file outside of it."""
    root = tmp_path / "clone"
    (root / ".git").mkdir(parents=True)
    (root / ".git" / "config").write_text(f"[http]\n\textraheader = {CONTENT}\n")
    (tmp_path / "outside").write_text(f"\t{CONTENT}\n")
    return root


@pytest.mark.parametrize("goal", [".git/config", "../outside", "/proc/self/environ", "model.yaml"])
def test_a_spec_that_is_a_link_shows_nothing_of_its_goal(repository, goal):
    (repository / "model.yaml").symlink_to(goal)
    said = texts(repository / "model.yaml")
    assert "KS115" in said
    assert "is a symbolic link" in said
    assert "CANARY" not in said


def test_no_folder_on_the_way_to_a_spec_is_a_link(repository, monkeypatch):
    secrets = repository.parent / "config"
    secrets.mkdir()
    (secrets / "hosts.yml").write_text(f"\toauth: {CONTENT}\n")
    (repository / "specs").symlink_to("../config")
    for path in (repository / "specs" / "hosts.yml", repository / "a/../specs/hosts.yml"):
        said = texts(path)
        assert "`specs` is a symbolic link" in said or "KS115" in said
        assert "CANARY" not in said
    (repository / ".git" / "config").unlink()
    (repository / ".git").rmdir()
    monkeypatch.chdir(repository)
    assert "`specs` is a symbolic link" in texts(Path("specs/hosts.yml"))


def test_a_link_above_the_repository_is_the_users_own(tmp_path, repository):
    (tmp_path / "short").symlink_to("clone")
    (repository / "model.yaml").write_text(SPEC.format(extra=""))
    assert check(tmp_path / "short" / "model.yaml") == ()


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", ["fifo", "socket", "folder", "device"])
def test_only_regular_files_are_opened(tmp_path, monkeypatch, make):
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    place = Path("model.yaml")
    if make == "fifo":
        os.mkfifo(place)
    elif make == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(place))
    elif make == "folder":
        place.mkdir()
    else:
        place = Path("/dev/zero")
    assert "not a file" in texts(place)
    with pytest.raises(PlaceError, match="not a file"):
        located(place, limit=1).read()
    with pytest.raises(KspecError, match=r"KS631"):
        read_weights(place)
    with pytest.raises(KspecError, match=r"KS730"), open_archive(place):
        pass
    with pytest.raises(KspecError, match=r"KS913"):
        read_rows(place, {})
    with pytest.raises(KspecError, match=r"KS411"):
        run_file(place)


SOURCES = {
    "csv": ("rows.csv", "csv: rows.csv"),
    "parquet": ("rows.parquet", "parquet: [rows.parquet]"),
    "npz": ("rows.npz", "npz: rows.npz"),
    "folder": ("pictures", "image_folder: pictures"),
    "inner": ("pictures/a", "image_folder: pictures"),
    "picture": ("pictures/b/1.png", "image_folder: pictures"),
    "labels": ("pictures/labels.csv", "image_folder: pictures"),
    "deep": ("deep", "csv: deep/rows.csv"),
}


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("where", ["inside", "outside"])
def test_no_link_leads_to_data(tmp_path, name, where):
    root = tmp_path / "spec"
    (root / "pictures" / "b").mkdir(parents=True)
    place, source = SOURCES[name]
    goal = (root if where == "inside" else tmp_path) / "goal"
    if name in ("folder", "inner", "deep"):
        goal.mkdir()
        (goal / "rows.csv").write_text("x,y\n1,a\n")
        (goal / "1.png").write_bytes(b"")
    else:
        goal.write_text("x,y\n1,a\n")
    if name == "folder":
        (root / "pictures" / "b").rmdir()
        (root / "pictures").rmdir()
    (root / place).symlink_to(goal)
    key, _, value = source.partition(": ")
    written = Data.model_validate({"source": {key: [value] if key == "csv" else value.strip("[]")}})
    for use in (digest_files, open_source):
        with pytest.raises(KspecError) as caught:
            use(Roots(root), written.source)
        assert caught.value.diagnostics[0].code == "KS502"
        assert "is a symbolic link" in caught.value.diagnostics[0].message
    if name not in ("inner", "picture", "labels"):
        (root / "m.yaml").write_text(SPEC.format(extra=f"data: {{source: {{{source}}}}}"))
        assert "KS210" in texts(root / "m.yaml")


@pytest.mark.parametrize(
    "extra", ["weights: file.safetensors", "python: file.py", "weights: way/file.safetensors"]
)
def test_no_link_leads_to_weights_or_code(tmp_path, extra):
    (tmp_path / "goal").mkdir()
    for name in ("file.safetensors", "file.py"):
        (tmp_path / "goal" / name).write_text("raise SystemExit('it ran')")
        (tmp_path / name).symlink_to(f"goal/{name}")
    (tmp_path / "way").symlink_to("goal")
    (tmp_path / "m.yaml").write_text(SPEC.format(extra=extra))
    assert "KS210" in texts(tmp_path / "m.yaml", allow_python=True)


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "a/" * 70 + "x", "a\0b", "."])
def test_a_path_that_leads_elsewhere_is_not_opened(tmp_path, path):
    with pytest.raises(PlaceError):
        File(tmp_path, path, 100).open()


def test_a_bound_holds_for_a_file_that_grows(tmp_path, monkeypatch):
    (tmp_path / "f").write_bytes(b"12345")
    assert File(tmp_path, "f", 5).read() == b"12345"
    with pytest.raises(PlaceError, match="5 bytes, more than 4"):
        File(tmp_path, "f", 4).open()
    found = os.stat_result((0o100644, 0, 0, 1, 0, 0, 3, 0, 0, 0))
    monkeypatch.setattr(untrusted.os, "fstat", lambda _handle: found)
    with pytest.raises(PlaceError, match="more than 4"):
        File(tmp_path, "f", 4).read()


@pytest.mark.parametrize("swap", ["file", "folder"])
def test_a_path_that_is_swapped_for_a_link_while_it_is_opened(tmp_path, monkeypatch, swap):
    """A link replaces a component of the path between its check and its opening."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "f").write_text(CONTENT)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_text("sound")
    real = os.lstat

    def look(name, **options):
        found = real(name, **options)
        if name == "f" and swap == "file":
            (tmp_path / "d" / "f").unlink()
            (tmp_path / "d" / "f").symlink_to("../secret/f")
        if name == "d" and swap == "folder":
            (tmp_path / "d").rename(tmp_path / "old")
            (tmp_path / "d").symlink_to("secret")
        return found

    monkeypatch.setattr(untrusted.os, "lstat", look)
    with pytest.raises(PlaceError):
        File(tmp_path, "d/f", 100).read()


def test_a_folder_of_links_and_too_many_files(tmp_path, monkeypatch):
    for index in range(5):
        (tmp_path / "d" / str(index % 2)).mkdir(parents=True, exist_ok=True)
        (tmp_path / "d" / str(index % 2) / f"{index}.png").write_text("")
    assert sorted(files_below(tmp_path, "d")) == [
        "0/0.png",
        "0/2.png",
        "0/4.png",
        "1/1.png",
        "1/3.png",
    ]
    monkeypatch.setattr(untrusted, "MAX_FILES", 4)
    with pytest.raises(PlaceError, match="more than 4 files"):
        list(files_below(tmp_path, "d"))
