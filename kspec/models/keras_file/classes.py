"""The closed lists of what a `.keras` file may name: (module, class) → the class."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, get_args

import keras

from kspec.compiler.rules import RULES
from kspec.models.keras_file.configuration import Json, member
from kspec.models.keras_file.refusal import refused
from kspec.schemas.activations import Activation
from kspec.schemas.layers import DECIDED_OUT, catalogue
from kspec.schemas.layers.recurrent import CELLS
from kspec.schemas.weights import CONSTRAINTS, INITIALIZERS, REGULARIZERS

Key = tuple[str, str]

ACTIVATIONS = frozenset(get_args(Activation))
FUNCTIONAL, SEQUENTIAL = ("Functional", "Model"), ("Sequential",)
POLICIES = frozenset({"float32", "mixed_float16", "mixed_bfloat16"})
"""Mixed policies hold their variables in float32, and are read as float32."""
OPS = "keras.src.ops."


@cache
def layers() -> Mapping[Key, type[Any]]:
    """Layers and cells of the catalogue, and inputs."""
    found: dict[Key, type[Any]] = {("keras.layers", "InputLayer"): keras.layers.InputLayer}
    for cls in (*catalogue(), *CELLS):
        made = getattr(keras.layers, cls.keras)
        found[("keras.layers", cls.keras)] = found[("keras.layers", made.__name__)] = made
    return MappingProxyType(found)


@cache
def operations() -> Mapping[Key, type[Any]]:
    """The operations of `keras.ops` that the compiler knows."""
    known = (each for each in RULES if each.__module__.startswith(OPS))
    return MappingProxyType({(each.__module__, each.__name__): each for each in known})


@cache
def objects() -> Mapping[Key, type[Any]]:
    """Initializers, regularizers and constraints."""
    tables = (
        ("keras.initializers", INITIALIZERS),
        ("keras.regularizers", REGULARIZERS),
        ("keras.constraints", CONSTRAINTS),
    )
    return MappingProxyType(
        {
            (module, cls.keras): getattr(getattr(keras, module.removeprefix("keras.")), cls.keras)
            for module, classes in tables
            for cls in classes
        }
    )


def key_of(given: Json, where: str) -> Key:
    """Module and class that an object names; a registered name must be the class's own."""
    module, name = member(given, "module", str, where), member(given, "class_name", str, where)
    if given.get("registered_name") not in (None, name):
        raise refused("KS732", f"{where} is registered under {given['registered_name']!r:.80}")
    return module, name


def find(table: Mapping[Key, type[Any]], key: Key, where: str) -> type[Any]:
    """The class of a closed list; raises KspecError KS732."""
    if key in table:
        return table[key]
    module, name = key
    reason = DECIDED_OUT.get(name) if module.startswith("keras") else None
    shown = f"{module[:80]}.{name[:80]}"
    raise refused("KS732", f"{where} is {shown}: {reason or 'not a class that is read'}")
