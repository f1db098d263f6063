"""Deterministic synthetic rows for the inputs of a graph.

Independent normal numbers are poor rows. Means over a picture or a sequence cancel them, so that
outputs hardly differ between rows; ids of 0 and 1 are only padding and one word; and rows that take
one branch of a comparison do not test the other. So values follow the domain of each input, and
rows differ in level, contrast, scale of structure and length.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor, prod

import numpy as np

from kspec.compiler.domains import Domain, input_domains
from kspec.compiler.ir import Array, DType, Graph, Value

TIME = 5
"""Default size of a symbolic dimension."""
PIXELS = 100.0
"""Minimum width of a range whose values are whole numbers, such as pixels."""
BYTE = 255
FEW = 65_536
"""Maximum number of whole numbers that are drawn about equally often."""
SEVERAL = 10
"""Number of whole numbers, from 0, drawn for an input without a known range."""
CONTRASTS = (1.0, 0.4, 2.0, 0.7)
"""Variation of each row around its level, repeated over the rows."""

Range = tuple[float, float]


def draw_rows(
    graph: Graph,
    count: int,
    *,
    sizes: Mapping[str, int] | None = None,
    ranges: Mapping[str, Range] | None = None,
    seed: int = 0,
    strength: float = 1.0,
) -> dict[str, Array]:
    """Return ``count`` rows of each input by name, in its dtype and shape. ``sizes`` are of named
    dimensions, ``ranges`` of inputs whose kind has a range. ``strength`` multiplies unbounded
    inputs."""
    domains = input_domains(graph)
    return {
        value.name: _Sampler(
            value,
            domains[value.name],
            (ranges or {}).get(value.name),
            strength,
            np.random.Generator(np.random.PCG64([seed, place])),
        ).draw(_shape(value, count, sizes or {}))
        for place, value in enumerate(graph.inputs)
    }


def _shape(value: Value, count: int, sizes: Mapping[str, int]) -> tuple[int, ...]:
    row = (sizes.get(dim, TIME) if isinstance(dim, str) else dim for dim in value.shape[1:])
    return (count, *row)


class _Sampler:
    """Draws one input."""

    def __init__(
        self,
        value: Value,
        domain: Domain,
        range_: Range | None,
        strength: float,
        drawn: np.random.Generator,
    ) -> None:
        self.dtype = value.dtype
        self.domain = domain
        self.range = range_
        self.strength = strength
        self.drawn = drawn

    def draw(self, shape: tuple[int, ...]) -> Array:
        """Return the rows."""
        if self.dtype is DType.boolean:
            return self._flags(shape)
        found = self._floats(shape) if self.dtype.is_float else self._whole(shape)
        return self._padded(found).astype(self.dtype.numpy)

    def _whole(self, shape: tuple[int, ...]) -> Array:
        low, high = self._bounds()
        if self.domain.scaled and np.isinf([low, high]).all():
            return np.round(self._scaled(structured(shape, self.drawn)))
        edges = self.domain.thresholds
        if np.isinf(low):
            low = min(0.0, *(edge - 1 for edge in edges)) if edges else 0.0
        whole = np.int64 if self.dtype.is_float else self.dtype.numpy
        limits = np.iinfo(whole)
        if np.isinf(high) and not edges:
            high = limits.max if limits.max == BYTE else low + SEVERAL - 1
        elif np.isinf(high):
            high = max(low + SEVERAL - 1, *(edge + 1 for edge in edges))
        return self._numbers(max(ceil(low), limits.min), min(floor(high), limits.max), shape)

    def _numbers(self, low: int, high: int, shape: tuple[int, ...]) -> Array:
        """Return whole numbers that include both ends; few numbers occur about equally often."""
        size = prod(shape)
        if high - low < FEW:
            choice = np.resize(low + self.drawn.permutation(high - low + 1), size)
        else:
            choice = self.drawn.integers(low, high, size, endpoint=True)
        found = choice.astype(np.float64)
        if not {low, high} <= set(found.tolist()):
            found[:1], found[1:2] = high, low
        return found.reshape(shape)

    def _floats(self, shape: tuple[int, ...]) -> Array:
        if np.isfinite([self.domain.low, self.domain.high]).all():
            return self._whole(shape)  # indices into a table, or known classes
        field = structured(shape, self.drawn)
        low, high = self._bounds()
        if np.isfinite([low, high]).all():
            found = low + (high - low) * (0.5 + 0.5 * np.tanh(field))
            return np.round(found) if high - low >= PIXELS else found
        found = self._scaled(field)
        return self._around(found) if self.domain.thresholds else found

    def _bounds(self) -> Range:
        """Return the range of values: the domain of the input's consumers; else the range that the
        network scales to [0, 1] or [-1, 1]; else the range of the kind."""
        low, high = self.domain.low, self.domain.high
        if np.isfinite([low, high]).any():
            return low, high
        center, spread = self.domain.center, self.domain.spread
        if self.domain.scaled and center.size == spread.size == 1:
            offset = float(-center.reshape(()) / spread.reshape(()))
            if -1 <= offset <= 0:
                return 0.0, float((1 - offset) * spread.reshape(())) * self.strength
        return (low, high) if self.range is None else self.range

    def _scaled(self, field: Array) -> Array:
        return np.asarray(self.domain.center + self.domain.spread * field * self.strength)

    def _around(self, found: Array) -> Array:
        """Move half of the elements near the thresholds, to both sides of each."""
        edges = np.array(self.domain.thresholds)
        gaps = np.diff(edges) if edges.size > 1 else np.array([np.mean(self.domain.spread)])
        widths = np.minimum(np.append(gaps[:1], gaps), np.append(gaps, gaps[-1:]))[: edges.size]
        places = self.drawn.integers(0, edges.size, found.shape)
        sides = self.drawn.uniform(0.05, 0.6, found.shape) * self.drawn.choice([-1, 1], found.shape)
        near = edges[places] + widths[places] * sides
        return np.where(self.drawn.uniform(size=found.shape) < 0.5, near, found)

    def _padded(self, found: Array) -> Array:
        """Shorten rows to different lengths: later positions have the value that masks exclude."""
        absent = self.domain.padding
        if absent is None or found.ndim < len(("row", "time")):
            return found
        count, time = found.shape[:2]
        low, high = self._bounds()
        if not self.dtype.is_float or np.isfinite([low, high]).all():
            other = absent + 1 if absent + 1 <= high else absent - 1
            found = np.where(found == absent, other if other >= low else found, found)
        beyond = np.arange(time) >= lengths(count, time, self.drawn)[:, None]
        return np.where(beyond.reshape(count, time, *[1] * (found.ndim - 2)), absent, found)

    def _flags(self, shape: tuple[int, ...]) -> Array:
        """Return masks: half of the rows are true up to a length, the others at random."""
        anywhere = self.drawn.uniform(size=shape) < 0.6
        if len(shape) == 1:
            return anywhere
        count, time = shape[:2]
        anywhere[:, 0] = True
        up_to = np.arange(time) < lengths(count, time, self.drawn)[:, None]
        up_to = np.broadcast_to(up_to.reshape(count, time, *[1] * (len(shape) - 2)), shape)
        even = (np.arange(count) % 2 == 0).reshape(count, *[1] * (len(shape) - 1))
        return np.where(even, up_to, anywhere)


def lengths(count: int, time: int, drawn: np.random.Generator) -> Array:
    """Return int64[count]: evenly spaced lengths from 1 to ``time`` in random order, with the full
    length first."""
    spread = np.linspace(time, 1, count).round().astype(np.int64)
    return np.concatenate([spread[:1], drawn.permutation(spread[1:])])


def structured(shape: tuple[int, ...], drawn: np.random.Generator) -> Array:
    """Return float64[shape] with a standard deviation of about 1. Each row has a level, a contrast
    and, along every axis between the first and the last, a scale of structure from the whole axis
    down to single elements."""
    count, *row = shape
    if not row:
        return drawn.normal(size=shape)
    axes = tuple(row[:-1])
    rows = [_smooth(axes, row[-1], place, drawn) for place in range(count)]
    levels = drawn.normal(size=(count, *[1] * len(axes), row[-1]))
    contrasts = np.array([CONTRASTS[place % len(CONTRASTS)] for place in range(count)])
    return np.stack(rows) * contrasts.reshape(count, *[1] * len(row)) + 0.5 * levels


def _smooth(axes: tuple[int, ...], channels: int, place: int, drawn: np.random.Generator) -> Array:
    """Return float64[*axes, channels]: interpolated noise of a coarse grid plus finer noise."""
    grid = tuple(max(1, -(-size // 4 ** (3 - place % 4))) for size in axes)
    coarse = drawn.normal(size=(*grid, channels))
    for axis, size in enumerate(axes):
        coarse = _stretched(coarse, axis, size)
    return coarse + 0.2 * drawn.normal(size=(*axes, channels))


def _stretched(array: Array, axis: int, size: int) -> Array:
    """Interpolate linearly along one axis."""
    have = array.shape[axis]
    places = np.linspace(0, have - 1, size)
    below = np.floor(places).astype(np.int64)
    share = (places - below).reshape([-1 if each == axis else 1 for each in range(array.ndim)])
    first = np.take(array, below, axis)
    second = np.take(array, np.minimum(below + 1, have - 1), axis)
    return np.asarray(first * (1 - share) + second * share)
