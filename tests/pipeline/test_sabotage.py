"""Emitters that write something else than the graph says are caught, each in every format, and the
first node that they got wrong is named with its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kspec.compiler import ops
from kspec.compiler.ir import Graph, Node, Value
from kspec.compiler.passes import run_passes
from kspec.compiler.passes.common import COMMON
from kspec.features.kinds import decisions_of
from kspec.pipeline.check import load_checked
from kspec.pipeline.proof import verification
from kspec.pipeline.proof.rows import Rows
from kspec.pipeline.proof.verification import verify_artifact
from kspec.pipeline.store.keys import Keys
from kspec.spec.diagnostics import KspecError
from kspec.spec.document import Document
from kspec.spec.render import render
from kspec.targets.emission import Run, artifact_name, emit
from kspec.targets.formats import child
from kspec.targets.formats.format import Format
from kspec.targets.registry import formats
from kspec.targets.request import ArtifactRequest
from tests.pipeline import tiny

FORMATS = tuple(formats())
Mutate = Callable[[Graph], Graph]


def constant(
    layer: str,
    index: int,
    change: Callable[[Graph, np.ndarray], np.ndarray],
    fused: str | None = None,
) -> Mutate:
    """Another array in the place of a constant: input `index` of the nodes of a layer, or of the
    layer that it is fused into."""

    def mutate(graph: Graph) -> Graph:
        changed = dict(graph.constants)
        for name in {
            node.inputs[index].name
            for node in graph.nodes
            if node.origin.layer in (layer, fused)
            and len(node.inputs) > index
            and node.inputs[index].name in changed
        }:
            changed[name] = change(graph, changed[name]).astype(changed[name].dtype)
        return replace(graph, constants=changed)

    return mutate


def node(kind: type, change: Callable[[Node], Node], *layers: str) -> Mutate:
    """Another node in the place of each of a kind in these layers."""

    def mutate(graph: Graph) -> Graph:
        return graph.with_nodes(
            tuple(
                change(each) if each.origin.layer in layers and type(each.op) is kind else each
                for each in graph.nodes
            )
        )

    return mutate


def spatially_transposed(graph: Graph, kernel: np.ndarray) -> np.ndarray:
    first = any(getattr(each.op, "channels", "") == "first" for each in graph.nodes)
    return kernel.swapaxes(2, 3) if first else kernel.swapaxes(0, 1)


def without_relu(graph: Graph) -> Graph:
    """By the activation's field where it is fused, else by its node."""

    def change(each: Node) -> Node:
        if each.origin.layer != "relu":
            return each
        if isinstance(each.op, ops.Conv):
            return replace(each, op=replace(each.op, activation="linear"))
        return replace(each, op=ops.Reshape(each.output.shape))

    return graph.with_nodes(tuple(map(change, graph.nodes)))


def exchanged(graph: Graph) -> Graph:
    """Mean and deviation (or its reciprocal), one for the other."""
    read = dict.fromkeys(value.name for each in graph.nodes for value in each.inputs)
    mean, deviation = (n for n in read if n.startswith("facts.normalize/") and n in graph.constants)
    changed = {mean: graph.constants[deviation], deviation: graph.constants[mean]}
    return replace(graph, constants={**graph.constants, **changed})


def halved(graph: Graph) -> Graph:
    """Weights in half precision."""
    return replace(
        graph,
        constants={
            name: array.astype(np.float16).astype(np.float32)
            if array.dtype == np.float32
            else array
            for name, array in graph.constants.items()
        },
    )


def flattened_askew(graph: Graph) -> Graph:
    """Height and width change places before they are flattened."""
    nodes: list[Node] = []
    for each in graph.nodes:
        if each.origin.layer == "seen":
            x = each.inputs[0]
            turned = Value("askew", x.type)
            nodes.append(Node(ops.Transpose((0, 2, 1, 3)), (x,), (turned,), each.origin))
            nodes.append(replace(each, inputs=(turned,)))
        else:
            nodes.append(each)
    return graph.with_nodes(tuple(nodes))


def other_epsilon(graph: Graph, kernel: np.ndarray) -> np.ndarray:
    """BatchNorm of variance 0.1 folded with an epsilon of 1e-5 in the place of 1e-3."""
    return kernel * np.sqrt((0.1 + 1e-3) / (0.1 + 1e-5))


@dataclass(frozen=True)
class Mutant:
    name: str
    layer: str
    """The layer that is first to go wrong."""
    text: str
    """What its line in the spec starts with."""
    mutate: Mutate
    fused: tuple[str, str] | None = None
    """Layer and line of the node where the format fuses the activation into it."""


