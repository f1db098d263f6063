"""Conversion of a Keras model to a Graph, by tracing the ``keras.ops`` that each layer calls.

A layer is called on symbolic tensors with ``training=False``, and the recorded operations are
lowered one by one; layers inside layers are traced in turn. TensorFlow graphs are never read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras
from keras import tree

from kspec.compiler.failures import TraceError
from kspec.compiler.ir import Graph, Origin, Shape, Value
from kspec.compiler.open_sizes import made_equal, named_sizes
from kspec.compiler.precision import in_float32
from kspec.compiler.recorded import (
    as_functional,
    input_names,
    output_names,
    own_order,
    public_names,
    recorded,
)
from kspec.compiler.recording import LOCK
from kspec.compiler.rules import CALLS, RULES
from kspec.compiler.tracer import Tracer

__all__ = ["TraceError", "Tracer", "trace"]


def trace(
    model: keras.Model,
    *,
    name: str | None = None,
    origins: Mapping[str, Origin] | None = None,
    shapes: Mapping[str, Shape] | None = None,
) -> Graph:
    """Return the inference graph of a built model, with the values of its variables as constants.

    Inputs and outputs keep the model's order. Their names are the keys of the model's dicts, or the
    names of its input and output layers. Inputs of a subclassed model are named after the arguments
    of its ``call``, or the keys of a dict argument; its output is named ``output``.
    ``origins`` maps a layer's name to its origin. ``shapes`` names the symbolic dimensions of
    inputs; the defaults are ``batch`` and ``<input>_<axis>``, and dimensions that the network
    requires to be equal share a name. For a subclassed model, ``shapes`` replaces the input shapes
    of its build. 16-bit layers compute in float32. Raises TraceError.
    """
    if not isinstance(model, keras.Model):
        raise TraceError("", f"{type(model).__name__} is not a Keras model")
    with LOCK, in_float32(model):
        return _trace(as_functional(model, shapes or {}), name, origins or {}, dict(shapes or {}))


def _trace(
    model: Any, name: str | None, origins: Mapping[str, Origin], given: Mapping[str, Shape]
) -> Graph:
    function = recorded(model)
    names = input_names(model, function)
    tensors = dict(zip(names, function.inputs, strict=True))
    found: dict[str, Shape] = {
        each: named_sizes(each, tensor.shape)
        for each, tensor in tensors.items()
        if each not in given
    }
    if found and not given and len({shape[:1] for shape in found.values()}) == 1:
        # A batch of a fixed size: the graph accepts any number of rows.
        found = {each: ("batch", *shape[1:]) for each, shape in found.items() if shape}
    while True:
        tracer = Tracer(RULES, CALLS, origins)
        for each, tensor in tensors.items():
            tracer.input(each, str(tensor.dtype), {**found, **given}[each])
        try:
            results = _results(tracer, model, function)
        except TraceError as error:
            equal = made_equal(found, error)
            if equal is None:
                raise
            found = equal
        else:
            graph = tracer.graph(name or model.name, results)
            return _in_own_order(model, graph)


def _results(tracer: Tracer, model: Any, function: Any) -> dict[str, Value]:
    values = tree.flatten(
        function._run_through_graph(tracer.inputs, tracer.operation)  # noqa: SLF001
    )
    names = public_names((each.name for each in tracer.inputs), output_names(model))
    return dict(zip(names, values, strict=True))


def _in_own_order(model: Any, graph: Graph) -> Graph:
    """Return the graph with its inputs and outputs in the order of the model's dicts."""

    def ordered(struct: str, values: tuple[Value, ...]) -> tuple[Value, ...]:
        by_name = {value.name: value for value in values}
        names = own_order(getattr(model, struct, None), list(by_name))
        return tuple(by_name[each] for each in names)

    return replace(
        graph,
        inputs=ordered("_inputs_struct", graph.inputs),
        outputs=ordered("_outputs_struct", graph.outputs),
    )
