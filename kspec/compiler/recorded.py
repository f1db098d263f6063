"""Keras models as recorded graphs: what a model's layers were called on, and in which order."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import tree
from keras.src.ops.node import Node

from kspec.compiler.ir import Route, Shape
from kspec.compiler.recording import recording

NOT_TRACED = (ValueError, TypeError, NotImplementedError, AttributeError, LookupError)
"""What code raises that was not written for symbols."""


class TraceError(Exception):
    """A layer or operation that cannot be lowered. ``layer`` names the layer, for its line."""

    def __init__(self, layer: str, message: str, route: Route = ()) -> None:
        super().__init__(f"{layer}: {message}" if layer else message)
        self.layer = layer
        self.message = message
        self.route = route


class Symbols(keras.Operation):  # type: ignore[misc]
    """Gives the tensors at which recorded graphs begin; keras.Input makes a layer of each, which
    is a third of the time that a trace takes."""

    def call(self) -> Any:
        raise NotImplementedError("it is recorded only")

    def tensor(self, shape: Sequence[int | None], dtype: str) -> Any:
        symbol = keras.KerasTensor(shape, dtype)
        Node(self, call_args=(), call_kwargs={}, outputs=symbol)
        return symbol


def recorded(model: Any) -> Any:
    """The Keras graph of a Functional or Sequential model."""
    if isinstance(model, keras.Function):
        return model
    if not model.built or not model.inputs:
        raise TraceError(model.name, "the model is not built: call it once, or give it an Input")
    return keras.Function(model.inputs, model.outputs)


def as_functional(model: Any, shapes: Mapping[str, Shape]) -> Any:
    """A subclassed model as a Functional one: its ``call``, recorded on symbols for the inputs
    that it was built with, or those of ``shapes``, by the names of the arguments."""
    if isinstance(model, keras.Function | keras.Sequential):
        return model
    parameters = inspect.signature(model.call).parameters
    known = shapes or _built_shapes(model, parameters)
    if not model.built or not known or not known.keys() <= parameters.keys():
        wanted = ", ".join(parameters)
        raise TraceError(
            model.name,
            f"the shapes of its inputs are not known: call it once, or give shapes for {wanted}",
        )

    def symbol(name: str, shape: Sequence[Any]) -> Any:
        sizes = (dim if isinstance(dim, int) else None for dim in shape[1:])
        return keras.Input(tuple(sizes), name=name)

    inputs = {name: symbol(name, shape) for name, shape in known.items()}
    training = {"training": False} if "training" in parameters else {}
    try:
        with recording(tree.flatten(inputs)):
            outputs = model.call(**inputs, **training)
        if not isinstance(outputs, dict):
            flat = tree.flatten(outputs)
            names = ["output"] if len(flat) == 1 else [f"output_{i}" for i in range(len(flat))]
            outputs = dict(zip(names, flat, strict=True))
        return keras.Model(inputs, outputs, name=model.name)
    except NOT_TRACED as error:
        raise TraceError(model.name, reason(error)) from error


def _built_shapes(model: Any, parameters: Mapping[str, Any]) -> dict[str, Shape]:
    """What Keras noted of the first call; a single argument is noted under no name of its own."""
    noted = getattr(model, "_build_shapes_dict", None) or {}
    names = {name.removesuffix("_shape"): shape for name, shape in noted.items()}
    if len(names) == 1 and not names.keys() <= parameters.keys():
        names = {next(iter(parameters)): shape for shape in names.values()}
    return {name: tuple(shape) for name, shape in names.items()}


def reason(error: Exception) -> str:
    first = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return f"does not trace: {first}"


def input_names(model: Any, function: Any) -> list[str]:
    struct = getattr(model, "_inputs_struct", None)
    return sorted(struct) if isinstance(struct, dict) else [each.name for each in function.inputs]


def output_names(model: Any) -> list[str]:
    if isinstance(model, keras.Sequential):
        return [model.layers[-1].name]
    struct = getattr(model, "_outputs_struct", None)
    return sorted(struct) if isinstance(struct, dict) else list(model.output_names)
