"""docs/platforms.md says what there is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kspec.targets.platforms.raspberry_pi import package_of
from tests.platforms.conftest import ROOT

PLUGIN = Path(__file__).with_name("plugin")
PAGE = (ROOT / "docs/platforms.md").read_text()


def keys(about: dict[str, Any]) -> Iterator[str]:
    """The keys of a description, as the page writes them."""
    yield from (each for each in about if each not in ("signature", "golden", "trained"))
    yield from (f"golden.{each}" for each in about["golden"] if each != "pictures")
    yield from ("golden.pictures.<input>", "trained.<metric>")
    for part in about["signature"].values():
        for each in part:
            yield from each
            for step in each.get("steps", ()):
                yield from step
            yield from each.get("decision") or ()
    for each in about["artifacts"]:
        yield from (*each, *next(iter(each["tolerances"].values())))


def test_every_key_of_a_description_is_on_the_page(bundles: Path, example: str) -> None:
    for path in (bundles / example).glob("*/kspec-bundle.json"):
        for key in keys(json.loads(path.read_text())):
            assert f"`{key}`" in PAGE, f"{path.parent.name}: {key}"


@pytest.mark.parametrize("example", ["breast-cancer"])
def test_the_line_has_the_keys_of_the_page(bundles: Path, example: str) -> None:
    table = PAGE.partition("### The self-test")[2].partition("\n> ratio")[0]
    rows = re.findall(r"(?m)^\| (`.*?) \|", table)
    command = [sys.executable, "-m", package_of(example), "self-test"]
    line = subprocess.check_output(command, cwd=bundles / example / "raspberry_pi", text=True)
    found = json.loads(line.removeprefix("KSPEC-SELFTEST "))
    assert found.keys() == {name for row in rows for name in re.findall("`(.*?)`", row)}


def test_the_page_shows_the_plugin_that_is_tested() -> None:
    for path in ("pyproject.toml", "kspec_deno/__init__.py", "kspec_deno/templates/model.ts.j2"):
        assert (PLUGIN / path).read_text() in PAGE, path
