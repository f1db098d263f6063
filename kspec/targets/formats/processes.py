"""Processes of this Python that end with the process that started them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def run_python(
    arguments: Sequence[str], *, folder: Path | None = None, timeout: float | None = None
) -> subprocess.CompletedProcess[str]:
    """Run this Python in safe-path mode and return its exit code and texts. The code that it runs
    calls `child.end_with_parent`, which watches the pipe on its standard input. Raises
    TimeoutExpired after ``timeout`` seconds."""
    ours, held = os.pipe()  # the system closes `held` when this process ends
    try:
        return subprocess.run(  # noqa: S603 - our own modules, on our own files
            [sys.executable, "-P", *arguments],
            stdin=ours,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd=folder,
            timeout=timeout,
        )
    finally:
        os.close(ours)
        os.close(held)
