"""The closed lists of classes that a `.keras` file may name: (module, class) → the class."""

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
CATALOGUE = "replace it with layers of the catalogue (docs/spec.md) or functions of keras.ops"


APPLICATIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"convnext": ("LayerScale", "StochasticDepth"), "inception_resnet_v2": ("CustomScaleLayer",)}
)
"""Layers that `keras.applications` defines for its networks, by module."""


@cache
def layers() -> Mapping[Key, type[Any]]:
    """Return layers and cells of the catalogue, inputs, tables of whole numbers, and the layers of
    `keras.applications`."""
    made = {getattr(keras.layers, cls.keras) for cls in (*catalogue(), *CELLS)}
    made |= {keras.layers.InputLayer, keras.layers.IntegerLookup}
    found = _exported(keras.layers, "keras.layers", made)
    for module, names in APPLICATIONS.items():
        owner = import_module(f"keras.src.applications.{module}")
        found |= {(owner.__name__, name): getattr(owner, name) for name in names}
    return MappingProxyType(found)


def _exported(module: ModuleType, public: str, made: Collection[type[Any]]) -> dict[Key, type[Any]]:
    """Return classes by all their names in a Keras module. Versions of Keras write different names
    for a class, such as `Orthogonal` and `OrthogonalInitializer`."""
    named = {(public, each.__name__): each for each in made}
    aliases = {
        (public, name): each
        for name, each in vars(module).items()
        if isinstance(each, type) and each in made
    }
    return named | aliases


@cache
def operations() -> Mapping[Key, type[Any]]:
    """Return the operations of `keras.ops` that the compiler supports."""
    known = (each for each in RULES if each.__module__.startswith(OPS))
    return MappingProxyType({(each.__module__, each.__name__): each for each in known})


@cache
def objects() -> Mapping[Key, type[Any]]:
    """Return initializers, regularizers and constraints."""
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
    """Return the module and class that an object names; a registered name must be the class's
    own."""
    name = member(given, "class_name", str, where)
    module, registered = given.get("module"), given.get("registered_name")
    if (module is None and registered is not None) or registered not in (None, name):
        config = given.get("config")
        called = config.get("name") if isinstance(config, dict) else None
        called = called or given.get("name")
        layer = f"{where}, {called[:80]}" if isinstance(called, str) else where
        raise refused(
            "KS732",
            f"{layer} is of the class {name[:80]}, registered as {str(registered)[:80]!r}, whose "
            "code is not in the file",
        )
    return member(given, "module", str, where), name


def find(table: Mapping[Key, type[Any]], key: Key, where: str) -> type[Any]:
    """Return a class of a closed list; raises KspecError KS732 for other classes."""
    if key in table:
        return table[key]
    module, name = key
    of_keras = module.partition(".")[0] == "keras"
    reason = DECIDED_OUT.get(name) if of_keras else None
    shown = f"{module[:80]}.{name[:80]}"
    help_ = CATALOGUE if of_keras else None
    raise refused("KS732", f"{where} is {shown}: {reason or 'not a class that is read'}", help_)
