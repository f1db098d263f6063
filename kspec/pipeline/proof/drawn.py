"""Rows for what is proven without data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kspec.compiler.ir import Array
from kspec.features.kinds import host_steps, input_kind
from kspec.features.signature import picture_of
from kspec.schemas import Spec
from kspec.schemas.features import Input

TIME = 5
"""The size that a symbolic dimension has in drawn rows, where no target fixes it."""


def draw_inputs(spec: Spec, count: int, sizes: Mapping[str, int]) -> dict[str, Array]:
    """So many rows for each input, always the same. ``sizes`` are those of named dimensions."""
    return {
        name: _drawn(given, count, sizes, seed)
        for seed, (name, given) in enumerate(spec.inputs.items())
    }


def _drawn(given: Input, count: int, sizes: Mapping[str, int], seed: int) -> Array:
    """Rows in the range that the network rescales to about 0…1; else pixels, whole numbers of 0
    and 1, or standard normal ones."""
    drawn = np.random.Generator(np.random.PCG64(seed))
    row = input_kind(given.kind).shape(given.kind)
    shape = (count, *(sizes.get(each, TIME) if isinstance(each, str) else each for each in row))
    if given.kind.is_whole:
        return drawn.integers(0, 2, shape).astype(input_kind(given.kind).dtype(given.kind))
    if given.rescale != 1.0:
        reached = drawn.uniform(0.0, 1.0, shape)
        return ((reached - given.offset) / given.rescale).astype(np.float32)
    if (picture := picture_of(host_steps(given.kind))) is not None:
        return (drawn.integers(0, 256, shape) * (picture.maximum / 255)).astype(np.float32)
    return drawn.normal(size=shape).astype(np.float32)
