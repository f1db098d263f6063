"""The inner loop: what check, plan, the first build and an unchanged build of a spec cost in CPU.

``python -m benchmarks.loop [SPEC] [--out FILE]`` builds a copy of the spec's folder with an empty
store. CPU seconds include child processes. They depend on the machine and its load: compare the
ratios to the bare imports, which are measured in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PARSER = "import pydantic, yaml, typer"
ENGINE = "import keras"
REPEATS = 5
BEFORE = (
    "Before the work on start-up and on the inner loop: `kspec check` 0.86 s where the parser"
    " imports cost 0.21 (4.1 ×), `kspec plan` 24 s."
)
"""Figures of the same spec on two cores, for comparison."""
# As installed: a machine that forbids bytecode files would compile all sources in every process.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("spec", type=Path, nargs="?", default=Path("examples/digits/model.yaml"))
    parser.add_argument("--out", type=Path, help="a Markdown file to write")
    options = parser.parse_args()
    page = "\n".join(report(options.spec))
    if options.out:
        options.out.write_text(page + "\n", "utf-8")
    print(page)


def report(spec: Path) -> list[str]:
    for command in (python("-c", ENGINE), kspec("check", str(spec))):
        cpu(command)  # the first run compiles
    parser, engine = repeated(python("-c", PARSER)), repeated(python("-c", ENGINE), 1)
    lines = [
        "# The inner loop",
        "",
        f"`{spec}`, seconds of CPU with child processes.",
        f"`{PARSER}` costs {parser:.2f}, `{ENGINE}` {engine:.2f} in the same run.",
        BEFORE,
        "",
        "| command | CPU s | ratio |",
        "|---|---|---|",
    ]

    def row(name: str, seconds: float, unit: float, what: str) -> None:
        lines.append(f"| {name} | {seconds:.2f} | {seconds / unit:.1f} × {what} |")

    row("`kspec --help`", repeated(kspec("--help")), parser, "parser imports")
    row("`kspec check`", repeated(kspec("check", str(spec))), parser, "parser imports")
    with tempfile.TemporaryDirectory(prefix="kspec-loop-") as folder:
        path = copied(spec, Path(folder, "plan"))
        planned, _ = cpu(kspec("plan", str(path), "--output-format", "json"))
        path = copied(spec, Path(folder, "build"))
        command = kspec("build", str(path), "--output-format", "json")
        first, output = cpu(command)
        again, _ = cpu(command)
    row("`kspec plan`", planned, engine, "Keras")
    row("`kspec build`, the first", first, engine, "Keras")
    row("`kspec build`, unchanged", again, parser, "parser imports")
    lines += ["", "| stage of the first build | CPU s | wall s |", "|---|---|---|"]
    for stage in json.loads(output)["stages"]:
        lines.append(f"| {stage['name']} | {stage['cpu']:.2f} | {stage['seconds']:.2f} |")
    return lines


def kspec(*arguments: str) -> list[str]:
    return python("-m", "kspec", *arguments)


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def copied(spec: Path, folder: Path) -> Path:
    """The spec in a folder of its own, without results."""
    shutil.copytree(spec.parent, folder, ignore=shutil.ignore_patterns(".kspec", "dist"))
    return folder / spec.name


def repeated(command: Sequence[str], times: int = REPEATS) -> float:
    return statistics.median(cpu(command)[0] for _ in range(times))


def cpu(command: Sequence[str]) -> tuple[float, Any]:
    """Seconds of CPU of a command and its children, and what it printed. Raises
    CalledProcessError if it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, done.stdout


if __name__ == "__main__":
    main()
