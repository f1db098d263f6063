"""What the tests of the command line share."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Kspec


@pytest.fixture
def kspec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kspec:
    """The command line, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Kspec(tmp_path)


@pytest.fixture
def parsed() -> Any:
    """Reads the JSON of a command, which has nothing else on stdout."""

    def parse(text: str, command: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(text)
        assert found["version"] == 1
        assert found["command"] == command
        return found

    return parse
