"""Examines whether this machine has what kspec needs."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

from kspec.targets.formats.processes import run_python
from kspec.targets.registry import formats

Status = Literal["ok", "differs", "missing"]

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"
"""The versions that the tests ran with; only a clone of the repository has this file."""
FREE_BYTES = 2 * 10**9
CHILD = "kspec.targets.formats.child"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one examination."""

    name: str
    status: Status
    """`differs` (from the tested version) is not a fault by itself."""
    found: str


def examine(folder: Path) -> Iterator[Finding]:
    """Yield all findings, one after the other; opening the runtimes takes seconds."""
    yield _python()
    yield from _packages()
    yield from _runtimes()
    yield _core_ml()
    yield _disk(folder)
    yield Finding("processors", "ok", f"{os.cpu_count()}, {platform.machine()}")


def tested_versions() -> Mapping[str, str]:
    """Return the version of each package in the lock."""
    if not LOCK.exists():
        return {}
    pinned = re.findall(r"^([\w.-]+)==([\w.+!-]+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    return {name.lower(): found for name, found in pinned}


def _python() -> Finding:
    sound = (3, 11) <= sys.version_info < (3, 14)
    return Finding(
        "python",
        "ok" if sound else "missing",
        platform.python_version() + ("" if sound else ", needed is 3.11 to 3.13"),
    )


def _packages() -> Iterator[Finding]:
    tested = tested_versions()
    for requirement in _requirements():
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        wanted = tested.get(name.lower())
        try:
            found = version(name)
        except PackageNotFoundError:
            yield Finding(name, "missing", "not installed")
            continue
        if wanted in (None, found):
            yield Finding(name, "ok", found)
        else:
            yield Finding(name, "differs", f"{found}, tested with {wanted}")


def _requirements() -> list[str]:
    """Return the requirements that kspec declares, installed or in a clone."""
    try:
        return requires("kspec") or []
    except PackageNotFoundError:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return list(project["dependencies"])


def _runtimes() -> Iterator[Finding]:
    """Yield whether each format's runtime loads, in a process of its own as in verification."""
    for name, format_ in formats().items():
        module = format_.runner.partition(":")[0]
        code = f"from {CHILD} import end_with_parent; end_with_parent(); import {module}"
        done = run_python(["-c", code])
        reason = (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
        sound = done.returncode == 0
        yield Finding(f"{name} runtime", "ok" if sound else "missing", "opens" if sound else reason)


def _core_ml() -> Finding:
    real = sys.platform == "darwin"
    return Finding("core ml", "ok", "run by the system" if real else "evaluated in NumPy: no Mac")


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    return Finding("disk", "ok" if free >= FREE_BYTES else "missing", f"{free / 1e9:.1f} GB free")
