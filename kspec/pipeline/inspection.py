"""The resolved network of a spec: its steps with their shapes, and its graph."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kspec.compiler.ir import Graph
from kspec.features.kinds import input_kind
from kspec.pipeline.store.content import Store
from kspec.pipeline.store.keys import Keys
from kspec.pipeline.store.records import GRAPH
from kspec.schemas.layers import Shape
from kspec.spec.document import Document


@dataclass(frozen=True, slots=True)
class ShownStep:
    """An input or a step of the network."""

    name: str
    layer: str
    """The key of the layer, or of the input's kind."""
    inputs: tuple[str, ...]
    shape: Shape
    """Shape of the step's output, without the batch axis."""
    line: int
    """Its line in the spec, from 1."""


def network(document: Document) -> tuple[ShownStep, ...]:
    """Return the inputs and steps in topological order."""
    shown: list[ShownStep] = []
    shapes: dict[str, Shape] = {}
    for name, item in document.spec.inputs.items():
        shapes[name] = input_kind(item.kind).shape(item.kind)
        line = document.span(("inputs", name)).line
        shown.append(ShownStep(name, type(item.kind).key, (), shapes[name], line))
    for step in document.steps:
        shapes[step.name] = step.layer.output_shape(tuple(shapes[each] for each in step.inputs))
        line = document.span(step.route).line
        shown.append(ShownStep(step.name, step.layer.key, step.inputs, shapes[step.name], line))
    return tuple(shown)


def graph(document: Document, *, store: Path | None = None) -> Graph:
    """Return the traced graph: of the trained model if the store has it; otherwise with new
    weights, which needs Keras."""
    if document.spec.data is not None or document.spec.weights is not None:
        key, kept = Keys(document).compile, Store.at(store or document.path.parent / ".kspec")
        if kept.has(key.stage, key.digest):
            from kspec.compiler.file import load

            return load(kept.path(key.stage, key.digest) / GRAPH)
    from kspec.models.keras_model import build_model, trace_document

    return trace_document(build_model(document), document)
