"""Rows for what is proven without data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kspec.compiler.ir import Array
from kspec.data.features import shape_of
from kspec.schemas.features import Image, Input, Tensor

TIME = 5
"""The size that a symbolic dimension has in drawn rows."""


def draw_inputs(inputs: Mapping[str, Input], count: int) -> dict[str, Array]:
    """So many rows for each input, always the same."""
    return {name: _drawn(given, count, seed) for seed, (name, given) in enumerate(inputs.items())}


def _drawn(given: Input, count: int, seed: int) -> Array:
    """Rows in the range that the network rescales to about 0…1; else pixels, whole numbers of 0
    and 1, or standard normal ones."""
    drawn = np.random.Generator(np.random.PCG64(seed))
    shape = (count, *(TIME if isinstance(size, str) else size for size in shape_of(given.kind)))
    if isinstance(given.kind, Tensor) and given.kind.dtype != "float32":
        return drawn.integers(0, 2, shape).astype(given.kind.dtype)
    if given.rescale != 1.0:
        reached = drawn.uniform(0.0, 1.0, shape)
        return ((reached - given.offset) / given.rescale).astype(np.float32)
    if isinstance(given.kind, Image):
        return (drawn.integers(0, 256, shape) * (given.kind.maximum / 255)).astype(np.float32)
    return drawn.normal(size=shape).astype(np.float32)
