"""Merging of equal constants."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace

import numpy as np

from kspec.compiler.ir import Array, Graph, Value


def share_constants(graph: Graph) -> Graph:
    """Replace equal constants (same type, shape and bytes) by the first. A constant that is an
    output stays, for its name."""
    alike = Counter(_kind(array) for array in graph.constants.values())
    first: dict[object, str] = {}
    same = {
        name: first.setdefault(_key(array), name) if alike[_kind(array)] > 1 else name
        for name, array in graph.constants.items()
    }
    kept = set(same.values())
    if len(kept) == len(same):
        return graph
    public = {value.name for value in graph.outputs}
    nodes = tuple(
        replace(node, inputs=tuple(_shared(value, same) for value in node.inputs))
        for node in graph.nodes
    )
    kept |= public
    constants = {name: array for name, array in graph.constants.items() if name in kept}
    return graph.with_nodes(nodes, constants)


def _kind(array: Array) -> tuple[str, tuple[int, ...]]:
    return array.dtype.str, array.shape


def _key(array: Array) -> object:
    """Return type, shape and a digest of an array; weights are read in place, never copied."""
    content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return *_kind(array), hashlib.sha256(content.data).digest()


def _shared(value: Value, same: dict[str, str]) -> Value:
    return replace(value, name=same.get(value.name, value.name))
