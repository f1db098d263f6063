"""Document → keras.Model, and the initial values of its variables."""

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
"""Share of distinct elements above which an array counts as random: a large float32 array contains
some equal elements."""
ENOUGH = 65_536
"""Number of elements that are inspected to classify an array."""


def build_model(document: Document, *, seed: int = 0) -> keras.Model:
    """Build the Functional model of a spec, with fresh weights.

    Inputs and outputs are dicts keyed by the spec's names. Layers have the names of their steps,
    with a dot in place of the slash, which Keras refuses. Rescaling and normalisation of inputs are
    layers named ``<input>.rescale`` and ``<input>.normalize``; normalisations that adapt start from
    mean 0 and variance 1.
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
    """Check that a third-party layer returns the shape that it declares."""
    said = step.layer.output_shape(tuple(tuple(each.shape[1:]) for each in given))
    made = tuple(getattr(found, "shape", (None,))[1:])
    if said != made:
        why = f"it gives {show(made)}, its output_shape says {show(said)}"
        problem = unusable(f"the layer `{step.layer.key}`", why).diagnostics[0]
        raise KspecError(replace(problem, route=step.route))


def make_layer(layer: Part, name: str) -> keras.Layer:
    """Create the Keras layer of a spec's layer or cell. Wrapped layers are named by their keys, so
    that the paths of variables do not depend on other layers in the process."""
    parts = {field: _made(field, part) for field, part in layer.parts().items()}
    made: keras.Layer = _class_of(layer)(**layer.arguments(), **parts, name=name)
    return made


def _class_of(layer: Part) -> type[Any]:
    if ":" in layer.keras:
        return keras_class(type(layer))
    found: type[Any] = getattr(keras.layers, layer.keras)
    return found


def call_layer(made: keras.Layer, layer: Layer, inputs: Sequence[Any]) -> Any:
    """Call the Keras layer of a spec's layer on its inputs, symbolic tensors or arrays."""
    if layer.arity == 1 or layer.one_by_one:
        return made(*inputs, **layer.call_arguments())
    return made(list(inputs), **layer.call_arguments())


def _made(field: str, part: Part | tuple[Part, ...]) -> Any:
    if isinstance(part, tuple):
        return [make_layer(each, f"{each.key}_{place}") for place, each in enumerate(part)]
    return make_layer(part, f"backward_{part.key}" if field == "backward_layer" else part.key)


def trace_document(model: keras.Model, document: Document) -> Graph:
    """Return the graph of a model built from the document, with the line of each node in the
    spec."""
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
    """Return the values in the spec's order; Keras sorts the keys of a dict."""
    found = {each.name: each for each in values}
    return tuple(found[name] for name in names)


def adaptive_layers(model: keras.Model) -> list[keras.layers.Normalization]:
    """Return the normalisations that compute their statistics from data, in the order of the
    model."""
    return [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is None
    ]


def finalize(model: keras.Model) -> None:
    """Update normalisations, nested ones too, after their variables were assigned from outside."""
    for layer in model._flatten_layers():  # noqa: SLF001
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is None:
            layer.finalize_state()


def randomize(model: keras.Model, seed: int = 0) -> None:
    """Give every float variable values that expose faults: all elements of biases, statistics and
    scales differ, and none is 0 or 1. Kernels keep random initial values, so that activations stay
    in range; constant, identity and similar kernels are replaced."""
    for variable in model.variables:
        if not keras.backend.is_float_dtype(variable.dtype):
            continue
        digest = hashlib.sha256(f"{seed}/{variable.path}".encode()).digest()
        drawn = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:8], "little")))
        start = keras.ops.convert_to_numpy(variable)
        variable.assign(_random(variable.name, start, drawn).astype(start.dtype))
    finalize(model)


def settle(model: keras.Model, inputs: Any) -> bool:
    """Give every BatchNormalization statistics near the statistics of its inputs for these rows.

    With arbitrary statistics a signal vanishes within fifty layers, and all outputs are equal. With
    the exact statistics its rounding error grows by √(π / (π - 1)) per ReLU (Yang et al., 2019, A
    mean field theory of batch normalization); therefore the variance is larger by at least the
    square of this factor. Returns whether the model has such a layer.
    """
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
    """Return float64 values for a variable with these initial values."""
    if "variance" in name or name in ("gamma", "scale"):
        return _distinct(drawn, start.shape, 0.5, 1.5)
    seen = start.reshape(-1)[:ENOUGH]
    if np.unique(seen).size >= SCATTERED * seen.size and not np.isin(seen, (0.0, 1.0)).any():
        return start
    signs = drawn.choice((-1.0, 1.0), start.shape)
    return start + signs * _distinct(drawn, start.shape, 0.02, 0.22)


def _distinct(drawn: np.random.Generator, shape: tuple[int, ...], low: float, high: float) -> Array:
    """Draw distinct uniform values: one in each of `count` equal intervals."""
    size = int(np.prod(shape))
    places = drawn.permutation(size) + drawn.uniform(0.1, 0.9, size)
    values: Array = low + (high - low) * places.reshape(shape) / max(1, size)
    return values


def _input(name: str, given: Input) -> keras.KerasTensor:
    kind = input_kind(given.kind)
    shape = tuple(None if isinstance(dim, str) else dim for dim in kind.shape(given.kind))
    return keras.Input(shape, name=name, dtype=kind.dtype(given.kind))


def keras_name(name: str) -> str:
    """Return the name of a step's layer, with which the paths of its variables begin."""
    return name.replace("/", ".")
