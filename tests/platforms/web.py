"""What the browser's tests need beside Python: Chromium, Node.js, and npm packages in a folder.

``python -m tests.platforms.web`` installs the packages, by version and hash.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".tools" / "browser"
DRIVERS = Path(__file__).parent / "browser"
PLATFORM = ROOT / "kspec/targets/platforms/browser"
PROJECTS = {
    "drivers": DRIVERS,
    "onnxruntime": PLATFORM / "engines/onnxruntime",
    "litert": PLATFORM / "engines/litert",
}
"""Folders with a ``package.json`` and its lock, by the name of their copy."""
OLDEST_NODE = 20
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


def needed(reason: str) -> pytest.MarkDecorator:
    """Skip where a tool is missing; on CI that is an error. Raises RuntimeError with the reason."""
    if reason and os.environ.get("CI"):
        raise RuntimeError(reason)
    return pytest.mark.skipif(bool(reason), reason=reason)


def missing() -> str:
    """Why nothing of npm's can be run here; empty where it can."""
    if problem := _wrong_node():
        return problem
    stamp = FOLDER / "ready"
    if not stamp.exists() or stamp.read_text() != _digest():
        return "`make browser` has installed no npm packages here"
    return ""


def no_browser() -> str:
    """Why no page can be opened here; empty where one can."""
    return missing() or ("" if CHROMIUM else "Chromium is not installed")


def node(*arguments: object, folder: Path | None = None, input: str = "") -> Any:  # noqa: A002
    """Run a script with Node.js."""
    return subprocess.run(
        ["node", *map(str, arguments)],
        cwd=folder,
        input=input,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def drive(script: str, *arguments: object, **given: Any) -> Any:
    """What a driver says, as JSON. ``given`` is its input."""
    done = node(DRIVERS / script, *arguments, input=json.dumps(given))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def environment() -> Mapping[str, str]:
    """Variables for the drivers."""
    places = {"KSPEC_DRIVERS": str(FOLDER / "drivers"), "KSPEC_CHROMIUM": CHROMIUM or ""}
    return {**os.environ, **places}


def vendor(bundle: Path, engine: str) -> None:
    """Give a bundle the runtime, as ``npm run vendor`` does."""
    (bundle / "vendor").symlink_to(FOLDER / engine / "vendor")


def main() -> None:
    """Install what is locked; says why where that cannot be."""
    if problem := _wrong_node():
        sys.exit(problem)
    if not missing():
        return
    shutil.rmtree(FOLDER, ignore_errors=True)
    for name, project in PROJECTS.items():
        place = FOLDER / name
        place.mkdir(parents=True)
        for each in ("package.json", "package-lock.json"):
            shutil.copy(project / each, place)
        install = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        subprocess.run(install, cwd=place, check=True)
        if name != "drivers":
            shutil.copy(PLATFORM / "templates/vendor.mjs", place)
            subprocess.run(("node", "vendor.mjs"), cwd=place, check=True)
            shutil.rmtree(place / "node_modules")
    (FOLDER / "ready").write_text(_digest())


def _wrong_node() -> str:
    if not shutil.which("npm") or not shutil.which("node"):
        return "Node.js and npm are not installed"
    found = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    major = re.match(r"v(\d+)\.", found)
    old = major is None or int(major[1]) < OLDEST_NODE
    return f"Node.js {OLDEST_NODE} or newer is needed, here is {found.strip()}" if old else ""


def _digest() -> str:
    files = [
        path / name for path in PROJECTS.values() for name in ("package.json", "package-lock.json")
    ]
    files.append(PLATFORM / "templates/vendor.mjs")
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


if __name__ == "__main__":
    main()
