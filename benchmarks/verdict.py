"""Measure the rule by which artifacts are judged: right artifacts refused, wrong ones passed.

    python -m benchmarks.verdict [NETWORK...]

For each architecture of tests/architectures and two whose rounding error is large, with random
weights and 8 rows, every format writes the right artifact and artifacts with one subtle fault each.
All are judged by the rule of docs/adr/0011 and by the rule before it, of docs/adr/0007. Writes what
was found to benchmarks/verdict.json, where other networks keep their figures, and the table of all
to docs/verdict.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array, Graph, Node
from kspec.compiler.passes import run_passes
from kspec.compiler.passes.common import COMMON
from kspec.compiler.trace import trace
from kspec.models.answers import answers
from kspec.pipeline.proof.comparison import scale_of
from kspec.pipeline.proof.reference import Reference
from kspec.pipeline.proof.rows import Rows
from kspec.pipeline.proof.verdict import measure, within
from kspec.targets.formats.format import Tolerance
from tests.architectures.networks import ARCHITECTURES, Architecture, u_net
from tests.conformance.artifacts import FORMATS, RefusedError, run

ROWS = 8
BEFORE = Tolerance(1e-5, 1e-5)
RULES = ("before", "now")
RESULTS = Path(__file__).with_name("verdict.json")
PAGE = Path(__file__).parents[1] / "docs/verdict.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def backbone(size: int) -> Any:
    import keras

    return keras.applications.ResNet50(weights=None, include_top=False, input_shape=(size, size, 3))


def sharp_u_net(size: int) -> Any:
    """Its last convolution is 40 times as large: the softmax is sure of every pixel."""
    model = u_net(size)
    kernel = model.layers[-1].kernel
    kernel.assign(kernel * 40)
    return model


NETWORKS: Mapping[str, Architecture] = {
    **ARCHITECTURES,
    "ResNet50 backbone": Architecture(backbone, small=64),
    "U-Net, sharp": Architecture(sharp_u_net, small=64),
}

Fault = Callable[[Array], Array]


def _bfloat16(array: Array) -> Array:
    bits = array.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


def _half(array: Array) -> Array:
    return array.astype(np.float16).astype(np.float32)


def _channel(array: Array) -> Array:
    changed = array.copy()
    changed[..., array.shape[-1] // 2] *= np.float32(1.001)
    return changed


def _dropped(array: Array) -> Array:
    """The element of median size is 0."""
    changed = array.copy()
    flat = changed.reshape(-1)
    flat[np.argsort(np.abs(flat))[flat.size // 2]] = 0
    return changed


KERNELS: Mapping[str, Fault] = {"bf16": _bfloat16, "fp16": _half, "channel x1.001": _channel}


@dataclass(frozen=True)
class Subject:
    graph: Graph
    folded: Graph
    rows: Rows
    keras: Mapping[str, Array]


def subject_of(architecture: Architecture) -> tuple[Subject, tuple[str, ...]]:
    model = architecture.model(architecture.small)
    graph = trace(model)
    inputs = architecture.rows(model, ROWS)
    rows, problems = Reference(graph, partial(answers, model, graph)).proven(inputs)
    folded = run_passes(graph, COMMON)
    found = tuple(each.message for each in problems)
    return Subject(graph, folded, rows, answers(model, graph, inputs)), found


def faults(folded: Graph) -> Iterator[tuple[str, Graph]]:
    """The first, the middle and the last kernel and bias, all constants, and all ReLUs."""
    read = dict.fromkeys(value.name for node in folded.nodes for value in node.inputs)
    floats = {n: folded.constants[n] for n in read if _is_float(folded.constants.get(n))}
    kernels = [name for name, array in floats.items() if array.ndim > 1]
    biases = [name for name, array in floats.items() if array.ndim == 1 and array.size > 1]
    for name in _ends(kernels):
        for kind, fault in KERNELS.items():
            yield f"{kind} of {name}", _with(folded, {name: fault(floats[name])})
    for name in _ends(biases):
        yield f"element dropped of {name}", _with(folded, {name: _dropped(floats[name])})
    yield "fp16 of all", _with(folded, {name: _half(array) for name, array in floats.items()})
    if any(isinstance(node.op, ops.Relu) for node in folded.nodes):
        yield "leaky ReLU", folded.with_nodes(tuple(map(_leaky, folded.nodes)))


def _is_float(array: Array | None) -> bool:
    return array is not None and array.dtype == np.float32


def _ends(names: list[str]) -> list[str]:
    places = (0, len(names) // 2, len(names) - 1)
    return list(dict.fromkeys(names[place] for place in places)) if names else []


def _with(folded: Graph, changed: Mapping[str, Array]) -> Graph:
    return replace(folded, constants={**folded.constants, **changed})


def _leaky(node: Node) -> Node:
    return replace(node, op=ops.LeakyRelu(0.01)) if isinstance(node.op, ops.Relu) else node


@dataclass(frozen=True)
class Judged:
    before: bool
    now: bool
    peak: float
    """The largest ratio of an artifact's error to the model's own, over outputs."""
    rms: float


def judge(subject: Subject, found: Mapping[str, Array]) -> Judged:
    before, now, peak, rms = True, True, 0.0, 0.0
    for name, exact in subject.rows.expected.items():
        own = subject.rows.yardsticks[name]
        scale = scale_of(subject.keras[name])
        before &= within(found[name], subject.keras[name], BEFORE, scale)
        now &= within(found[name], exact, Tolerance(), scale_of(exact), own)
        error = measure(exact, found[name])
        peak = max(peak, error.peak / max(own.peak, 1e-30))
        rms = max(rms, error.rms / max(own.rms, 1e-30))
    return Judged(bool(before), bool(now), float(f"{peak:.4g}"), float(f"{rms:.4g}"))


def main(names: list[str]) -> None:
    for name in names or NETWORKS:
        subject, problems = subject_of(NETWORKS[name])
        sys.stdout.write(f"{name}: trace {'; '.join(problems) or 'right'}\n")
        for format_ in FORMATS:
            measured = measured_in(format_, subject, NETWORKS[name])
            found = _ratios(measured if "right" in measured else None)
            sys.stdout.write(f"  {format_:11} {found}\n")
            sys.stdout.flush()
            keep(name, format_, measured)


def measured_in(format_: str, subject: Subject, architecture: Architecture) -> dict[str, Any]:
    """Return what was found for the right artifact and for each fault, as plain data."""
    try:
        (right,) = run(format_, subject.folded, [subject.rows.inputs])
    except RefusedError as refused:
        return {"refused": str(refused)[:80]}
    wrong = {}
    for kind, graph in () if architecture.heavy and format_ != "onnx" else faults(subject.folded):
        (found,) = run(format_, graph, [subject.rows.inputs])
        wrong[kind] = asdict(judge(subject, found))
    return {"right": asdict(judge(subject, right)), "faults": wrong}


def keep(name: str, format_: str, measured: dict[str, Any]) -> None:
    """Write the figures of a network in a format beside the others, and the table of all."""
    known = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    known.setdefault(name, {})[format_] = measured
    RESULTS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{table(known)}\n{END}{after}", "utf-8")


def table(known: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the Markdown tables: by format, by network, and which faults pass."""
    ratios = {
        name: {f: m for f, m in found.items() if "right" in m} for name, found in known.items()
    }
    lines = [
        "| format | right artifacts | refused, ADR 7 | refused | faults | caught, ADR 7 | caught |"
    ]
    lines += ["|---|---|---|---|---|---|---|"]
    for format_ in (*FORMATS, None):
        found = [m for each in ratios.values() for f, m in each.items() if format_ in (None, f)]
        right = [each["right"] for each in found]
        wrong = [fault for each in found for fault in each["faults"].values()]
        cells = [
            len(right), *(sum(not e[rule] for e in right) for rule in RULES),
            len(wrong), *(sum(not e[rule] for e in wrong) for rule in RULES),
        ]  # fmt: skip
        lines.append(f"| {format_ or 'all'} | {' | '.join(map(str, cells))} |")
    lines += ["", f"| network | {' | '.join(FORMATS)} | faults that pass |", "|---|" + "---|" * 5]
    for name in [each for each in NETWORKS if each in ratios]:
        each = [_ratios(ratios[name].get(format_)) for format_ in FORMATS]
        lines.append(f"| {name} | {' | '.join(each)} | {_passing(ratios[name])} |")
    return "\n".join(lines)


def _ratios(measured: Mapping[str, Any] | None) -> str:
    """The right artifact's ratios, and how many faults were caught."""
    if measured is None:
        return "not expressible"
    right, wrong = measured["right"], measured["faults"].values()
    caught = f", {sum(not each['now'] for each in wrong)} of {len(wrong)}" if wrong else ""
    return f"{right['peak']:.2f} / {right['rms']:.2f}{caught}"


def _passing(found: Mapping[str, Any]) -> str:
    """The faults that pass in any format, with the largest ratios there."""
    passing: dict[str, list[tuple[float, float]]] = {}
    for measured in found.values():
        for kind, wrong in measured["faults"].items():
            if wrong["now"]:
                passing.setdefault(kind, []).append((wrong["peak"], wrong["rms"]))
    return "; ".join(
        f"{kind} ({max(peak for peak, _ in each):.1f} / {max(rms for _, rms in each):.1f})"
        for kind, each in passing.items()
    )


if __name__ == "__main__":
    main(sys.argv[1:])
