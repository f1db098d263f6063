"""Ctrl-C: the terminal sends SIGINT to every process of the command."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.cli.command import Kspec

PATIENCE = 300
"""Seconds; a machine that needs more for a first epoch fails the test."""


@pytest.fixture
def training(kspec: Kspec) -> Iterator[subprocess.Popen[str]]:
    """A training of many epochs in a process group of its own. A shell without job control starts
    background processes with SIGINT ignored, so the test sets the default again."""
    assert kspec("init", "start").exit_code == 0
    command = [sys.executable, "-m", "kspec", "train", "start/model.yaml"]
    process = subprocess.Popen(
        [*command, "--set", "train.epochs=100000"],
        cwd=kspec.folder,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
        start_new_session=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    with process:
        yield process
        process.kill()


def interrupt(process: subprocess.Popen[str], now: Callable[[], bool]) -> str:
    """Wait until `now`, press Ctrl-C, and return the rest of stderr."""
    end = time.monotonic() + PATIENCE
    while not now():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in told
    return told


def checkpoints(folder: Path) -> list[Path]:
    return [*folder.glob("start/.kspec/**/epoch-*.checkpoint")]


def test_before_the_first_checkpoint_none_is_claimed(
    kspec: Kspec, training: subprocess.Popen[str]
) -> None:
    assert training.stderr is not None
    first = training.stderr.readline()
    told = interrupt(training, lambda: bool(first))
    assert "KS930 interrupted" in told
    assert "is kept" not in told
    assert checkpoints(kspec.folder) == []


def test_after_a_checkpoint_its_epoch_is_told(
    kspec: Kspec, training: subprocess.Popen[str]
) -> None:
    told = interrupt(training, lambda: len(checkpoints(kspec.folder)) > 1)
    assert "KS930 interrupted" in told
    newest = max(checkpoints(kspec.folder)).stem.removeprefix("epoch-").lstrip("0")
    assert f"the checkpoint after epoch {newest} is kept" in told.replace("\n", " ")
