"""A Keras model → a spec that rebuilds it, and its weights."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import yaml
from keras import tree

from kspec import spec
from kspec.compiler.failures import NOT_TRACED, said
from kspec.compiler.ir import Array
from kspec.compiler.names import Names
from kspec.compiler.recorded import flat_names, input_names
from kspec.models.keras_file.arguments import layer_of
from kspec.models.keras_file.operations import layer_instead
from kspec.models.keras_file.refusal import refused
from kspec.models.keras_file.weights import is_random_state
from kspec.models.keras_model import build_model, finalize
from kspec.schemas.layers.base import Layer
from kspec.schemas.layers.core import Identity
from kspec.spec.blocks import USE
from kspec.spec.diagnostics import KspecError

INSTEAD = "`kspec emit` compiles the model without a spec"
LONGEST = 60
"""Maximum characters of a name."""
ROWS, STEPS = 3, 5
"""Number of rows, and size of symbolic dimensions, in the comparison of outputs."""
ORDER = ("query", "value", "key")
"""Inputs that a call may pass by name, in the order of a step's `from`."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the spec, and the Keras layer that it was made from (None for an added step)."""

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    made: keras.Layer | None
    again: str | None = None
    """The step whose layer is called again."""


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
    text = _render(_valid(name), inputs, sizes, recorder.steps)
    rebuilt = _rebuilt(text)
    weights = _weights(rebuilt, recorder.steps)
    assign_weights(rebuilt, weights)
    _check_answers(model, rebuilt, inputs, outputs)
    return text + footer, weights


def assign_weights(model: keras.Model, weights: Mapping[str, Array]) -> None:
    """Assign weights of `spec_from_model` to the variables of a model built by `build_model`."""
    for variable in model.variables:
        if not is_random_state(variable):
            variable.assign(weights[variable.path])
    finalize(model)


@dataclass(frozen=True, slots=True)
class Between:
    """The output of an operation of `keras.ops`: a mask, which the spec's layers compute
    themselves, or a value that a spec cannot express."""

    name: str
    kind: str


@dataclass(slots=True)
class Recorder:
    """Records the calls of a model as steps; tensors are represented by names of steps."""

    steps: list[Step] = field(default_factory=list)
    taken: Names = field(default_factory=Names)
    called: dict[int, Step] = field(default_factory=dict)
    """First step of each layer with weights."""

    def run(self, model: Any, inputs: list[str]) -> list[str]:
        """The names of the model's outputs."""
        function = keras.Function(model.inputs, model.outputs)
        results = function._run_through_graph(inputs, self.operation)  # noqa: SLF001
        return [self.named(each) for each in tree.flatten(results)]

    def operation(self, operation: keras.Operation) -> Any:
        """Return the function that replaces an operation during the traversal of the model."""

        def call(*args: Any, **kwargs: Any) -> Any:
            if not isinstance(operation, keras.Layer):
                return self.between(operation, args)
            if isinstance(operation, keras.Model):
                results = self.run(operation, [self.named(each) for each in tree.flatten(args)])
                return tree.pack_sequence_as(_structure(operation), results)
            return self.step(operation, args, kwargs)

        return call

    def between(self, operation: keras.Operation, args: tuple[Any, ...]) -> Any:
        """Return the step of a layer equivalent to the operation, or a placeholder if there is not
        one."""
        instead = layer_instead(operation, args)
        if instead is None:
            first = [each for each in tree.flatten(args) if isinstance(each, Between)][:1]
            (between,) = first or [Between(operation.name, type(operation).__name__)]
            return tree.map_structure(lambda _: between, operation.output)
        name = self.fresh(operation.name)
        self.steps.append(Step(name, *instead, None))
        return name

    def step(self, layer: keras.Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        given = {key: kwargs[key] for key in kwargs if key not in ("training", "mask")}
        inputs = [*tree.flatten(args), *(given.pop(key) for key in ORDER if key in given)]
        inputs = [self.named(each) for each in inputs if each is not None]
        call = {key: value for key, value in given.items() if value not in (None, False)}
        made = layer_of(layer, call)
        first = self.called.get(id(layer))
        if first is not None and first.layer != made:
            raise refused("KS738", f"layer {layer.name!r} is called in two ways", INSTEAD)
        name = self.fresh(layer.name)
        again = None if first is None else first.name
        step = Step(name, made, tuple(inputs), layer if first is None else None, again)
        self.steps.append(step)
        if layer.weights:
            self.called.setdefault(id(layer), step)
        return name

    def named(self, given: Any) -> str:
        """Return the step or input of a tensor; raises KspecError for values that a spec cannot
        name."""
        if isinstance(given, Between):
            message = f"{given.name!r} is an operation between layers, {given.kind}, and no layer's"
            raise refused("KS738", message, INSTEAD)
        if not isinstance(given, str) or given not in self.taken:
            raise refused("KS738", f"a layer is given {given!r:.60}, not a tensor", INSTEAD)
        return given

    def finish(self, outputs: Mapping[str, str], inputs: Mapping[str, Any]) -> list[str]:
        """Name the output steps after the outputs, without clashes with inputs; return the
        names."""
        free = Names(inputs)
        names = [free.fresh(_valid(each), LONGEST) for each in outputs]
        results = list(outputs.values())
        for place, name in enumerate(names):
            if results[place] == name:
                continue
            if name in self.taken:
                other = self.fresh(name)
                self.rename(name, other)
                results = [other if each == name else each for each in results]
            result = results[place]
            if result in inputs or results.count(result) > 1:
                self.taken.take(name)
                self.steps.append(Step(name, Identity(), (result,), None))
            else:
                self.rename(result, name)
                results[place] = name
        self.drop_unused(names)
        return names

    def drop_unused(self, outputs: Iterable[str]) -> None:
        """Remove steps that no output depends on, such as mask computations."""
        alive = set(outputs)
        for step in reversed(self.steps):
            if step.name in alive:
                alive.update(step.inputs if step.again is None else (*step.inputs, step.again))
        self.steps = [step for step in self.steps if step.name in alive]

    def rename(self, old: str, new: str) -> None:
        self.taken.take(new)
        self.steps = [
            replace(
                step,
                name=new if step.name == old else step.name,
                inputs=tuple(new if each == old else each for each in step.inputs),
                again=new if step.again == old else step.again,
            )
            for step in self.steps
        ]

    def fresh(self, name: str) -> str:
        return self.taken.fresh(_valid(name), LONGEST)


def _valid(name: str) -> str:
    """Convert a name to a valid name in a spec."""
    cleaned = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:LONGEST]
    return cleaned if re.match("[A-Za-z]", cleaned) else f"x{cleaned}"


