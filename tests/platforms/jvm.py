"""Java's tools, on the classes of a bundle that Maven has built."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from kspec.pipeline.store.locks import locked
from kspec.targets.platforms.jvm import RUNTIME as VERSION

REPOSITORY = Path.home() / ".m2/repository"
RUNTIME = REPOSITORY / f"com/microsoft/onnxruntime/onnxruntime/{VERSION}/onnxruntime-{VERSION}.jar"
SOURCES = Path(__file__).parent / "java"
MARK = "KSPEC-SELFTEST "


def run(*command: str | Path, cwd: Path | None = None, fails: bool = False) -> str:
    """What a command prints; that it succeeds is tested, unless it may fail."""
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert fails or done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def maven(project: Path, *words: str) -> str:
    """Maven in a project; it loads what it has not got yet."""
    return run("mvn", "--batch-mode", "--no-transfer-progress", *words, cwd=project)


def built(bundles: Path, example: str) -> tuple[Path, str]:
    """A copy of an example's bundle that Maven has built and tested, and what Maven printed: made
    once for all workers. That of digits has the function for Spark as well."""
    project = bundles.with_name("built") / example
    log = project.with_name(f"{example}.log")
    with locked(project.with_name(f"building-{example}")):
        if not log.exists():
            shutil.rmtree(project, ignore_errors=True)
            shutil.copytree(bundles / example / "jvm", project)
            profile = ["--activate-profiles", "spark"] if example == "digits" else []
            log.write_text(maven(project, "verify", *profile))
    return project, log.read_text()


def classes(project: Path) -> tuple[Path, ...]:
    """The class path of a project's tests."""
    return (project / "target/test-classes", project / "target/classes", RUNTIME)


def compile_java(sources: Iterable[Path], out: Path, *path: Path) -> None:
    """Compile with every warning an error."""
    out.mkdir(parents=True, exist_ok=True)
    run("javac", "-Xlint:all", "-Werror", "-d", out, "-cp", _joined(path), *sources)


def java(
    name: str,
    *path: Path,
    words: Iterable[str] = (),
    folder: Path | None = None,
    fails: bool = False,
) -> str:
    """What the class with that name prints, in a folder."""
    return run("java", "-cp", _joined(path), name, *words, cwd=folder, fails=fails)


def self_test(project: Path, name: str, *path: Path) -> dict[str, Any]:
    """What the self-test says of a project."""
    (line,) = java(name, *path, folder=project, fails=True).splitlines()
    return said(line)


def said(output: str) -> dict[str, Any]:
    """The one line for machines in an output."""
    (line,) = (each for each in output.splitlines() if MARK in each)
    found = json.loads(line.partition(MARK)[2], parse_constant=pytest.fail)
    assert found["pass"] is (not found["problems"])
    return found


def _joined(path: Iterable[Path]) -> str:
    return os.pathsep.join(map(str, path))
