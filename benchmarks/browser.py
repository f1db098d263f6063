"""docs/browser.md: the size of a bundle in a page, the time to load it, and the time per row.

``python -m benchmarks.browser`` after ``make browser``; missing examples are built.
"""

from __future__ import annotations

import gzip
import json
import os
import platform
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kspec
from tests.platforms import web

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "browser.md"
EXAMPLES = ("digits", "breast-cancer")
ENGINES = ("onnxruntime", "litert")
DEVICES = ("wasm", "webgpu")
LOADS, CALLS = 5, 50
KILO, MEGA = 1e3, 1e6
GROUPS = ("runtime", "client", "model")

INTRODUCTION = """# Size and speed in a page

A bundle of the browser platform, served by its `serve.mjs` on the same machine and loaded in a new
profile of headless Chromium. Written by `python -m benchmarks.browser`.

- **runtime**: the engine's JavaScript and WebAssembly from `vendor/`; **client**: the package's own
  modules; **model**: the artifact. Raw bytes · after `gzip -9`, which a server should send.
- **to the first answer**: from the import of the client, through loading and compiling, to the
  answer to one row; the median of {loads}.
- **a row**: a call of `predict` on raw values, the median of {calls}. WebGPU runs on SwiftShader, a
  GPU in software: its sizes are valid, its times say nothing about a hardware GPU.

Measured on {machine}, {cpus} CPUs, {browser}; the machine was shared, with a load of {load:.1f}.
"""


def main() -> None:
    """Measure each example on each engine and device; write the page."""
    if problem := web.no_browser():
        raise SystemExit(problem)
    rows = [
        measure(example, engine, device)
        for example in EXAMPLES
        for engine in ENGINES
        for device in DEVICES
    ]
    PAGE.write_text(render(rows), "utf-8")
    print(PAGE.read_text("utf-8"))


def measure(example: str, engine: str, device: str) -> dict[str, Any]:
    """Return the figures of one example."""
    with tempfile.TemporaryDirectory() as place:
        bundle = build(example, engine, Path(place))
        with served(bundle) as url:
            given = {"url": url, "device": device, "loads": LOADS, "calls": CALLS}
            done = web.node(ROOT / "benchmarks/browser.mjs", input=json.dumps(given))
            done.check_returncode()
        found = json.loads(done.stdout)
        sizes = {group: [0, 0] for group in GROUPS}
        for path in sorted(set(found["requests"])):
            content = (bundle / path).read_bytes()
            for index, each in enumerate((content, gzip.compress(content, 9))):
                sizes[group_of(path)][index] += len(each)
        return {**found, "example": example, "asked": device, "sizes": sizes}


def build(example: str, engine: str, place: Path) -> Path:
    """Build the example's bundle with its runtime."""
    folder = ROOT / "examples" / example
    document = kspec.load(folder / "model.yaml", overrides={"targets.browser.engine": engine})
    kspec.build(document, out=place / "dist", store=folder / ".kspec")
    bundle = Path(shutil.copytree(place / "dist/browser", place / "bundle"))
    web.vendor(bundle, engine)
    return bundle


@contextmanager
def served(bundle: Path) -> Iterator[str]:
    """Run the bundle's server; yield its address."""
    command = ("node", str(bundle / "serve.mjs"), "0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.terminate()


def group_of(path: str) -> str:
    """Return the group of `GROUPS` that a file belongs to."""
    if path.startswith("vendor/"):
        return "runtime"
    return "model" if path.endswith((".onnx", ".tflite")) else "client"


def render(rows: list[dict[str, Any]]) -> str:
    """Return the page."""
    version = subprocess.run(
        [str(web.CHROMIUM), "--version"], capture_output=True, text=True, check=True
    ).stdout.split(" built")[0]
    parts = [
        INTRODUCTION.format(
            loads=LOADS,
            calls=LOADS * CALLS,
            machine=platform.machine(),
            cpus=os.cpu_count(),
            browser=version.strip(),
            load=os.getloadavg()[0],
        ),
        "| model | engine | runs on | runtime | client | model | to the first answer | a row |",
        "|---|---|---|--:|--:|--:|--:|--:|",
        *map(line, rows),
    ]
    return "\n".join(parts) + "\n"


def line(row: Mapping[str, Any]) -> str:
    """A line of the table."""
    device = {"wasm": "WebAssembly", "webgpu": "WebGPU"}[row["device"]]
    if row["device"] != row["asked"]:
        device += ", because WebGPU returns wrong answers"
    sizes = (f"{spell(raw)} · {spell(packed)}" for raw, packed in row["sizes"].values())
    times = (statistics.median(row["load_ms"]), statistics.median(row["call_ms"]))
    named = (row["example"], row["engine"], device)
    cells = (*named, *sizes, f"{times[0]:.0f} ms", f"{times[1]:.2f} ms")
    return f"| {' | '.join(cells)} |"


def spell(size: int) -> str:
    """Bytes for people."""
    return f"{size / MEGA:.2f} MB" if size >= MEGA else f"{size / KILO:.1f} KB"


if __name__ == "__main__":
    main()
