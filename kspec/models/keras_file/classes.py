"""The closed lists of what a `.keras` file may name: (module, class) → the class."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import Any, get_args

import keras

from kspec.compiler.rules import RULES
from kspec.models.keras_file.configuration import Json, member
from kspec.models.keras_file.refusal import refused
from kspec.schemas.activations import Activation
from kspec.schemas.keras_objects import KerasObject
from kspec.schemas.layers import DECIDED_OUT, catalogue
from kspec.schemas.layers.recurrent import CELLS
from kspec.schemas.weights import CONSTRAINTS, INITIALIZERS, REGULARIZERS

Key = tuple[str, str]

ACTIVATIONS = frozenset(get_args(Activation))
FUNCTIONAL, SEQUENTIAL = ("Functional", "Model"), ("Sequential",)
OPS = "keras.src.ops."
CODE = "compile the model in Python, where the class is: `kspec.compile_keras(model)`"


APPLICATIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"convnext": ("LayerScale", "StochasticDepth"), "inception_resnet_v2": ("CustomScaleLayer",)}
)
"""The layers that networks of `keras.applications` define for themselves, by their modules."""


@cache
def layers() -> Mapping[Key, type[Any]]:
    """Layers and cells of the catalogue, inputs, tables of whole numbers, and the own layers of
    `keras.applications`."""
    made = {getattr(keras.layers, cls.keras) for cls in (*catalogue(), *CELLS)}
    made |= {keras.layers.InputLayer, keras.layers.IntegerLookup}
    found = _exported(keras.layers, "keras.layers", made)
    for module, names in APPLICATIONS.items():
        owner = import_module(f"keras.src.applications.{module}")
        found |= {(owner.__name__, name): getattr(owner, name) for name in names}
    return MappingProxyType(found)


def _exported(module: ModuleType, public: str, made: Collection[type[Any]]) -> dict[Key, type[Any]]:
    """Classes by the names that a module of Keras has for them. Some have several, and versions of
    Keras write different ones, such as `Orthogonal` and `OrthogonalInitializer`."""
    named = {(public, each.__name__): each for each in made}
    aliases = {
        (public, name): each
        for name, each in vars(module).items()
        if isinstance(each, type) and each in made
    }
    return named | aliases


@cache
def operations() -> Mapping[Key, type[Any]]:
    """The operations of `keras.ops` that the compiler knows."""
    known = (each for each in RULES if each.__module__.startswith(OPS))
    return MappingProxyType({(each.__module__, each.__name__): each for each in known})


@cache
def objects() -> Mapping[Key, type[Any]]:
    """Initializers, regularizers and constraints."""
    tables: tuple[tuple[str, Collection[type[KerasObject]]], ...] = (
        ("initializers", INITIALIZERS),
        ("regularizers", REGULARIZERS),
        ("constraints", CONSTRAINTS),
    )
    found: dict[Key, type[Any]] = {}
    for name, written in tables:
        module = getattr(keras, name)
        made = {getattr(module, cls.keras) for cls in written}
        found |= _exported(module, f"keras.{name}", made)
    return MappingProxyType(found)


def key_of(given: Json, where: str) -> Key:
    """Module and class that an object names; a registered name must be the class's own."""
    name = member(given, "class_name", str, where)
    module, registered = given.get("module"), given.get("registered_name")
    if (module is None and registered is not None) or registered not in (None, name):
        config = given.get("config")
        called = config.get("name") if isinstance(config, dict) else None
        layer = f"{where}, {called[:80]}" if isinstance(called, str) else where
        raise refused(
            "KS732",
            f"{layer} is of the class {name[:80]}, registered as {str(registered)[:80]!r}, whose "
            "code is not in the file",
            CODE,
        )
    return member(given, "module", str, where), name


def find(table: Mapping[Key, type[Any]], key: Key, where: str) -> type[Any]:
    """The class of a closed list; raises KspecError KS732."""
    if key in table:
        return table[key]
    module, name = key
    of_keras = module.partition(".")[0] == "keras"
    reason = DECIDED_OUT.get(name) if of_keras else None
    shown = f"{module[:80]}.{name[:80]}"
    own = None if of_keras else CODE
    raise refused("KS732", f"{where} is {shown}: {reason or 'not a class that is read'}", own)
