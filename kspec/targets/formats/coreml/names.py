"""Conversion of IR names, which may be any text, to MIL identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kspec.compiler.ir import Graph
from kspec.compiler.names import Names

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = frozenset(
    {
        *("any", "bool", "program", "func", "tensor", "list", "dict", "tuple", "true", "false"),
        *("string", "bf16", "fp16", "fp32", "fp64", "int8", "int16", "int32", "int64"),
        *("uint8", "uint16", "uint32", "uint64", "state"),
    }
)
"""Words of MIL's text form, as coremltools' NameSanitizer lists them."""


def is_identifier(name: str) -> bool:
    return _IDENTIFIER.fullmatch(name) is not None and name not in _RESERVED


class Identifiers:
    """An injective mapping from names to identifiers. Names that are identifiers already keep
    themselves; the others get theirs afterwards, in order."""

    def __init__(self, first: Iterable[str]) -> None:
        names = list(dict.fromkeys(first))
        self._by_name = {name: name for name in names if is_identifier(name)}
        self._names = Names(self._by_name)
        others = [name for name in names if name not in self._by_name]
        self._by_name |= {name: self.fresh(name) for name in others}

    @classmethod
    def of(cls, graph: Graph) -> Identifiers:
        """Return the identifiers of a graph. They depend on the graph alone, so that a value of a
        written program can be found again by its IR name."""
        values = (*graph.values(), *graph.outputs)
        return cls([*(value.name for value in values), *graph.constants])

    def __getitem__(self, name: str) -> str:
        """Return the identifier of an IR name, which never changes."""
        if name not in self._by_name:
            self._by_name[name] = self.fresh(name)
        return self._by_name[name]

    def fresh(self, wish: str) -> str:
        """Return an unused identifier, as close to the wish as possible."""
        stem = re.sub(r"[^A-Za-z0-9_]", "_", wish, flags=re.ASCII) or "_"
        if not is_identifier(stem):
            stem = f"v_{stem}"
        return self._names.fresh(stem)
