"""The bundles of both examples, built once for all workers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import kspec
from kspec.pipeline.store.locks import locked

ROOT = Path(__file__).parents[2]
EXAMPLES = ("digits", "breast-cancer")


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a folder of bundles for each example: ``digits/jvm``. Not to be written to."""
    base = tmp_path_factory.getbasetemp()
    # A worker of xdist has a folder of its own below that of all.
    shared = (base.parent if base.name.startswith("popen") else base) / "bundles"
    for example in EXAMPLES:
        # Not the folder itself: the build locks it.
        with locked(shared.with_name(f"building-{example}")):
            if not (shared / example).exists():
                folder = ROOT / "examples" / example
                document = kspec.load(folder / "model.yaml")
                kspec.build(document, out=shared / example, store=folder / ".kspec")
    return shared


@pytest.fixture(params=EXAMPLES)
def example(request: pytest.FixtureRequest) -> str:
    """The name of each example."""
    return str(request.param)


@pytest.fixture
def bundle(bundles: Path, example: str, tmp_path: Path, platform: str) -> Path:
    """A copy of an example's bundle for the platform that the test's module names: it may be
    altered."""
    return Path(shutil.copytree(bundles / example / platform, tmp_path / "bundle"))
