"""The ranges of symbolic dimensions."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from kspec.compiler.ir import Graph
from kspec.compiler.reference.dimensions import Dimensions

Ranges = Mapping[str, tuple[int, int]]
"""The minimum and the maximum size of each symbolic dimension of the inputs."""


def ranges(graph: Graph, largest: int) -> Ranges:
    """Return the range of each symbolic dimension. Core ML tries the minimum sizes when it loads a
    model, so every value must have elements at these sizes: a window of 3 needs 3 time steps.
    Dimensions that occur in derived sizes share the smallest sufficient minimum; others start
    at 1."""
    names = dict.fromkeys(
        dim for value in graph.inputs for dim in value.shape if isinstance(dim, str)
    )
    derived = {dim for value in graph.values() for dim in value.shape if isinstance(dim, str)}
    used = {each for dim in derived - names.keys() for each in re.findall(r"[A-Za-z_]\w*", dim)}
    for size in range(1, largest + 1):
        sizes = {name: size if name in used else 1 for name in names}
        if _fits(graph, sizes):
            return {name: (least, largest) for name, least in sizes.items()}
    return dict.fromkeys(names, (1, largest))


def _fits(graph: Graph, sizes: Mapping[str, int]) -> bool:
    """Return whether every value has elements at these sizes."""
    dimensions = Dimensions()
    for value in graph.inputs:
        shape = [sizes[dim] if isinstance(dim, str) else dim for dim in value.shape]
        dimensions.learn(value, np.broadcast_to(value.dtype.numpy.type(0), shape))
    found = (dimensions.size(dim) for value in graph.values() for dim in value.shape)
    return all(size is None or size > 0 for size in found)
