"""Keras models as recorded graphs: the calls of a model's layers, in order."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
from keras import tree
from keras.src.ops.node import Node

from kspec.compiler.failures import NOT_TRACED, TraceError, failing_layer, reason
from kspec.compiler.ir import Shape
from kspec.compiler.names import Names
from kspec.compiler.recording import recording


class Symbols(keras.Operation):  # type: ignore[misc]
    """Source of a recorded graph's input tensors. keras.Input would create a layer for each, which
    takes a third of the time of a trace."""

    def call(self) -> Any:
        raise NotImplementedError("it is recorded only")

    def tensor(self, shape: Sequence[int | None], dtype: str) -> Any:
        symbol = keras.KerasTensor(shape, dtype)
        Node(self, call_args=(), call_kwargs={}, outputs=symbol)
        return symbol


def recorded(model: Any) -> Any:
    """Return the Keras graph of a Functional or Sequential model."""
    if isinstance(model, keras.Function):
        return model
    if not model.built or not model.inputs:
        raise TraceError(model.name, "the model is not built: call it once, or give it an Input")
    return keras.Function(model.inputs, model.outputs)


def as_functional(model: Any, shapes: Mapping[str, Shape]) -> Any:
    """Convert a subclassed model to a Functional one: record its ``call`` on symbols. Their shapes
    come from ``shapes``, by argument name, or from the model's build."""
    if isinstance(model, keras.Function | keras.Sequential):
        return model
    if not isinstance(model, keras.Model):
        raise TraceError("", f"{type(model).__name__} is not a Keras model")
    given, named = _call_of(model, shapes)
    inputs = {
        name: keras.Input([dim if isinstance(dim, int) else None for dim in shape[1:]], name=name)
        for name, shape in named.items()
    }
    arguments = tree.map_structure(lambda name: inputs[name], given)
    parameters = inspect.signature(model.call).parameters
    training = {"training": False} if "training" in parameters else {}
    try:
        with recording(list(inputs.values())):
            outputs = model.call(**arguments, **training)
        if not isinstance(outputs, dict):
            outputs = dict(zip(result_names(outputs), tree.flatten(outputs), strict=True))
        return keras.Model(inputs, outputs, name=model.name)
    except NOT_TRACED as error:
        raise TraceError(failing_layer(error) or model.name, reason(error)) from error


def call_subclassed(model: Any, rows: Mapping[str, Any]) -> Any:
    """Call a subclassed model as it was built, with arrays by the input names of its traced
    graph."""
    given, _ = _call_of(model, {name: array.shape for name, array in rows.items()})
    arguments = tree.map_structure(lambda name: rows[name], given)
    parameters = inspect.signature(model.call).parameters
    training = {"training": False} if "training" in parameters else {}
    first = next(iter(parameters))
    return model(arguments.pop(first), **arguments, **training)


def _call_of(model: Any, shapes: Mapping[str, Shape]) -> tuple[dict[str, Any], dict[str, Shape]]:
    """Return the arguments of a subclassed model's ``call``, with an input name for each tensor,
    and the inputs' shapes. Keras stored structure and shapes at the first call. An argument that
    is one tensor is named after the argument, tensors of a dict after their keys."""
    parameters = inspect.signature(model.call).parameters
    noted = _built_shapes(model, parameters)
    if model.built and shapes and shapes.keys() <= parameters.keys():
        return {name: name for name in shapes}, dict(shapes)
    names = Names()
    found: dict[str, Shape] = {}

    def name_of(path: tuple[Any, ...], shape: Shape) -> str:
        words = path[1:] if len(path) > 1 and isinstance(path[1], str) else path
        name = names.fresh("_".join(map(str, words)))
        found[name] = shape
        return name

    given = _named(noted, (), name_of)
    wanted = [
        name
        for name, each in parameters.items()
        if each.default is each.empty
        and name not in ("training", "mask")
        and each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
    ]
    fits = given.keys() >= set(wanted) and shapes.keys() <= found.keys()
    if not model.built or not found or not fits:
        raise TraceError(
            model.name,
            "the shapes of its inputs are not known: call it once, and give rows for "
            + ", ".join(wanted if given.keys() < set(wanted) else found or parameters),
        )
    return given, {**found, **shapes}


def _named(given: Any, path: tuple[Any, ...], name_of: Any) -> Any:
    """Map a structure of shapes to one of ``name_of(path, shape)``."""
    if isinstance(given, dict):
        return {key: _named(each, (*path, key), name_of) for key, each in given.items()}
    if not given or given[0] is None or isinstance(given[0], int):
        return name_of(path, tuple(given))
    return type(given)(_named(each, (*path, at), name_of) for at, each in enumerate(given))


def _built_shapes(model: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the shapes that Keras stored at the first call; Keras renames a single argument."""
    noted = getattr(model, "_build_shapes_dict", None) or {}
    names = {name.removesuffix("_shape"): shape for name, shape in noted.items()}
    if len(names) == 1 and not names.keys() <= parameters.keys():
        names = {next(iter(parameters)): shape for shape in names.values()}
    return names


def input_names(model: Any, function: Any) -> list[str]:
    """Return the names of a model's inputs, in Keras' flattening order."""
    struct = getattr(model, "_inputs_struct", None)
    if not isinstance(struct, dict):
        return [each.name for each in function.inputs]
    return flat_names(struct)


def output_names(model: Any) -> list[str]:
    """Return the names of a model's outputs, in Keras' flattening order."""
    if isinstance(model, keras.Sequential):
        return [model.layers[-1].name]
    struct = getattr(model, "_outputs_struct", None)
    return flat_names(struct) if isinstance(struct, dict) else list(model.output_names)


def result_names(outputs: Any) -> list[str]:
    """Return the names of a subclassed model's outputs, in Keras' flattening order."""
    if isinstance(outputs, dict):
        return flat_names(outputs)
    count = len(tree.flatten(outputs))
    return ["output"] if count == 1 else [f"output_{place}" for place in range(count)]


def public_names(inputs: Iterable[str], outputs: Iterable[str]) -> list[str]:
    """Return the names of a graph's outputs, distinct from the names of its inputs."""
    names = Names(inputs)
    return [names.fresh(each) for each in outputs]


def flat_names(struct: Mapping[str, Any]) -> list[str]:
    """Return a name for each tensor of a nested dict: its path of keys and indices."""
    return ["_".join(map(str, path)) for path, _ in tree.flatten_with_path(struct)]


def own_order(struct: Any, names: Sequence[str]) -> list[str]:
    """Return the names of a flattened structure in the model's own order; Keras' flattening sorts
    the keys of dicts."""
    if not isinstance(struct, dict):
        return list(names)
    places = tree.pack_sequence_as(struct, list(range(len(names))))

    def listed(given: Any) -> list[int]:
        if isinstance(given, dict):
            return [place for each in given.values() for place in listed(each)]
        if isinstance(given, list | tuple):
            return [place for each in given for place in listed(each)]
        return [given]

    return [names[place] for place in listed(places)]