RELU = ("relu", "- relu")
MUTANTS = (
    Mutant(
        "kernel transposed",
        "second",
        "- conv2d: {filters: 4, kernel_size: 2",
        constant("second", 1, spatially_transposed),
    ),
    Mutant(
        "matrix read by columns",
        "mixed",
        "- dense: 5",
        constant("mixed", 1, lambda _, k: k.T.reshape(k.shape)),
    ),
    Mutant("bias dropped", "mixed", "- dense: 5", constant("mixed", 2, lambda _, b: b * 0)),
    Mutant(
        "activation swapped",
        "known",
        "- dense: {units: 4",
        node(ops.Tanh, lambda each: replace(each, op=ops.Sigmoid()), "known"),
    ),
    Mutant("activation dropped", "relu", "- relu", without_relu),
    Mutant(
        "padding moved",
        "batch_normalization",
        "- batch_normalization",
        node(
            ops.Conv,
            lambda each: replace(each, op=replace(each.op, padding=((1, 0), (1, 1)))),
            "batch_normalization",
            "relu",  # where it is fused
        ),
        RELU,
    ),
    Mutant("mean dropped", "facts", "normalize: true", constant("facts", 1, lambda _, m: m * 0)),
    Mutant(
        "rescaling dropped",
        "pixels",
        "rescale: 1/16",
        constant("pixels", 1, lambda _, s: s * 0 + 1),
    ),
    Mutant("constants exchanged", "facts", "normalize: true", exchanged),
    Mutant(
        "softmax over the rows",
        "corner",
        "- dense: {units: 3",
        node(ops.Softmax, lambda each: replace(each, op=ops.Softmax(0)), "corner"),
    ),
    Mutant(
        "joined the other way round",
        "both",
        "- concatenate",
        node(ops.Concat, lambda each: replace(each, inputs=each.inputs[::-1]), "both"),
    ),
    Mutant(
        "BatchNorm folded with another epsilon",
        "batch_normalization",
        "- batch_normalization",
        constant("batch_normalization", 1, other_epsilon, "relu"),
        RELU,
    ),
    Mutant(
        "BatchNorm folded without its offset",
        "batch_normalization",
        "- batch_normalization",
        constant("batch_normalization", 2, lambda _, b: b * 0, "relu"),
        RELU,
    ),
    Mutant("half precision", "batch_normalization", "- batch_normalization", halved, RELU),
    Mutant("channels in another order", "seen", "- flatten", flattened_askew),
)


@dataclass(frozen=True)
class Network:
    document: Document
    graph: Graph
    rows: Rows

    def verify(self, request: ArtifactRequest, folder: Path) -> verification.Verification:
        path = folder / artifact_name("tiny", request)
        emit(run_passes(self.graph, COMMON), request, path)
        return verify_artifact(
            path, request, self.rows, decisions_of(self.document.spec), self.graph
        )


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """The tiny network with random weights and statistics, and rows with what Keras says of
    them."""
    from kspec.pipeline.plan import random_network
    from kspec.pipeline.workshop import Workshop

    document = load_checked(tiny.write(tmp_path_factory.mktemp("tiny")))
    workshop = Workshop(document, Keys(document).sizes)
    return Network(document, *random_network(workshop)[:2])


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Artifacts run in this process: it has loaded TensorFlow already."""
    import tensorflow as tf

    def run(format_: Format[Any], path: Path, rows: Mapping[str, np.ndarray], _how: object) -> Run:
        module, _, name = format_.runner.partition(":")
        runner: Any = getattr(import_module(module), name)(path)
        return Run(child.run_rows(runner, rows), runner.runtime, {}, 0.0, 0.0, 0.0)

    for kind in ("intra", "inter"):  # which cannot be set any more
        monkeypatch.setattr(
            tf.config.threading, f"set_{kind}_op_parallelism_threads", lambda _count: None
        )
    monkeypatch.setattr(verification, "run_artifact", run)


@pytest.fixture
def sabotage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, Mutate], ArtifactRequest]]:
    """Makes the writer of a format write another graph than it is given."""

    def set_up(name: str, mutate: Mutate) -> ArtifactRequest:
        format_ = formats()[name]
        honest = type(format_).write

        def write(self: Format[Any], graph: Graph, path: Path, options: Any) -> tuple[str, ...]:
            return honest(self, mutate(graph), path, options)

        monkeypatch.setattr(type(format_), "write", write)
        return ArtifactRequest(name, format_.options())

    return set_up


@pytest.mark.parametrize("name", FORMATS)
def test_an_honest_emitter_passes(name, network, here, sabotage, tmp_path: Path) -> None:
    found = network.verify(sabotage(name, lambda graph: graph), tmp_path)
    assert found.passed
    assert found.comparison is not None
    assert found.comparison.worst_error <= 1e-5
    assert found.comparison.flips == 0


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda each: each.name)
def test_every_mutant_is_caught(mutant, name, network, here, sabotage, tmp_path: Path) -> None:
    (problem,) = network.verify(sabotage(name, mutant.mutate), tmp_path).problems
    assert problem.code == "KS720"
    line = network.document.text.splitlines()[network.document.locate(problem).span.line - 1]
    places = filter(None, ((mutant.layer, mutant.text), mutant.fused))
    assert any(f"of layer {layer!r}" in problem.message and text in line for layer, text in places)


MESSAGE = """\
model.yaml:26:5: KS720 tiny.onnx differs from the trained model at output 'corner', row ROW: error \
ERROR, where rounding moves the trained model by ERROR; the first node that differs is Tanh \
'known' of layer 'known', by ERROR
   |
26 |   - dense: {units: 4, activation: tanh}
   |     ^^^^^
   = help: nothing was shipped; please report it with the spec

1 problem found"""


def test_the_message(network, here, sabotage, tmp_path: Path) -> None:
    mutant = next(each for each in MUTANTS if each.name == "activation swapped")
    result = network.verify(sabotage("onnx", mutant.mutate), tmp_path)
    error = KspecError(*result.problems, document=network.document)
    text = render(error, color=False).replace(str(network.document.path), "model.yaml")
    text = re.sub(r"(error|by) [\d.e-]+", r"\1 ERROR", text)  # the processor decides the numbers
    text = re.sub(r"row \d", "row ROW", text)
    assert text == MESSAGE
