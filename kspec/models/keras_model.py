"""Document → keras.Model, and the values its variables start from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from kspec.compiler.ir import Array, Graph, Origin, Shape, Value
from kspec.compiler.trace import trace
from kspec.features.kinds import input_kind
from kspec.models.steps import graph_steps, layer_name, prepared
from kspec.schemas.features import Input
from kspec.schemas.layers import LAYERS, Layer
from kspec.schemas.layers.base import Part, show
from kspec.spec.diagnostics import KspecError
from kspec.spec.document import Document, ResolvedStep
from kspec.spec.extensions import keras_class, unusable

SCATTERED = 0.9
"""The share of different elements that tells an array drawn at random: in float32 a large one has
some equal elements."""
ENOUGH = 65_536
"""Elements that tell how an array was drawn."""


def build_model(document: Document, *, seed: int = 0) -> keras.Model:
    """The Functional model of a spec, built, with fresh weights.

    Inputs and outputs are dicts by the spec's names; layers are named as the steps are, with a dot
    for the slash that Keras refuses. Rescaling and normalisation of inputs are layers too, named
    ``<input>.rescale`` and ``<input>.normalize``; what adapts starts from mean 0 and variance 1.
    """
    keras.utils.set_random_seed(seed)
    spec = document.spec
    inputs = {name: _input(name, each) for name, each in spec.inputs.items()}
    values = {name: prepared(name, spec.inputs[name], inputs[name]) for name in inputs}
    made: dict[str, keras.Layer] = {}
    for step in document.steps:
        if step.shared is None:
            made[step.name] = make_layer(step.layer, keras_name(step.name))
        layer = made[step.shared or step.name]
        given = [values[name] for name in step.inputs]
        values[step.name] = call_layer(layer, step.layer, given)
        if step.layer.key not in LAYERS:
            _check_promise(step, given, values[step.name])
    outputs = {name: values[name] for name in spec.outputs}
    return keras.Model(inputs, outputs, name=keras_name(spec.name))


def _check_promise(step: ResolvedStep, given: Sequence[Any], found: Any) -> None:
    """What a layer of others makes has the shape that it said."""
    said = step.layer.output_shape(tuple(tuple(each.shape[1:]) for each in given))
    made = tuple(getattr(found, "shape", (None,))[1:])
    if said != made:
        why = f"it gives {show(made)}, its output_shape says {show(said)}"
        problem = unusable(f"the layer `{step.layer.key}`", why).diagnostics[0]
        raise KspecError(replace(problem, route=step.route))


def make_layer(layer: Part, name: str) -> keras.Layer:
    """The Keras layer of a spec's layer, or of a cell of one. What it wraps is named by its key,
    so that the paths of variables do not depend on what else was built."""
    parts = {field: _made(field, part) for field, part in layer.parts().items()}
    made: keras.Layer = _class_of(layer)(**layer.arguments(), **parts, name=name)
    return made


def _class_of(layer: Part) -> type[Any]:
    if ":" in layer.keras:
        return keras_class(type(layer))
    found: type[Any] = getattr(keras.layers, layer.keras)
    return found


def call_layer(made: keras.Layer, layer: Layer, inputs: Sequence[Any]) -> Any:
    """What the Keras layer of a spec's layer gives for its inputs, symbolic or not."""
    if layer.arity == 1 or layer.one_by_one:
        return made(*inputs, **layer.call_arguments())
    return made(list(inputs), **layer.call_arguments())


def _made(field: str, part: Part | tuple[Part, ...]) -> Any:
    if isinstance(part, tuple):
        return [make_layer(each, f"{each.key}_{place}") for place, each in enumerate(part)]
    return make_layer(part, f"backward_{part.key}" if field == "backward_layer" else part.key)


def trace_document(model: keras.Model, document: Document) -> Graph:
    """The graph of a model that was built from the document, each node with its line."""
    origins = {keras_name(step.name): Origin(step.name, step.route) for step in document.steps}
    spec = document.spec
    for name, item in spec.inputs.items():
        for step in graph_steps(item):
            origins[layer_name(name, step)] = Origin(name, ("inputs", name, step.step))
    shapes: dict[str, Shape] = {
        name: ("batch", *input_kind(each.kind).shape(each.kind))
        for name, each in spec.inputs.items()
    }
    graph = trace(model, name=spec.name, origins=origins, shapes=shapes)
    return replace(
        graph,
        inputs=_in_order(graph.inputs, spec.inputs),
        outputs=_in_order(graph.outputs, spec.outputs),
    )


