"""A Keras model → a spec that rebuilds it, and its weights."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import tree

from kspec import spec
from kspec.compiler.failures import NOT_TRACED, said
from kspec.compiler.ir import Array
from kspec.compiler.names import Names
from kspec.compiler.recorded import flat_names, input_names
from kspec.models.keras_file.recorder import Recorder, Step, valid_name
from kspec.models.keras_file.refusal import refused
from kspec.models.keras_file.weights import is_random_state
from kspec.models.keras_file.writing import render
from kspec.models.keras_model import build_model, finalize
from kspec.spec.diagnostics import KspecError

ROWS, STEPS = 3, 5
"""Number of rows, and size of symbolic dimensions, in the comparison of outputs."""


def spec_from_model(
    model: keras.Model, name: str, footer: str = ""
) -> tuple[str, dict[str, Array]]:
    """Return the YAML of a spec that rebuilds the network, and the weights by the paths of the
    variables in the model that `build_model` builds from it. ``footer`` is further YAML, appended
    below the network.

    Inputs become tensors, outputs numbers or tensors: the model does not contain their meaning.
    Nested models are expanded, and operations between layers become layers. Raises KspecError KS738
    for models that a spec cannot express: layers outside the catalogue, operations without an
    equivalent layer, layers with several outputs, and any other cause of different outputs.
    """
    recorder = Recorder()
    pairs = zip(input_names(model, model), model.inputs, strict=True)
    inputs = {recorder.fresh(name): tensor for name, tensor in pairs}
    results = recorder.run(model, list(inputs))
    outputs = recorder.finish(dict(zip(_output_names(model), results, strict=True)), inputs)
    sizes = dict(zip(outputs, model.outputs, strict=True))
    text = render(valid_name(name), inputs, sizes, recorder.steps)
    rebuilt = _rebuilt(text)
    weights = _weights(rebuilt, recorder.steps)
    assign_weights(rebuilt, weights)
    _check_answers(model, rebuilt, inputs, outputs, recorder.doubts)
    return text + footer, weights


def assign_weights(model: keras.Model, weights: Mapping[str, Array]) -> None:
    """Assign weights of `spec_from_model` to the variables of a model built by `build_model`."""
    for variable in model.variables:
        if not is_random_state(variable):
            variable.assign(weights[variable.path])
    finalize(model)


def _output_names(model: Any) -> list[str]:
    """Return the names of a model's outputs in Keras' flattened order: keys of a dict, or
    layers."""
    struct = getattr(model, "_outputs_struct", None)
    if isinstance(struct, dict):
        return flat_names(struct)
    names = Names()
    history = (tensor._keras_history for tensor in model.outputs)  # noqa: SLF001
    return [names.fresh(each.operation.name) for each in history]


def _rebuilt(text: str) -> keras.Model:
    """Build the model of a spec. Raises KspecError KS738 if the spec is invalid."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.yaml")
        path.write_text(text, encoding="utf-8")
        try:
            return build_model(spec.load(path))
        except KspecError as error:
            why = error.diagnostics[0].message
            raise refused("KS738", f"a spec cannot say this model: {why}") from error


def _check_answers(
    model: keras.Model,
    rebuilt: keras.Model,
    inputs: Mapping[str, Any],
    outputs: list[str],
    doubts: Sequence[str],
) -> None:
    """Compare both models on random rows: a spec does not contain, for example, an explicit mask
    argument. ``outputs`` are the spec's names of the model's outputs in order; ``doubts`` are
    likely causes of a difference."""
    drawn = np.random.Generator(np.random.PCG64(0))
    rows: dict[str, Array] = {}
    for name, tensor in inputs.items():
        shape = [ROWS, *(STEPS if size is None else size for size in tensor.shape[1:])]
        normal = drawn.normal(size=shape)
        rows[name] = (normal if tensor.dtype == "float32" else normal > 0).astype(tensor.dtype)
    struct = getattr(model, "_inputs_struct", None)
    values = list(rows.values())
    given = values[0] if struct is None else tree.pack_sequence_as(struct, values)
    try:
        expected = tree.flatten(model(given, training=False))
    except NOT_TRACED as error:
        raise refused("KS741", f"Keras fails when it calls the model: {said(error)}") from error
    found = rebuilt(rows, training=False)
    for name, one in zip(outputs, expected, strict=True):
        other = found[name]
        if one.shape != other.shape or not np.allclose(one, other, rtol=1e-4, atol=1e-5):
            cause = "".join(f": {each}" for each in doubts[:1])
            raise refused("KS738", f"a spec would have other results at output {name!r}{cause}")


def _weights(rebuilt: keras.Model, steps: list[Step]) -> dict[str, Array]:
    """Return the weights by their paths in the spec's model."""
    found: dict[str, Array] = {}
    for step in steps:
        if step.made is None:
            continue
        old = [each for each in step.made.variables if not is_random_state(each)]
        new = [each for each in rebuilt.get_layer(step.name).variables if not is_random_state(each)]
        if [tuple(each.shape) for each in old] != [tuple(each.shape) for each in new]:
            raise refused("KS738", f"layer {step.made.name!r} has weights of another shape")
        found |= {to.path: np.asarray(was) for was, to in zip(old, new, strict=True)}
    return found
