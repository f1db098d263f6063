"""The calls of a Keras model as steps of a spec."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import keras
from keras import tree
from keras.src.backend.common.masking import get_keras_mask

from kspec.compiler.names import Names
from kspec.models.keras_file.arguments import layer_of
from kspec.models.keras_file.operations import layer_instead
from kspec.models.keras_file.refusal import refused
from kspec.schemas.layers.base import Layer
from kspec.schemas.layers.core import Identity

LONGEST = 60
"""Maximum characters of a name."""
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
    doubts: list[str] = field(default_factory=list)
    """Calls whose masks a spec may treat in another way."""

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
        if _is_masked(operation):
            self.doubts.append(
                f"{operation.name!r}, an operation between layers, drops the mask of its input, "
                f"and the layer `{instead[0].key}` of a spec may pass it on"
            )
        name = self.fresh(operation.name)
        self.steps.append(Step(name, *instead, None))
        return name

    def step(self, layer: keras.Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        given = {key: kwargs[key] for key in kwargs if key not in ("training", "mask")}
        inputs = [*tree.flatten(args), *(given.pop(key) for key in ORDER if key in given)]
        inputs = [self.named(each) for each in inputs if each is not None]
        if _has_own_mask(layer):
            self.doubts.append(
                f"layer {layer.name!r} is called with a mask, and a layer of a spec takes the mask "
                "of its input"
            )
        call = {key: value for key, value in given.items() if value not in (None, False)}
        made = layer_of(layer, call)
        first = self.called.get(id(layer))
        if first is not None and first.layer != made:
            raise refused("KS738", f"layer {layer.name!r} is called in two ways")
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
            raise refused("KS738", message)
        if not isinstance(given, str) or given not in self.taken:
            raise refused("KS738", f"a layer is given {given!r:.60}, not a tensor")
        return given

    def finish(self, outputs: Mapping[str, str], inputs: Mapping[str, Any]) -> list[str]:
        """Name the output steps after the outputs, without clashes with inputs; return the
        names."""
        free = Names(inputs)
        names = [free.fresh(valid_name(each), LONGEST) for each in outputs]
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
        return self.taken.fresh(valid_name(name), LONGEST)


def _is_masked(operation: keras.Operation) -> bool:
    """Whether an input of an operation carries a mask."""
    nodes = operation._inbound_nodes  # noqa: SLF001
    return any(get_keras_mask(each) is not None for node in nodes for each in node.input_tensors)


def _has_own_mask(layer: keras.Layer) -> bool:
    """Whether a call of a layer passes another mask than the one that its input carries."""
    for node in layer._inbound_nodes:  # noqa: SLF001
        mask = node.arguments.kwargs.get("mask")
        first = tree.flatten(node.arguments.args)[:1]
        passed = isinstance(mask, keras.KerasTensor)
        if passed and all(get_keras_mask(each) is not mask for each in first):
            return True
    return False


def valid_name(name: str) -> str:
    """Convert a name to a valid name in a spec."""
    cleaned = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:LONGEST]
    return cleaned if re.match("[A-Za-z]", cleaned) else f"x{cleaned}"


def _structure(model: Any) -> Any:
    struct = getattr(model, "_outputs_struct", None)
    return model.outputs[0] if struct is None else struct
