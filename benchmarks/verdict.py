"""Measures the rule by which artifacts are judged: right artifacts refused, wrong ones let pass.

    python -m benchmarks.verdict [NAME...]

For each architecture of tests/architectures and two whose rounding is large, with random weights
and 8 rows: every right artifact of every format by today's rule (docs/adr/0011) and by the one
before (docs/adr/0007), then artifacts with subtle faults. Prints a line for each network and
format.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
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
from kspec.pipeline.proof.verdict import PEAK, RMS, measure, within
from kspec.targets.formats.format import Tolerance
from tests.architectures.networks import ARCHITECTURES, Architecture, u_net
from tests.conformance.artifacts import FORMATS, RefusedError, run

ROWS = 8
BEFORE = Tolerance(1e-5, 1e-5)


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
    "ResNet50 backbone": Architecture(backbone, heavy=True, small=64),
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
    return Judged(before, now, peak, rms)


def main(names: list[str]) -> None:
    print(f"rule: max <= {PEAK:g} max|E| and RMS <= {RMS:g} RMS(E), or within 1e-6")
    total = {"right": 0, "refused before": 0, "refused now": 0}
    caught = {"faults": 0, "caught before": 0, "caught now": 0}
    for name in names or NETWORKS:
        subject, problems = subject_of(NETWORKS[name])
        print(f"{name}: trace {'; '.join(problems) or 'right'}", flush=True)
        for format_ in FORMATS:
            _measure(subject, NETWORKS[name], format_, total, caught)
    print(total, caught)


def _measure(
    subject: Subject,
    architecture: Architecture,
    format_: str,
    total: dict[str, int],
    caught: dict[str, int],
) -> None:
    try:
        (right,) = run(format_, subject.folded, [subject.rows.inputs])
    except RefusedError as refused:
        print(f"  {format_:11} refused: {str(refused)[:60]}", flush=True)
        return
    judged = judge(subject, right)
    _count(total, ("right", "refused before", "refused now"), not judged.before, not judged.now)
    line = f"  {format_:11} right: {judged.peak:.2f} / {judged.rms:.2f}"
    missed = []
    for kind, graph in () if architecture.heavy and format_ != "onnx" else faults(subject.folded):
        (found,) = run(format_, graph, [subject.rows.inputs])
        wrong = judge(subject, found)
        _count(caught, ("faults", "caught before", "caught now"), not wrong.before, not wrong.now)
        if wrong.now:
            missed.append(f"{kind} ({wrong.peak:.1f} / {wrong.rms:.1f})")
    print(line, *[f"\n      passes: {each}" for each in missed], flush=True)


def _count(counts: dict[str, int], keys: tuple[str, str, str], before: bool, now: bool) -> None:  # noqa: FBT001
    for key, add in zip(keys, (1, before, now), strict=True):
        counts[key] += int(add)


if __name__ == "__main__":
    main(sys.argv[1:])
