"""Only results of this user's own builds ship, whatever the store contains."""

import json
import os
import random
import shutil
from pathlib import Path

import pytest

from kspec.pipeline.store.content import KEYLESS, UNSEALED, Store
from kspec.pipeline.store.locks import locked
from kspec.pipeline.store.seals import VARIABLE, Seals, seals_for, state_folder
from kspec.spec import KspecError
from kspec.training.checkpoints import Checkpoint, Progress, read_newest, write_checkpoint
from tests.pipeline.tiny import ended, forked
from tests.trust.builds_at_once import STAGES, unsound

FILES = {"about.json": b'{"a": 1}\n', "deep/model.onnx": bytes(range(256)) * 9, "empty": b""}


def fill(store: Store, key: str = "key") -> bool:
    with store.writing("package-browser", key) as folder:
        if folder is None:
            return False
        for name, content in FILES.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
    return True


@pytest.fixture
def store(tmp_path):
    made = Store.at(tmp_path / ".kspec")
    assert fill(made)
    assert made.has("package-browser", "key")
    return made


def result(store: Store) -> Path:
    return store.path("package-browser", "key")


def found(store: Store) -> str | None:
    """Return why the result is not used, after which it is made again."""
    look = store.look("package-browser", "key")
    assert not look.sound
    assert fill(store)
    assert store.has("package-browser", "key")
    for name, content in FILES.items():
        assert (result(store) / name).read_bytes() == content
    return look.damage


def test_every_flipped_byte_is_found(store):
    drawn = random.Random(1)  # noqa: S311
    files = [result(store) / name for name in FILES if name != "empty"]
    files.append(result(store).with_name("key.json"))
    for count in range(60):
        file = files[count % len(files)]
        content = bytearray(file.read_bytes())
        place = drawn.randrange(len(content))
        if content[place : place + 1].isspace():
            content[place] = ord("x")
        content[place] ^= 1 << drawn.randrange(7)
        file.write_bytes(content)
        assert not store.has("package-browser", "key"), (file.name, place)
        shutil.rmtree(result(store))
        assert fill(store)


