"""The Raspberry Pi bundle on emulated boards, with the wheels that users install."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.platforms import arm64
from tests.platforms.test_raspberry_pi import ENGINES, check_caught, check_passed, self_test

pytestmark = pytest.mark.skipif(bool(arm64.missing()), reason=arm64.missing())
RUNS = [
    ("digits", "Raspberry Pi 4"),
    ("digits", "Raspberry Pi 5"),
    ("breast-cancer", "Raspberry Pi 4"),
]


@pytest.fixture
def platform() -> str:
    return "raspberry_pi"


@pytest.mark.parametrize(("example", "board"), RUNS)
@pytest.mark.parametrize("engine", ENGINES)
def test_the_self_test_passes(bundle: Path, engine: str, board: str) -> None:
    report = self_test(bundle, engine, partial(arm64.run, board))
    check_passed(report, bundle, engine)
    assert report["device"].endswith("aarch64")


@pytest.mark.parametrize(("example", "name"), [("breast-cancer", "a weight")])
@pytest.mark.parametrize("engine", ENGINES)
def test_sabotage_is_caught(bundle: Path, example: str, name: str, engine: str) -> None:
    check_caught(bundle, example, name, engine, partial(arm64.run, "Raspberry Pi 4"))