def _in_order(values: Iterable[Value], names: Iterable[str]) -> tuple[Value, ...]:
    """The values in the spec's order; Keras sorts the keys of a dict."""
    found = {each.name: each for each in values}
    return tuple(found[name] for name in names)


def adaptive_layers(model: keras.Model) -> list[keras.layers.Normalization]:
    """The normalisations whose statistics are to be taken from data, in the order of the model."""
    return [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is None
    ]


def finalize(model: keras.Model) -> None:
    """Let normalisations take over their variables, after these were assigned from outside; those
    inside of other layers too."""
    for layer in model._flatten_layers():  # noqa: SLF001
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is None:
            layer.finalize_state()


def randomize(model: keras.Model, seed: int = 0) -> None:
    """Give every float variable values that no fault can hide behind: in biases, statistics and
    scales all elements differ, and none is 0 or 1. Kernels keep the values that their initialisers
    drew, so that activations stay in range, unless these are constant, an identity or the like."""
    for variable in model.variables:
        if not keras.backend.is_float_dtype(variable.dtype):
            continue
        digest = hashlib.sha256(f"{seed}/{variable.path}".encode()).digest()
        drawn = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:8], "little")))
        start = keras.ops.convert_to_numpy(variable)
        variable.assign(_random(variable.name, start, drawn).astype(start.dtype))
    finalize(model)


def settle(model: keras.Model, inputs: Any) -> bool:
    """Give every BatchNormalization statistics near those of what it is given for these rows. With
    others a signal dies away within fifty layers, and all outputs are the same. With just these
    its rounding grows instead, by √(π / (π - 1)) for each ReLU (Yang et al., 2019, A mean field
    theory of batch normalization): the variance is larger by the square of that and more.

    Returns whether the model has such a layer."""
    layers = model._flatten_layers()  # noqa: SLF001
    found = [each for each in layers if isinstance(each, keras.layers.BatchNormalization)]
    if not found:
        return False
    before = [(each.momentum, each.trainable) for each in found]
    for each in found:
        each.momentum, each.trainable = 0.0, True
    model(inputs, training=True)
    drawn = np.random.Generator(np.random.PCG64(0))
    for each, (momentum, trainable) in zip(found, before, strict=True):
        each.momentum, each.trainable = momentum, trainable
        for variable, low, high in (
            (each.moving_mean, 0.9, 1.1),
            (each.moving_variance, 1.5, 2.0),
        ):
            variable.assign(np.asarray(variable) * drawn.uniform(low, high, variable.shape))
    return True


def _random(name: str, start: Array, drawn: np.random.Generator) -> Array:
    """Float64 values for a variable that starts from these."""
    if "variance" in name or name in ("gamma", "scale"):
        return _distinct(drawn, start.shape, 0.5, 1.5)
    seen = start.reshape(-1)[:ENOUGH]
    if np.unique(seen).size >= SCATTERED * seen.size and not np.isin(seen, (0.0, 1.0)).any():
        return start
    signs = drawn.choice((-1.0, 1.0), start.shape)
    return start + signs * _distinct(drawn, start.shape, 0.02, 0.22)


def _distinct(drawn: np.random.Generator, shape: tuple[int, ...], low: float, high: float) -> Array:
    """Uniform values of which no two are equal: one in each of as many equal intervals."""
    size = int(np.prod(shape))
    places = drawn.permutation(size) + drawn.uniform(0.1, 0.9, size)
    values: Array = low + (high - low) * places.reshape(shape) / max(1, size)
    return values


def _input(name: str, given: Input) -> keras.KerasTensor:
    kind = input_kind(given.kind)
    shape = tuple(None if isinstance(dim, str) else dim for dim in kind.shape(given.kind))
    return keras.Input(shape, name=name, dtype=kind.dtype(given.kind))


def keras_name(name: str) -> str:
    """What the layer of a step is called, and the paths of its variables begin with."""
    return name.replace("/", ".")
