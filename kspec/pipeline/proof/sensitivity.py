"""Which rows show a fault: the channels of a graph's weights, each changed in the evaluator.

A channel is one index of the last axis of a float constant: an output channel of a kernel, an
element of a bias. The fault is the channel scaled by 1.05. A row shows it if an output moves by
more than twice the tolerance of a bundle's self-test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from kspec.compiler.ir import Array, Graph
from kspec.compiler.reference import evaluate
from kspec.compiler.replay import Replay, cost, downstream
from kspec.pipeline.proof.comparison import scale_of
from kspec.targets.formats.format import Tolerance

FAULT = 1.05
"""What a channel is multiplied by."""
SHOWN = 2.0
"""How many times the tolerance an output must move: an artifact may be off by one of them."""
BUDGET = 4e10
"""Multiplications that the search may cost; then channels are sampled, equally many of each
weight."""
FIRST = 4
"""Rows that are tried first: they show most channels."""
CHUNK = 32
"""Rows that are evaluated at once."""
NOISE, DRAWS = 1e-3, 4
"""The relative noise on all weights by which rows are ranked, and how often it is drawn."""

Inputs = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Channel:
    """One index of the last axis of a constant."""

    constant: str
    index: int

    def faulty(self, graph: Graph) -> Array:
        """The constant with the fault."""
        array = graph.constants[self.constant].copy()
        array.reshape(-1, array.shape[-1] if array.ndim else 1)[:, self.index] *= FAULT
        return array


@dataclass(frozen=True, slots=True)
class Scale:
    """What the self-test allows an output to be off, |Δ| ≤ atol · s + rtol · |reference|."""

    tolerance: Tolerance
    sizes: Mapping[str, float]

    @classmethod
    def of(cls, tolerance: Tolerance, outputs: Mapping[str, Array]) -> Scale:
        """With the sizes that outputs have on these rows."""
        return cls(tolerance, {name: scale_of(each) for name, each in outputs.items()})

    def reaction(self, found: Mapping[str, Array], right: Mapping[str, Array]) -> Array:
        """float64[rows]: by how many tolerances each row moved."""
        rows = [
            self._moved(name, found[name].astype(np.float64), each.astype(np.float64))
            for name, each in right.items()
        ]
        return np.asarray(np.max(rows, axis=0))

    def _moved(self, name: str, found: Array, right: Array) -> Array:
        """float64[rows] of one output. Equal infinities have not moved; a NaN has."""
        allowed = self.tolerance.atol * self.sizes[name] + self.tolerance.rtol * np.abs(right)
        with np.errstate(invalid="ignore"):
            ratios = np.where(found == right, 0.0, np.abs(found - right) / allowed)
        flat = np.nan_to_num(ratios, nan=np.inf).reshape(len(ratios), -1)
        return np.asarray(flat.max(axis=1, initial=0.0))


@dataclass(frozen=True, slots=True)
class Coverage:
    """What golden rows show."""

    channels: int
    """Of all float constants."""
    tested: int
    """Those that were changed: all, or a sample of each constant."""
    able: int
    """Those that some row shows, of the split or drawn."""
    seen: int
    """Those that a golden row shows."""
    rows: int
    """Golden rows."""
    drawn: int
    """Golden rows that were drawn, and are not of the split."""
    unseen: Mapping[str, int] = field(default_factory=dict)
    """By layer, channels that some row shows and no golden row does."""
    silent: tuple[str, ...] = ()
    """Layers of which no row shows any channel."""

    @property
    def share(self) -> float:
        """Of the channels that some row shows, the share that golden rows show."""
        return self.seen / self.able if self.able else 1.0


def channels_of(graph: Graph) -> list[Channel]:
    """All channels of the float constants that nodes read, in the order of the nodes."""
    read = dict.fromkeys(value.name for node in graph.nodes for value in node.inputs)
    arrays = {name: graph.constants[name] for name in read if name in graph.constants}
    return [
        Channel(name, index)
        for name, array in arrays.items()
        if array.dtype.kind == "f" and array.size
        for index in range(array.shape[-1] if array.ndim else 1)
    ]


def sampled(graph: Graph, channels: Sequence[Channel], replay: Replay) -> list[Channel]:
    """All channels if they can be tested within the budget, or else equally many of each constant,
    at even distances, and at least one."""
    by_constant: dict[str, list[Channel]] = {}
    for each in channels:
        by_constant.setdefault(each.constant, []).append(each)
    costs = {n: cost(graph, downstream(graph, n), replay.values) for n in by_constant}
    most = max(map(len, by_constant.values()), default=1)
    while (
        most > 1
        and sum(costs[name] * min(most, len(each)) for name, each in by_constant.items()) > BUDGET
    ):
        most = most * 3 // 4
    return [channel for each in by_constant.values() for channel in _even(each, most)]


def ranked(graph: Graph, rows: Inputs, scale: Scale) -> Array:
    """float64[rows]: how much each row reacts to noise on all weights, as a mean of logarithms:
    a saturated row answers 1 whatever the weights are."""
    drawn = np.random.Generator(np.random.PCG64(3))
    right = _outputs(graph, rows)
    score = np.zeros(_count(rows))
    for _ in range(DRAWS):
        noisy = {
            name: (array * (1 + NOISE * drawn.standard_normal(array.shape))).astype(array.dtype)
            if array.dtype.kind == "f"
            else array
            for name, array in graph.constants.items()
        }
        reaction = scale.reaction(_outputs(replace(graph, constants=noisy), rows), right)
        score += np.log10(np.clip(reaction, 1e-3, 1e5))
    return score


def shown(graph: Graph, rows: Inputs, channels: Sequence[Channel], scale: Scale) -> Array:
    """bool[channels, rows]: which rows show which channel."""
    found = np.zeros((len(channels), _count(rows)), bool)
    for start, part in _chunks(rows):
        replay = Replay(graph, part)
        for place, each in enumerate(channels):
            outputs = replay.with_constant(each.constant, each.faulty(graph))
            reaction = scale.reaction(outputs, replay.outputs)
            found[place, start : start + reaction.size] = reaction > SHOWN
    return found


def unseen(graph: Graph, rows: Inputs, channels: Sequence[Channel], scale: Scale) -> list[int]:
    """The indices of the channels that no row shows. The first rows are tried first."""
    left = list(range(len(channels)))
    edges = [0, min(FIRST, _count(rows)), *range(FIRST + CHUNK, _count(rows), CHUNK), _count(rows)]
    for start, stop in pairwise(edges):
        if left and stop > start:
            part = {name: array[start:stop] for name, array in rows.items()}
            found = shown(graph, part, [channels[each] for each in left], scale)
            left = [each for place, each in enumerate(left) if not found[place].any()]
    return left


def cover(found: Array, most: int) -> list[int]:
    """Columns of bool[channels, rows] that together show all that any does: the one that shows
    most, then the one that shows most of the rest, and so on; at most so many."""
    left, chosen = found.copy(), list[int]()
    while len(chosen) < most and left.any():
        chosen.append(int(left.sum(axis=0).argmax()))
        left &= ~found[:, chosen[-1]][:, None]
    return chosen


def layers_of(graph: Graph) -> dict[str, str]:
    """The layer that reads each constant first."""
    found: dict[str, str] = {}
    for node in graph.nodes:
        for value in node.inputs:
            if value.name in graph.constants:
                found.setdefault(value.name, node.origin.layer or value.name)
    return found


def _even(channels: list[Channel], most: int) -> list[Channel]:
    if len(channels) <= most:
        return channels
    places = np.linspace(0, len(channels) - 1, most).round().astype(int)
    return [channels[place] for place in places]


def _outputs(graph: Graph, rows: Inputs) -> dict[str, Array]:
    parts = [evaluate(graph, part) for _, part in _chunks(rows)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _chunks(rows: Inputs) -> Iterator[tuple[int, Inputs]]:
    for start in range(0, _count(rows), CHUNK):
        yield start, {name: array[start : start + CHUNK] for name, array in rows.items()}


def _count(rows: Inputs) -> int:
    return len(next(iter(rows.values())))
