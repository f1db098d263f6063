"""A network that trains in a second and has a bit of everything; as a script, builds that can be
killed."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kspec.training.monitors import Silent

SPEC = """\
kspec: 1
name: tiny
version: 1.2.3
description: Which corner is lit.

data:
  source: {csv: tiny.csv}
  split: {validation: 0.2, test: 0.2, seed: 5, stratify: corner}

inputs:
  pixels: {image: {height: 6, width: 5, channels: 1}, columns: "pixel_*", rescale: 1/16}
  facts: {number: {size: 3}, columns: "fact_*", normalize: true}
outputs:
  corner: {category: {labels: [a, b, c]}, column: corner}

network:
  - conv2d: {filters: 4, kernel_size: 3, strides: 2, padding: same, use_bias: false}
    name: conv
    from: pixels
  - batch_normalization
  - relu
  - conv2d: {filters: 4, kernel_size: 2, activation: relu}
    name: second
  - flatten:
    name: seen
  - dense: {units: 4, activation: tanh}
    name: known
    from: facts
  - concatenate:
    name: both
    from: [seen, known]
  - dense: 5
    name: mixed
  - dense: {units: 3, activation: softmax}
    name: corner

train:
  epochs: 3
  batch_size: 16
  seed: 1
  optimizer: {adam: {learning_rate: 0.02}}

targets:
  ios: {}
  android: {}
  browser: {}
  server: {}
  onnx: {}

gates:
  accuracy: ">= 0.2"
  "*.flips": "<= 0 %"
  android.size: "<= 1 MB"
"""
PLAIN = "  ios: {}\n  android: {}\n  browser: {}\n  server: {}\n  onnx: {}\n"


def write(folder: Path, text: str = SPEC) -> Path:
    """The spec with its data, the same each time."""
    drawn = random.Random(3)  # noqa: S311
    pixels = [f"pixel_{index}" for index in range(30)]
    rows = [",".join([*pixels, "fact_1", "fact_2", "fact_3", "corner"])]
    for index in range(100):
        corner = index % 3
        values = [drawn.randrange(5) for _ in pixels]
        values[(0, 4, 25)[corner]] = 16
        facts = [drawn.gauss(50 + 10 * corner, 20), drawn.gauss(-3, 0.1), drawn.gauss(0, 1)]
        rows.append(",".join([*map(str, values), *(f"{x:.4f}" for x in facts), "abc"[corner]]))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny.csv").write_text("\n".join(rows) + "\n")
    path = folder / "model.yaml"
    path.write_text(text)
    return path


class Killed(Silent):
    """Kills the process with SIGKILL in the second step of the second epoch."""

    def step(self, *, epoch: int, step: int, loss: float) -> None:
        if (epoch, step) == (2, 2):
            os.kill(os.getpid(), signal.SIGKILL)


CHANGES = ("os.rename", "os.mkdir", "os.remove", "os.rmdir")


def kill_at(count: int) -> None:
    """Kill the process at its change number `count` of the file system, from 0."""
    left = count

    def watch(event: str, arguments: Any) -> None:
        nonlocal left
        writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if writes or event in CHANGES:
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

    sys.addaudithook(watch)


def forked(work: Callable[[], object]) -> int:
    """Start the work in a process of its own; its id."""
    process = os.fork()
    if process == 0:
        code = 70
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return process


def ended(process: int) -> int:
    """The exit code of a forked process; minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def interrupted_builds(spec: Path, out: Path) -> list[Any]:
    """A build that is killed while it trains, some that are killed anywhere, then two at once; how
    each ended, and what was in `out` then."""
    import tensorflow  # noqa: F401, ICN001 - forked before it starts a thread

    import kspec.pipeline.build
    import kspec.pipeline.compile
    import kspec.pipeline.plan  # noqa: F401
    from kspec.pipeline.check import load_checked

    document = load_checked(spec)

    def build(monitor: Silent, kill: float | None = None) -> None:
        from kspec.pipeline.build import build as make

        if kill is not None:
            signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
            signal.setitimer(signal.ITIMER_REAL, kill)
        make(document, out=out, monitor=monitor)

    told: list[Any] = []

    def tell(code: int) -> None:
        told.append([code, sorted(each.name for each in out.glob("*"))])

    tell(ended(forked(lambda: build(Killed()))))
    for seconds in (0.4, 4.0, 11.0):
        tell(ended(forked(lambda seconds=seconds: build(Silent(), seconds))))
    for process in [forked(lambda: build(Silent())) for _ in range(2)]:
        tell(ended(process))
    return told


def warm_build(spec: Path) -> dict[str, Any]:
    """A build that finds everything done: its stages, and the packages that it loaded."""
    import kspec

    stages: list[Any] = []
    kspec.build(spec, notify=lambda run: stages.append([run.name, run.ran]))  # no stage runs
    loaded = sorted({name.partition(".")[0] for name in sys.modules})
    return {"stages": stages, "loaded": loaded}


if __name__ == "__main__":
    found = (
        warm_build(Path(sys.argv[2]))
        if sys.argv[1] == "warm"
        else interrupted_builds(Path(sys.argv[2]), Path(sys.argv[3]))
    )
    sys.stdout.write("\n" + json.dumps(found) + "\n")
