"""`kspec verify`, and the self-tests that can run here, find each changed, missing and added file
in bundles of every platform and every plain format.

A self-test starts a process, so `make test` tries only a few damages on each. With the environment
variable KSPEC_TRUST set to `all`, as in `make trust`, all damages are tried.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

import kspec
from kspec.features.description import FILE, SEAL, Description
from kspec.pipeline.bundles import shipped
from kspec.pipeline.bundles.integrity import check_bundle
from kspec.pipeline.bundles.shipped import bundles_in, verify_bundles
from kspec.pipeline.store.locks import locked
from kspec.spec import KspecError
from kspec.targets.platforms.raspberry_pi import package_of
from tests.platforms import jvm, web
from tests.platforms.android.toolchain import Classes
from tests.platforms.conftest import ROOT, bundles
from tests.platforms.test_android import classes

__all__ = ["bundles", "classes"]  # fixtures

EXAMPLE = "breast-cancer"
PLATFORMS = ("ios", "android", "browser", "server", "jvm", "raspberry_pi")
FORMATS = ("onnx", "coreml", "tflite", "tf_serving")
FLIPS = 60
ALL = os.environ.get("KSPEC_TRUST") == "all"
TRIED = FLIPS if ALL else 2
"""The number of flips that each self-test is tried on."""


@pytest.fixture(scope="session")
def plain(bundles: Path) -> Path:
    """Build the bundles of an example's plain formats once for all workers; return their folder."""
    folder = bundles / "plain"
    with locked(bundles.with_name("building-plain")):
        if not folder.exists():
            spec = ROOT / "examples" / EXAMPLE
            targets = ", ".join(f"{each}: {{}}" for each in FORMATS)
            document = kspec.load(
                spec / "model.yaml", overrides={"targets": f"{{{targets}}}", "gates": "{}"}
            )
            kspec.build(document, out=folder, store=spec / ".kspec")
    return folder


@pytest.fixture
def bundle(bundles: Path, plain: Path, name: str, tmp_path: Path) -> Path:
    """A copy that may be damaged, without the files that other tests' tools left there."""
    source = (plain if name in FORMATS else bundles / EXAMPLE) / name
    about = Description.read((source / FILE).read_bytes())

    def ignored(folder: str, names: list[str]) -> set[str]:
        place = Path(folder).relative_to(source)
        return {each for each in names if about.ignores((place / each).as_posix())}

    return Path(shutil.copytree(source, tmp_path / name, ignore=ignored))


@pytest.fixture
def no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail if an artifact of a damaged bundle is run."""

    def run(path: Path, *_arguments: object, **_options: object) -> None:
        raise AssertionError(f"{path} is run")

    monkeypatch.setattr(shipped, "verify_artifact", run)


def names_of(folder: Path) -> list[str]:
    """Return every file of a bundle."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def flips(folder: Path, count: int, seed: int) -> Iterator[str]:
    """Flip one bit at a time, in one file after the other, and restore it afterwards."""
    drawn = random.Random(seed)  # noqa: S311
    names = [name for name in names_of(folder) if (folder / name).stat().st_size]
    drawn.shuffle(names)
    for turn in range(count):
        name = names[turn % len(names)]
        content = (folder / name).read_bytes()
        changed = bytearray(content)
        changed[drawn.randrange(len(content))] ^= 1 << drawn.randrange(8)
        (folder / name).write_bytes(changed)
        yield name
        (folder / name).write_bytes(content)


def verified(folder: Path) -> str:
    """Return the message of `kspec verify` for a damaged bundle."""
    with pytest.raises(KspecError) as caught:
        verify_bundles(bundles_in(folder))
    return str(caught.value)


@pytest.mark.usefixtures("no_run")
@pytest.mark.parametrize("name", [*PLATFORMS, *FORMATS])
def test_verify_finds_every_damage(bundle: Path) -> None:
    about = Description.read((bundle / FILE).read_bytes())
    assert check_bundle(bundle, about) == ()
    found = 0
    for name in flips(bundle, FLIPS, seed=11):
        assert str(bundle / name) in verified(bundle) or name == SEAL
        found += 1
    assert found == FLIPS
    for name in names_of(bundle):
        held = (bundle / name).rename(bundle.with_name("held"))
        assert str(bundle if name == FILE else bundle / name) in verified(bundle)
        held.rename(bundle / name)
    places = {bundle, *(each for each in bundle.rglob("*") if each.is_dir())}
    for place in sorted(places):
        added = place / "added file"
        assert not about.ignores(added.relative_to(bundle).as_posix())
        added.write_bytes(b"")
        assert "added file is not part of the bundle" in verified(bundle)
        added.unlink()


SelfTest = Callable[[Path], bool]
VERDICT = re.compile(r'^KSPEC-SELFTEST \{.*"pass": ?true', re.MULTILINE)


def _passed(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether the exit code is 0 and the verdict is printed: a damaged program may do nothing."""
    return done.returncode == 0 and VERDICT.search(done.stdout) is not None


def _python(folder: Path, *command: str) -> bool:
    line = [sys.executable, "-B", "-m", *command]
    done = subprocess.run(
        line, cwd=folder, capture_output=True, text=True, timeout=240, check=False
    )
    return _passed(done)


def _server(folder: Path) -> bool:
    return _python(folder, "server", "--self-test")


def _raspberry_pi(folder: Path) -> bool:
    return _python(folder, package_of(EXAMPLE), "self-test")


def _browser(folder: Path) -> bool:
    return _passed(web.node("selftest.mjs", folder=folder))


SELF_TESTS: Mapping[str, SelfTest] = {"server": _server, "raspberry_pi": _raspberry_pi}


def check_self_test(folder: Path, passes: SelfTest) -> None:
    """Try flipped bits, a missing seal and an added file (with KSPEC_TRUST also every other missing
    file) on a bundle that passes undamaged."""
    assert passes(folder)
    for name in flips(folder, TRIED, seed=13):
        assert not passes(folder), name
    for name in (SEAL, *((FILE, *_listed(folder)) if ALL else ())):
        held = (folder / name).rename(folder.with_name("held"))
        assert not passes(folder), name
        held.rename(folder / name)
    (folder / "added file").write_bytes(b"")
    assert not passes(folder)


def _listed(folder: Path) -> list[str]:
    return sorted(Description.read((folder / FILE).read_bytes()).files)


@pytest.mark.parametrize("name", SELF_TESTS)
def test_the_self_test_in_python_finds_damage(bundle: Path, name: str) -> None:
    check_self_test(bundle, SELF_TESTS[name])


@web.needed(web.missing())
@pytest.mark.parametrize("name", ["browser"])
def test_the_self_test_in_node_finds_damage(bundle: Path) -> None:
    web.vendor(bundle, "onnxruntime")
    check_self_test(bundle, _browser)


COMPILED = pytest.mark.skipif(not ALL, reason="to compile the bundle takes a while")


@COMPILED
@pytest.mark.parametrize("name", ["jvm"])
def test_the_self_test_in_java_finds_damage(bundle: Path, bundles: Path) -> None:
    path = jvm.classes(jvm.built(bundles, EXAMPLE)[0])
    test = "kspec.breast_cancer.SelfTest"
    check_self_test(bundle, lambda folder: bool(jvm.self_test(folder, test, *path)["pass"]))


@COMPILED
@pytest.mark.parametrize("name", ["android"])
def test_the_self_test_in_kotlin_finds_damage(bundle: Path, classes: Classes) -> None:
    def passes(folder: Path) -> bool:
        return classes.run("kspec.breast_cancer.Probe", "files", folder) == (0, "")

    check_self_test(bundle, passes)
