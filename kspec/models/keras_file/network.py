"""Configuration → keras.Model, without values in its variables.

Layers are created from closed lists and called as the configuration says, inside a stateless scope
in which variables are shapes only: nothing of a declared size is allocated.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras
from keras import tree
from keras.src.backend.common import global_state

from kspec.compiler.rules.cells import STATEFUL, STATELESS
from kspec.models.keras_file import classes
from kspec.models.keras_file.bounds import (
    MOST_STEPS,
    NotYetError,
    bounded,
    check_input,
    check_outputs,
    check_vocabulary,
    made,
    named,
)
from kspec.models.keras_file.configuration import Json, check_plain, member
from kspec.models.keras_file.dtypes import element_type
from kspec.models.keras_file.refusal import refused

DECLARED = "begin the model with `keras.Input`, or call it once, and save it again"
MERGED = ("lora_rank", "lora_alpha")
"""Arguments of LoRA, whose weights a file contains as a part of the kernels."""
PARTS = ("layer", "backward_layer", "cell")


@contextmanager
def unallocated() -> Iterator[list[Any]]:
    """Create variables as shapes only; the weights' reader assigns their values later. Yields a
    list that contains the variables once the scope is left."""
    kept = list(global_state.get_global_attribute("uninitialized_variables") or [])
    made: list[Any] = []
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield made
        waiting = global_state.get_global_attribute("uninitialized_variables") or []
        made.extend(waiting[len(kept) :])
    finally:
        global_state.set_global_attribute("uninitialized_variables", kept)


def build(given: Json, where: str = "the model") -> Any:
    """Build the Functional or Sequential model of a configuration."""
    module, name = classes.key_of(given, where)
    if not (module == "keras" or module.startswith("keras.src.models.")):
        raise refused("KS732", f"{where} is {module[:80]}.{name[:80]}, a class of its own")
    config = member(given, "config", dict, where)
    if name in classes.FUNCTIONAL and "input_layers" in config:
        return Graph(where).build(config)
    if name in classes.SEQUENTIAL:
        return _sequential(config, where)
    help_ = "write it as a Functional model around its layers"
    raise refused("KS732", f"{where} is of the class {name[:80]}, whose code is not here", help_)


def _sequential(config: Json, where: str) -> keras.Sequential:
    model = keras.Sequential(name=_name(config, where))
    for given in bounded(member(config, "layers", list, where), where):
        layer = make(given, where)
        with named(f"{where}, {layer.name}"):
            model.add(layer)
    shape = config.get("build_input_shape")
    if not model.built and isinstance(shape, list):
        check_plain(shape, where, "build_input_shape")
        check_input(shape, where)
        with named(where):
            model.build(tuple(shape))
    if not model.built:
        raise refused("KS737", f"{where} does not declare its inputs", DECLARED)
    for layer in model.layers:
        check_outputs(layer.output, f"{where}, {layer.name}")
    return model


def make(given: Json, where: str) -> Any:
    """Create a layer, an operation or a nested model."""
    key = classes.key_of(given, where)
    config = member(given, "config", dict, where)
    where = f"{where}, {str(config.get('name', key[1]))[:80]}"
    if key[1] in (*classes.FUNCTIONAL, *classes.SEQUENTIAL):
        return build(given, where)
    if key[0].startswith(classes.OPS):
        cls = classes.find(classes.operations(), key, where)
        check_plain(config, where)
        return made(lambda: cls.from_config(dict(config)), where)
    cls = classes.find(classes.layers(), key, where)
    arguments = {
        name: _argument(name, value, where) for name, value in config.items() if name not in MERGED
    }
    if cls is keras.layers.IntegerLookup:
        check_vocabulary(arguments, where)
    if cls is keras.layers.InputLayer:
        check_input(arguments.get("batch_shape"), where)
    if arguments.get("stateful"):
        raise refused("KS733", f"{where}: {STATEFUL}", STATELESS)
    if arguments.keys() & {*PARTS, "cells"}:
        return made(lambda: cls(**arguments), where)
    return made(lambda: cls.from_config(arguments), where)


def _argument(name: str, value: Json, where: str) -> Any:
    """Return an argument of a layer: plain data, or an object of a closed list."""
    if name == "dtype":
        return element_type(value, where)
    if name in PARTS and value is not None:
        return make(value, where)
    if name == "cells":
        return [make(each, where) for each in member({name: value}, name, list, where)]
    if name.endswith("activation") and value is not None:
        return _activation(value, where)
    if isinstance(value, dict) and "class_name" in value:
        cls = classes.find(classes.objects(), classes.key_of(value, where), f"{where}: {name}")
        config = member(value, "config", dict, where)
        check_plain(config, where, name)
        return made(lambda: cls(**config), where)
    check_plain(value, where, name)
    return value


def _activation(value: Json, where: str) -> Any:
    """Return an activation given by name, as a Keras function (in older files), or as a layer."""
    if isinstance(value, dict) and value.get("class_name") == "function":
        value = value.get("config")
    if isinstance(value, dict):
        return make(value, f"{where}: activation")
    if value not in classes.ACTIVATIONS:
        raise refused("KS732", f"{where}: unknown activation {str(value)[:80]!r}")
    return value


@dataclass(slots=True)
class Graph:
    """A Functional model under construction."""

    where: str
    layers: dict[str, Any] = field(default_factory=dict)
    results: dict[str, list[list[Any]]] = field(default_factory=dict)
    """The tensors of each call of a layer, by the layer's name in the configuration."""

    def build(self, config: Json) -> keras.Model:
        waiting: dict[str, list[Json]] = {}
        for given in bounded(member(config, "layers", list, self.where), self.where):
            name = member(given, "name", str, self.where)
            if name in self.layers:
                raise refused("KS731", f"{self.where} has two layers {name[:80]!r}")
            self.layers[name] = layer = make(given, self.where)
            self.results[name] = []
            if isinstance(layer, keras.layers.InputLayer):
                self.results[name].append([layer.output])
            waiting[name] = list(member(given, "inbound_nodes", list, self.where))
        while any(waiting.values()):
            if not [name for name, nodes in waiting.items() if self.advance(name, nodes)]:
                raise refused("KS731", f"{self.where} has calls that wait for each other")
        inputs = self.tensors(config.get("input_layers"))
        outputs = self.tensors(config.get("output_layers"))
        return made(
            lambda: keras.Model(inputs, outputs, name=_name(config, self.where)), self.where
        )

    def advance(self, name: str, nodes: list[Json]) -> bool:
        """Make the calls of a layer whose inputs are available."""
        done = 0
        for node in nodes:
            try:
                args = self.revived(member(node, "args", list, self.where), name)
                kwargs = self.revived(member(node, "kwargs", dict, self.where), name)
            except NotYetError:
                break
            self.call(name, args, kwargs)
            done += 1
        del nodes[:done]
        return done > 0

    def call(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> None:
        layer, where = self.layers[name], f"{self.where}, {name[:80]}"
        for tensor in tree.flatten(args):
            if (
                getattr(layer, "unroll", False)
                and isinstance(tensor, keras.KerasTensor)
                and (tensor.shape[1] or 0) > MOST_STEPS
            ):
                raise refused("KS734", f"{where} unrolls {tensor.shape[1]} steps")
        result = made(lambda: layer(*args, **kwargs), where)
        check_outputs(result, where)
        self.results[name].append(tree.flatten(result))

    def revived(self, value: Json, name: str) -> Any:
        """Return the arguments of a call: existing tensors, slices, plain data."""
        if isinstance(value, list):
            return [self.revived(each, name) for each in value]
        if not isinstance(value, dict):
            check_plain(value, f"{self.where}, {name[:80]}")
            return value
        if "class_name" not in value:
            return {key: self.revived(each, name) for key, each in value.items()}
        config = member(value, "config", dict, self.where)
        match value["class_name"]:
            case "__keras_tensor__":
                return self.tensor(config.get("keras_history"))
            case "__slice__":
                check_plain(config, self.where)
                return slice(config.get("start"), config.get("stop"), config.get("step"))
            case "__ellipsis__":
                return ...
        shown = str(value["class_name"])[:80]
        raise refused("KS732", f"{self.where}, {name[:80]} is called with a Python object, {shown}")

    def tensor(self, history: Json, *, output: bool = False) -> Any:
        match history:
            case [str(name), int(call), int(place)] if name in self.layers:
                if output and type(self.layers[name]) is not keras.Sequential:
                    # Keras counts a model's own graph as its first call.
                    call -= isinstance(self.layers[name], keras.Model)
                calls = self.results[name]
                if call >= len(calls):
                    raise NotYetError
                if -len(calls) <= call and 0 <= place < len(calls[call]):
                    return calls[call][place]
        raise refused("KS731", f"{self.where} names an unknown tensor: {history!r:.80}")

    def tensors(self, given: Json) -> Any:
        """Return inputs or outputs in their structure."""
        try:
            match given:
                case [str(), int(), int()]:
                    return self.tensor(given, output=True)
                case list():
                    return [self.tensors(each) for each in given]
                case dict():
                    return {name: self.tensors(each) for name, each in given.items()}
        except NotYetError:
            pass
        raise refused("KS731", f"{self.where} has inputs or outputs that are not there")


def _name(config: Json, where: str) -> str | None:
    name = config.get("name")
    check_plain(name, where, "name")
    return name if isinstance(name, str) else None
