"""CPU time of light commands, as multiples of importing their three libraries.

`python -m benchmarks.start_up` prints, for `kspec --help`, for `kspec check` of examples/digits and
for checking a network of 200 steps, the median of several runs in fresh interpreters. A ratio does
not depend on the machine; the bare import is measured between the commands, in the same run.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

RUNS = 9
BARE = ("-c", "import pydantic, yaml, typer")
HELP = ("-m", "kspec", "--help")
CHECK = ("-m", "kspec", "check")
DIGITS = "examples/digits/model.yaml"
STEPS = 200
BLOCK = """\
  - conv2d: {filters: 8, kernel_size: 3, padding: same}
  - batch_normalization
  - {relu: , name: r%d}
  - dropout: 0.1
"""


def network(steps: int) -> str:
    """A spec of about so many steps."""
    blocks = "".join(BLOCK % place for place in range(steps // 4))
    return (
        "kspec: 1\nname: m\ninputs: {x: {image: {height: 32, width: 32}}}\n"
        "outputs: {y: {category: [a, b]}}\nnetwork:\n"
        f"{blocks}  - global_average_pooling2d\n  - {{dense: 2, name: y}}\n"
    )


def cpu(arguments: tuple[str, ...]) -> float:
    """CPU seconds, user and system, of a fresh interpreter with these arguments."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *arguments], env=ENVIRONMENT, stdout=subprocess.DEVNULL, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
"""Bytecode is cached, as in an installation."""


def main() -> int:
    with TemporaryDirectory() as folder:
        paths = {}
        for steps in (4, STEPS):
            path = Path(folder, f"{steps}.yaml")
            path.write_text(network(steps), encoding="utf-8")
            paths[steps] = str(path)
        commands = {
            "kspec --help": HELP,
            f"kspec check {DIGITS}": (*CHECK, DIGITS),
            "kspec check, 4 steps": (*CHECK, paths[4]),
            f"kspec check, {STEPS} steps": (*CHECK, paths[STEPS]),
        }
        for command in (BARE, *commands.values()):
            cpu(command)  # writes bytecode
        bare: list[float] = []
        found: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(RUNS):
            bare.append(cpu(BARE))
            for name, command in commands.items():
                found[name].append(cpu(command))
    unit = statistics.median(bare)
    for name, times in found.items():
        print(f"{statistics.median(times) / unit:6.2f} × the bare imports: {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