def _structure(model: Any) -> Any:
    struct = getattr(model, "_outputs_struct", None)
    return model.outputs[0] if struct is None else struct


def _output_names(model: Any) -> list[str]:
    """Return the names of a model's outputs in Keras' flattened order: keys of a dict, or
    layers."""
    struct = getattr(model, "_outputs_struct", None)
    if isinstance(struct, dict):
        return flat_names(struct)
    names = Names()
    history = (tensor._keras_history for tensor in model.outputs)  # noqa: SLF001
    return [names.fresh(each.operation.name) for each in history]


def _render(
    name: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any], steps: list[Step]
) -> str:
    lines = ["kspec: 1", f"name: {name}", "", "inputs:"]
    for each, tensor in inputs.items():
        lines.append(f"  {each}: {_flow({'tensor': _tensor('input', each, tensor)})}")
    lines.append("outputs:")
    for each, tensor in outputs.items():
        lines.append(f"  {each}: {_flow(_output(each, tensor))}")
    lines += ["", "network:"]
    before = next(iter(inputs)) if len(inputs) == 1 else None
    for step in steps:
        lines.append(f"  - {_written(step)}")
        lines.append(f"    name: {step.name}")
        if step.inputs != (before,):
            given = step.inputs[0] if len(step.inputs) == 1 else list(step.inputs)
            lines.append(f"    from: {_flow(given)}")
        before = step.name
    return "\n".join(lines) + "\n"


def _written(step: Step) -> str:
    """Return the layer's key with its arguments."""
    if step.again is not None:
        return f"{USE}: {step.again}"
    written = step.layer.written()
    body = _flow(written[step.layer.key]) if isinstance(written, dict) else ""
    return f"{step.layer.key}: {body}".rstrip()


def _output(name: str, tensor: Any) -> dict[str, Any]:
    if tensor.dtype == "float32" and len(tensor.shape) == 2 and tensor.shape[-1] is not None:
        return {"number": {"size": tensor.shape[-1]}}
    return {"tensor": _tensor("output", name, tensor)}


def _tensor(what: str, name: str, tensor: Any) -> dict[str, Any]:
    shape = [
        size if size is not None else f"{name[:50]}_{axis}"
        for axis, size in enumerate(tensor.shape[1:], start=1)
    ]
    if tensor.dtype not in ("float32", "int32") or not shape:
        raise refused("KS738", f"the {what} {name!r} is {tensor.dtype} of {shape}", INSTEAD)
    return {"shape": shape} | ({"dtype": "int32"} if tensor.dtype == "int32" else {})


def _flow(value: Any) -> str:
    """Format a value on one line."""
    plain = _lists(value)
    text = yaml.safe_dump(plain, default_flow_style=True, sort_keys=False, width=float("inf"))
    return text.removesuffix("...\n").strip()


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lists(each) for key, each in value.items()}
    return [_lists(each) for each in value] if isinstance(value, list | tuple) else value


def _rebuilt(text: str) -> keras.Model:
    """Build the model of a spec. Raises KspecError KS738 if the spec is invalid."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.yaml")
        path.write_text(text, encoding="utf-8")
        try:
            return build_model(spec.load(path))
        except KspecError as error:
            why = error.diagnostics[0].message
            raise refused("KS738", f"a spec cannot say this model: {why}", INSTEAD) from error


def _check_answers(
    model: keras.Model, rebuilt: keras.Model, inputs: Mapping[str, Any], outputs: list[str]
) -> None:
    """Compare both models on random rows: the spec does not contain, for example, an explicit mask
    argument. ``outputs`` are the spec's names of the model's outputs in order."""
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
            raise refused("KS738", f"the spec would give other answers at {name!r}", INSTEAD)


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
