"""docs/benchmarks.md from benchmarks/results.json."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers import NAMES

Cell = Mapping[str, Any]
SIDES = ("kspec", "peer")
TITLES = {"onnx": "ONNX", "coreml": "Core ML", "tflite": "TFLite", "tf_serving": "SavedModel"}
COLUMNS = (
    "architecture",
    "seconds",
    "ratio",
    "MB",
    "bytes / weights",
    "nodes",
    "Transposes",
    "worst error",
    "ms",
    "ratio",
)

INTRODUCTION = """# Benchmarks

Emission by kspec beside the converters that people use today, on the same built Keras model with
random weights and random statistics:
{peers}.
Every pair of figures is *kspec · peer*. Written by `make bench` from `benchmarks/results.json`;
one network again with `python -m benchmarks.emit --only mobilenet-v2 --format onnx`.

- **seconds**: CPU seconds from a built Keras model to the file on disk, without imports: each
  converter first writes a tiny network, in a process of its own. **ratio** is how many
  times kspec is faster.
- **MB**, and the artifact's bytes relative to the model's weights, BatchNorm's statistics among
  them.
- **nodes** that compute, and the **Transposes** among them.
- **worst error** against Keras, relative to the output's greatest element.
- **ms**: CPU milliseconds of a call with one row on one thread, the median; both artifacts take
  turns. **ratio** is kspec's over the peer's: below 1 is faster. Core ML does not run on Linux:
  its packages are evaluated in NumPy, which tells errors, but not speed, and knows few of the
  forms that the peer writes.

Measured on {machine}, {cpus} CPUs, {system}, Python {python}; {versions}. {noise}
"""
NOISE = """The machine was shared, with a load of {low:.1f} to {high:.1f} while this was measured:
CPU seconds grow by some tenths under such a load, on both sides. The ratios are what to read."""


def write_page(results: Mapping[str, Any], order: Sequence[str], page: Path) -> None:
    measured = results.get("architectures", {})
    names = [name for name in order if name in measured]
    loads = [measured[name]["load"] for name in names]
    machine = results["machine"]
    parts = [
        INTRODUCTION.format(
            peers=", ".join(f"{NAMES[each]} for {title}" for each, title in TITLES.items()),
            versions=", ".join(f"{name} {each}" for name, each in machine["versions"].items()),
            noise=NOISE.format(low=min(loads), high=max(loads)).replace("\n", " "),
            **{key: machine[key] for key in ("machine", "cpus", "system", "python")},
        ),
        summary(measured, names),
        *(table(each, measured, names) for each in TITLES),
    ]
    page.write_text("\n".join(parts), encoding="utf-8")


def summary(measured: Mapping[str, Any], names: Sequence[str]) -> str:
    lines = [
        "## Medians\n",
        "| format | emission, times faster | latency, kspec / peer | worst | peer failed |",
        "|---|---|---|---|---|",
    ]
    for each, title in TITLES.items():
        cells = [measured[n]["formats"][each] for n in names if each in measured[n]["formats"]]
        emission = [r for cell in cells if (r := ratio(cell, "seconds", inverse=True))]
        latency = [r for cell in cells if (r := ratio(cell, "latency"))]
        failed = sum("error" in cell["peer"] or "failure" in cell["peer"] for cell in cells)
        lines.append(
            f"| {title} | {median(emission)} of {len(emission)} | {median(latency)}"
            f" | {f'{max(latency):.2f}' if latency else '–'} | {failed} of {len(cells)} |"
        )
    return "\n".join(lines) + "\n"


def table(format_: str, measured: Mapping[str, Any], names: Sequence[str]) -> str:
    lines = [f"## {TITLES[format_]}: kspec · {NAMES[format_]}\n"]
    lines += [f"| {' | '.join(COLUMNS)} |", f"|---{'|--:' * (len(COLUMNS) - 1)}|"]
    notes = []
    for name in names:
        cell = measured[name]["formats"].get(format_)
        if cell is None:
            continue
        lines.append(f"| {' | '.join([name, *row(cell, measured[name])])} |")
        notes += [
            f"- {name}, {side}: `{said}`"
            for side in SIDES
            for said in (cell[side].get("error"), cell[side].get("failure"))
            if said
        ]
    return "\n".join(lines) + "\n" + ("\n" + "\n".join(notes) + "\n" if notes else "")


def row(cell: Cell, measured: Mapping[str, Any]) -> list[str]:
    weights = measured["weights"]
    return [
        pair(cell, "seconds", "{:.2f}".format),
        times(ratio(cell, "seconds", inverse=True), "{:.1f} ×"),
        pair(cell, "bytes", lambda size: f"{size / 1e6:.2f}"),
        pair(cell, "bytes", lambda size: f"{size / weights:.3f}"),
        pair(cell, "nodes", str),
        pair(cell, "transposes", str),
        pair(cell, "relative", "{:.1e}".format),
        pair(cell, "latency", lambda seconds: f"{1e3 * seconds:.2f}"),
        times(ratio(cell, "latency"), "{:.2f}"),
    ]


def pair(cell: Cell, key: str, shown: Callable[[Any], str]) -> str:
    return " · ".join(shown(cell[side][key]) if key in cell[side] else "–" for side in SIDES)


def ratio(cell: Cell, key: str, *, inverse: bool = False) -> float | None:
    ours, theirs = (cell[side].get(key) for side in SIDES)
    if not ours or not theirs:
        return None
    return float(theirs / ours if inverse else ours / theirs)


def times(value: float | None, shown: str) -> str:
    return "–" if value is None else shown.format(value)


def median(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f}" if values else "–"
