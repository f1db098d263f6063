"""Rows for what is proven without data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kspec.compiler.ir import Array, DType, Graph, Value
from kspec.schemas.features import Input

TIME = 5
"""The size that a symbolic dimension has in drawn rows."""


def draw_inputs(graph: Graph, inputs: Mapping[str, Input], count: int) -> dict[str, Array]:
    """So many rows for each input, always the same."""
    return {
        value.name: _drawn(value, inputs[value.name], count, seed)
        for seed, value in enumerate(graph.inputs)
    }


def _drawn(value: Value, given: Input, count: int, seed: int) -> Array:
    """Rows in the range that the network rescales to about 0…1, or standard normal ones."""
    drawn = np.random.Generator(np.random.PCG64(seed))
    shape = (count, *(TIME if isinstance(dim, str) else dim for dim in value.shape[1:]))
    if value.dtype is not DType.float32:
        return drawn.integers(0, 2, shape).astype(value.dtype.numpy)
    if given.rescale != 1.0:
        reached = drawn.uniform(0.0, 1.0, shape)
        return ((reached - given.offset) / given.rescale).astype(np.float32)
    return drawn.normal(size=shape).astype(np.float32)
