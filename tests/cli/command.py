"""The command line in this process, and in one of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner, Result

from kspec.commands.app import app


@dataclass(frozen=True, slots=True)
class Kspec:
    """Runs commands in the folder of a test."""

    folder: Path

    def __call__(self, *arguments: str) -> Result:
        """In this process."""
        return CliRunner().invoke(app, arguments, prog_name="kspec")

    def apart(
        self, *arguments: str, options: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        """As a user does, in a fresh process with these options of Python's own."""
        return subprocess.run(
            [sys.executable, *options, "-m", "kspec", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            timeout=300,
            env={**os.environ, "NO_COLOR": "1"},
        )