HARMS = {
    "a link to a file": (lambda path: (path / "leak").symlink_to("/etc/passwd"), "symbolic link"),
    "a link in place of a file": (
        lambda path: ((path / "empty").unlink(), (path / "empty").symlink_to("/dev/null")),
        "symbolic link",
    ),
    "a link to itself": (
        lambda path: (path.rename(path.with_name("x")), path.symlink_to("x")),
        "symbolic link",
    ),
    "a pipe": (lambda path: os.mkfifo(path / "pipe"), "named pipe"),
    "one file more": (lambda path: (path / "deep/more").write_text(""), "deep/more was changed"),
    "one file less": (lambda path: (path / "empty").unlink(), "empty was changed"),
    "a folder for a file": (
        lambda path: ((path / "empty").unlink(), (path / "empty").mkdir()),
        "empty was changed",
    ),
    "no folder": (shutil.rmtree, None),
    "no index": (lambda path: path.with_name("key.json").unlink(), "key.json"),
    "a file for the folder": (
        lambda path: (shutil.rmtree(path), path.write_text("")),
        "was changed",
    ),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", HARMS)
def test_a_harmed_result_is_made_again_and_says_so(store, name):
    harm, words = HARMS[name]
    harm(result(store))
    damage = found(store)
    assert damage is None if words is None else words in str(damage)


@pytest.mark.parametrize(
    "index",
    [
        b"",
        b"null",
        b"[]",
        b"NaN",
        b'{"files": {}}',
        b'{"files": [], "seal": ""}',
        b'{"files": 1, "seal": 1}',
        b'{"files": {"a": NaN}, "seal": "x"}',
        b'{"files": {"\\ud800": "a"}, "seal": "\\ud800"}',
        b'{"files": {"a": 1' + b"0" * 5000 + b'}, "seal": ""}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe",
        b'{"files": {"../../x": "0"}, "seal": "0"}',
    ],
)
def test_no_index_is_too_odd(store, index):
    result(store).with_name("key.json").write_bytes(index)
    assert found(store) is not None


def test_a_store_that_agrees_with_itself_is_not_enough(store, tmp_path):
    """The author of a committed store can make its hashes fit, but not its code."""
    evil = Store(store.root, Seals(b"a key of somebody else"))
    (result(store) / "about.json").write_text("evil")
    evil.seal("package-browser", "key", result(store))
    assert evil.has("package-browser", "key")
    assert found(store) == UNSEALED
    # Nor does a sound result count under another key or stage.
    for stage, key in (("package-browser", "other"), ("package-ios", "key")):
        shutil.copytree(result(store), store.path(stage, key))
        index = result(store).with_name("key.json")
        shutil.copy(index, store.path(stage, key).with_name(f"{key}.json"))
        assert store.look(stage, key).damage == UNSEALED
    moved = tmp_path / "moved"
    shutil.copytree(store.root, moved)
    assert Store.at(moved).has("package-browser", "key")


@pytest.mark.parametrize("place", ["", "running", "locks", "last", "package-browser", "last/m"])
def test_no_link_leads_out_of_the_store(tmp_path, place):
    victim, root = tmp_path / "victim", tmp_path / ".kspec"
    victim.mkdir()
    (victim / "precious").write_text("")
    (root / place).parent.mkdir(exist_ok=True, parents=True)
    (root / place).symlink_to(victim)

    def use() -> None:
        store = Store.at(root)
        fill(store)
        store.remember("m", "train", {"a": 1})

    with pytest.raises(KspecError, match=r"KS917 .* is a symbolic link"):
        use()
    assert [each.name for each in victim.iterdir()] == ["precious"]


def test_files_of_the_store_are_not_written_through_links(tmp_path):
    root, victim = tmp_path / ".kspec", tmp_path / "victim"
    root.mkdir()
    (root / ".gitignore").symlink_to(victim)
    (root / "last" / "m").mkdir(parents=True)
    (root / "last" / "m" / "train.json").symlink_to(victim)
    store = Store.at(root)
    assert fill(store)
    store.remember("m", "train", {"a": 1})
    assert store.remembered("m", "train") == {"a": 1}
    assert not victim.exists()


@pytest.mark.parametrize("text", ["", "[1]", "NaN", "[" * 100_000, '"a"', "\x00"])
def test_what_is_remembered_may_be_anything(store, text):
    (store.root / "last" / "m").mkdir(parents=True)
    (store.root / "last" / "m" / "train.json").write_text(text)
    assert store.remembered("m", "train") is None


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def test_the_key_of_a_user_lies_in_the_home_and_lasts(home, tmp_path):
    first = seals_for(tmp_path / "clone" / ".kspec")
    assert first.lasting
    key = state_folder() / "store.key"
    assert key.is_relative_to(home)
    assert key.stat().st_mode & 0o777 == 0o600
    assert seals_for(tmp_path / "other" / ".kspec") == first
    assert [each.name for each in key.parent.iterdir()] == ["store.key"]
    key.unlink()
    assert seals_for(tmp_path / ".kspec").key != first.key


@pytest.mark.parametrize("harm", ["mode", "size", "link", "folder", "repository", "home"])
def test_a_key_that_others_may_know_is_not_used(home, tmp_path, monkeypatch, harm):
    root = tmp_path / "clone" / ".kspec"
    seals_for(root)
    key = state_folder() / "store.key"
    if harm == "mode":
        key.chmod(0o640)
    elif harm == "size":
        key.write_bytes(b"")
    elif harm == "link":
        key.rename(tmp_path / "elsewhere")
        key.symlink_to(tmp_path / "elsewhere")
    elif harm == "folder":
        key.unlink()
        key.mkdir()
    elif harm == "repository":  # the home lies in the clone, as some CI services have it
        (tmp_path / ".git").mkdir()
    else:
        monkeypatch.setenv("HOME", "/proc/none")
    one, two = seals_for(root), seals_for(root)
    assert not one.lasting
    assert one.key != two.key
    store = Store.at(root)
    fill(store)
    assert store.has("package-browser", "key")
    assert Store.at(root).look("package-browser", "key").damage == KEYLESS


def test_machines_may_share_a_key(home, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, "secret of CI")
    store = Store.at(tmp_path / ".kspec")
    fill(store)
    assert Store.at(tmp_path / ".kspec").has("package-browser", "key")
    assert not list(home.iterdir())
    monkeypatch.setenv(VARIABLE, "another")
    assert Store.at(tmp_path / ".kspec").look("package-browser", "key").damage == UNSEALED


def test_a_checkpoint_from_elsewhere_is_passed_over(tmp_path, store):
    secret = store.secret("train", "key")
    assert secret != Store(store.root, Seals(b"other")).secret("train", "key")
    checkpoint = Checkpoint(Progress(), {}, {})
    write_checkpoint(tmp_path, checkpoint, "run", b"guessed")
    assert read_newest(tmp_path, "run", secret) is None
    write_checkpoint(tmp_path, checkpoint, "run", secret)
    assert read_newest(tmp_path, "run", secret) is not None
    (newest,) = tmp_path.glob("*.checkpoint")
    newest.rename(tmp_path / "moved")
    newest.symlink_to("moved")
    assert read_newest(tmp_path, "run", secret) is None


def race(store: Store, rounds: int, processes: int = 8) -> list[int]:
    """Return how processes end that want the same results at once, one after the other."""

    def work() -> None:
        for index in range(rounds):
            fill(store, f"key{index}")
            assert store.has("package-browser", f"key{index}")

    return [ended(each) for each in [forked(work) for _ in range(processes)]]


def test_eight_processes_at_one_store(tmp_path):
    store = Store.at(tmp_path / ".kspec")
    assert race(store, rounds=20) == [0] * 8
    assert not list((store.root / "running").iterdir())
    assert not list((store.root / "locks").iterdir())
    results = list((store.root / "package-browser").glob("*.json"))
    assert len(results) == 20


def test_a_lock_that_a_killed_process_left_locks_nothing(tmp_path):
    (tmp_path / "lock").write_text("process 1 on a host that is gone")
    told: list[str] = []
    with locked(tmp_path / "lock", told.append):
        pass
    assert told == []
    assert not (tmp_path / "lock").exists()


def test_who_waits_is_told_for_whom(tmp_path):
    began, go_on = os.pipe()
    ends, end = os.pipe()

    def hold() -> None:
        os.close(end)
        with locked(tmp_path / "lock"):
            os.write(go_on, b".")
            os.read(ends, 1)

    process = forked(hold)
    os.read(began, 1)
    told: list[str] = []

    def tell(who: str) -> None:
        told.append(who)
        os.close(end)  # now the other process ends

    with locked(tmp_path / "lock", tell):
        assert ended(process) == 0
    assert told[0].startswith(f"process {process} on ")
    for handle in (began, go_on, ends):
        os.close(handle)


def test_a_lock_is_not_taken_through_a_link(tmp_path):
    (tmp_path / "lock").symlink_to("victim")
    with pytest.raises(OSError, match="symbolic"), locked(tmp_path / "lock"):
        pass
    assert not (tmp_path / "victim").exists()


def test_the_index_is_readable(store):
    index = json.loads(result(store).with_name("key.json").read_bytes())
    assert sorted(index["files"]) == sorted(FILES)


def test_builds_at_once_are_judged_by_every_result_of_their_store(tmp_path):
    store = Store.at(tmp_path / ".kspec")
    for stage in STAGES:
        with store.writing(stage, "key") as folder:
            assert folder is not None
            (folder / "file").write_bytes(b"some")
    assert unsound(store.root) == []
    (store.path("emit-onnx", "key") / "file").write_bytes(b"same")
    shutil.rmtree(store.path("train", "key"))
    store.path("plan", "key").with_name("key.json").unlink()
    (store.root / "running/report-key/result").mkdir(parents=True)
    assert sorted(each.partition(":")[0] for each in unsound(store.root)) == [
        "emit-onnx/key.json",
        "no result of plan",
        "running/report-key/result",
        "train/key.json",
    ]
