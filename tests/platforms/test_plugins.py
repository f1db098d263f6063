"""Platforms of other packages: installed, used, refused."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.platforms.conftest import ROOT
from tests.platforms.skeleton import skeleton

PLUGIN = Path(__file__).with_name("plugin")
EXAMPLE = ROOT / "examples/breast-cancer"
DENO = """
from kspec.targets.platforms.plain import plain
from kspec.targets.formats.onnx.format import Onnx

def deno():
    made = plain(Onnx())
    type(made).name = {name!r}
    return made
"""


def kspec(folder: Path, *arguments: str, site: Path) -> subprocess.CompletedProcess[str]:
    """The command line, with the packages of a folder beside those that are installed."""
    return subprocess.run(
        [sys.executable, "-m", "kspec", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{site}", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugin, built and installed into a folder of its own."""
    site = tmp_path_factory.mktemp("site")
    beside = Path(sys.executable).with_name("uv")
    uv = [shutil.which("uv") or str(beside), "pip", "install", "--quiet", "--offline"]
    how = ["--no-deps", "--no-build-isolation", "--python", sys.executable, "--target", site]
    copy = shutil.copytree(PLUGIN, tmp_path_factory.mktemp("plugin") / "plugin")
    subprocess.run([*uv, *how, copy], check=True)
    return site


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """The example without its targets."""
    text = (EXAMPLE / "model.yaml").read_text()
    path = tmp_path / "model.yaml"
    path.write_text(re.sub(r"(?m)^(targets|gates):\n( .*\n)+", "", text))
    shutil.copy(EXAMPLE / "breast_cancer.csv", tmp_path)
    return path


def target(spec: Path, text: str) -> None:
    spec.write_text(f"{spec.read_text()}targets: {{{text}}}\n")


def test_a_plugin_builds_its_bundle(installed: Path, spec: Path) -> None:
    target(spec, "deno: {threads: 4}")
    store = ("--store", str(EXAMPLE / ".kspec"))
    done = kspec(spec.parent, "build", "model.yaml", *store, site=installed)
    assert done.returncode == 0, done.stderr
    bundle = spec.parent / "dist/deno"
    source = (bundle / "model.ts").read_bytes()
    assert skeleton(source, ".ts")
    assert b'"labels": ["benign", "malignant"]' in source
    assert b"threads = 4;" in source
    assert 'from "./model.ts"' in (bundle / "README.md").read_text()
    assert (bundle / "breast-cancer.onnx").exists()

    # The same again is nothing to do; another version of the package packs anew, and only that.
    metadata = next(installed.glob("*.dist-info")) / "METADATA"
    before = metadata.read_text()
    for text, why in ((before, "unchanged"), (before.replace("1.0.0", "1.0.1"), "changed: origin")):
        metadata.write_text(text)
        stages = kspec(spec.parent, "plan", "model.yaml", *store, site=installed).stdout
        assert re.search(rf"package·deno +(yes|no) +{why}", stages), stages
        assert re.search(r"emit·onnx +no +unchanged", stages)
    metadata.write_text(before)


@pytest.mark.parametrize(
    ("written", "code", "reason"),
    [
        ("deno: {threads: 3}", "KS204", "expected 1, 2 or 4, found the number 3"),
        ("deno: {thread: 1}", "KS201", r"unknown key `thread`(.|\n)*`threads`"),
        ("demo: {}", "KS212", r"unknown target `demo`(.|\n)*deno"),
    ],
)
def test_options_are_checked(
    installed: Path, spec: Path, written: str, code: str, reason: str
) -> None:
    target(spec, written)
    line = len(spec.read_text().splitlines())
    done = kspec(spec.parent, "check", "model.yaml", site=installed)
    assert done.returncode == 2
    assert re.search(rf"model\.yaml:{line}:\d+", done.stdout)
    assert code in done.stdout
    assert re.search(reason, done.stdout), done.stdout


def package(site: Path, name: str, code: str, entry: str = "deno") -> None:
    """An installed distribution with a platform."""
    module = f"kspec_{name}"
    (site / f"{module}.py").write_text(code)
    information = site / f"{module}-2.1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: kspec-{name}\nVersion: 2.1\n"
    )
    points = f"[kspec.platforms]\n{entry} = {module}:deno\n"
    (information / "entry_points.txt").write_text(points)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import nothing_of_this_name", "does not load: ModuleNotFoundError: No module named"),
        ("x = ", "does not load: SyntaxError"),
        ("1 / len('ab') + 'c'", "does not load: TypeError"),
        ("", "does not load: AttributeError: .* has no attribute 'deno'"),
        ("from kspec.targets.platforms.platform import Platform as deno", "abstract class"),
        ("deno = dict", "is not a Platform: kspec_odd:deno"),
    ],
)
def test_a_broken_plugin_is_named(spec: Path, tmp_path: Path, code: str, reason: str) -> None:
    target(spec, "ios: {}")
    package(tmp_path, "odd", code)
    done = kspec(spec.parent, "check", "model.yaml", site=tmp_path)
    said = done.stdout + done.stderr
    assert done.returncode == 3
    assert "KS906" in said
    assert "Traceback" not in said
    assert "the platform `deno` of kspec-odd 2.1" in said
    assert re.search(reason, said), said


@pytest.mark.parametrize(
    ("name", "others", "both"),
    [
        ("deno", ("one", "two"), "kspec-one 2.1 and kspec-two 2.1"),
        ("ios", ("one",), "kspec itself and kspec-one 2.1"),
        ("onnx", ("one",), "kspec-one 2.1 and kspec itself"),
    ],
)
def test_a_clash_names_both(
    spec: Path, tmp_path: Path, name: str, others: tuple[str, ...], both: str
) -> None:
    target(spec, "ios: {}")
    for each in others:
        package(tmp_path, each, DENO.format(name=name), entry=each)
    done = kspec(spec.parent, "check", "model.yaml", site=tmp_path)
    said = done.stdout + done.stderr
    assert done.returncode == 3
    assert f"two targets are called `{name}`: of {both}" in said
