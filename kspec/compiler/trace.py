"""Keras model → Graph, by tracing the ``keras.ops`` that each layer is made of.

A layer is called on symbolic tensors with ``training=False``, and the operations it records are
lowered one by one; layers inside layers are traced in turn. No TensorFlow graph is ever read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import tree

from kspec.compiler.ir import Graph, Origin, Shape, Value
from kspec.compiler.names import Names
from kspec.compiler.open_sizes import made_equal, named_sizes
from kspec.compiler.recorded import (
    TraceError,
    as_functional,
    input_names,
    output_names,
    recorded,
)
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
    """The graph of a built model at inference, its variables' values as constants.

    Inputs and outputs are named by the keys of the model's dicts, or else by its input layers and
    output layers; those of a subclassed model by the arguments of its ``call`` and ``output``.
    ``origins`` tells where each layer comes from, by its name; ``shapes`` names the symbolic
    dimensions of inputs, which are otherwise ``batch`` and ``<input>_<axis>``, two of them the same
    where the network works with no others; and gives a subclassed model inputs other than those
    that it was built with. Raises TraceError.
    """
    model = as_functional(model, shapes or {})
    function = recorded(model)
    given = dict(shapes or {})
    tensors = dict(zip(input_names(model, function), function.inputs, strict=True))
    found: dict[str, Shape] = {
        each: named_sizes(each, tensor.shape)
        for each, tensor in tensors.items()
        if each not in given
    }
    while True:
        tracer = Tracer(RULES, CALLS, origins or {})
        for each, tensor in tensors.items():
            tracer.input(each, str(tensor.dtype), (found | given)[each])
        try:
            results = _results(tracer, model, function)
        except TraceError as error:
            equal = made_equal(found, error)
            if equal is None:
                raise
            found = equal
        else:
            return tracer.graph(name or model.name, results)


def _results(tracer: Tracer, model: Any, function: Any) -> dict[str, Value]:
    values = tree.flatten(
        function._run_through_graph(tracer.inputs, tracer.operation)  # noqa: SLF001
    )
    names = Names(each.name for each in tracer.inputs)
    pairs = zip(output_names(model), values, strict=True)
    return {names.fresh(output): value for output, value in pairs}
