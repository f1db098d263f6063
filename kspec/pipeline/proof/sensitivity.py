"""Finds the rows that show a fault: each channel of a graph's weights is changed in the evaluator.

A channel is one index of the last axis of a float constant: an output channel of a kernel, an
element of a bias. The fault scales the channel by 1.05. A row shows it if an output moves by more
than twice the tolerance of a bundle's self-test.
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
from kspec.pipeline.proof.verdict import Tolerances

FAULT = 1.05
"""The factor of the fault."""
SHOWN = 2.0
"""By how many tolerances an output must move: an artifact's own error may reach one tolerance."""
BUDGET = 4e10
"""The multiplications that the search may cost. Beyond that, equally many channels of each weight
are sampled."""
FIRST = 4
"""The number of rows that are tried first: they show most channels."""
CHUNK = 32
"""The number of rows in one evaluation."""
NOISE, DRAWS = 1e-3, 4
"""The relative noise on all weights by which rows are ranked, and the number of draws."""

Inputs = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Channel:
    """One index of the last axis of a constant."""

    constant: str
    index: int

    def faulty(self, graph: Graph) -> Array:
        """Return the constant with the fault."""
        array = graph.constants[self.constant].copy()
        array.reshape(-1, array.shape[-1] if array.ndim else 1)[:, self.index] *= FAULT
        return array


@dataclass(frozen=True, slots=True)
class Scale:
    """The error that a self-test allows in an output: |Δ| ≤ atol · s + rtol · |reference|."""

    tolerances: Tolerances
    sizes: Mapping[str, float]

    @classmethod
    def of(cls, tolerances: Tolerances, outputs: Mapping[str, Array]) -> Scale:
        """Return the scale of each output on these rows."""
        return cls(tolerances, {name: scale_of(each) for name, each in outputs.items()})

    def reaction(self, found: Mapping[str, Array], right: Mapping[str, Array]) -> Array:
        """Return float64 (rows,): the distance that each row moved, in tolerances."""
        rows = [
            self._moved(name, found[name].astype(np.float64), each.astype(np.float64))
            for name, each in right.items()
        ]
        return np.asarray(np.max(rows, axis=0))

    def _moved(self, name: str, found: Array, right: Array) -> Array:
        """Return float64 (rows,) for one output. Equal infinities count as unmoved, a NaN as
        moved."""
        tolerance = self.tolerances[name]
        allowed = tolerance.atol * self.sizes[name] + tolerance.rtol * np.abs(right)
        with np.errstate(invalid="ignore"):
            ratios = np.where(found == right, 0.0, np.abs(found - right) / allowed)
        flat = np.nan_to_num(ratios, nan=np.inf).reshape(len(ratios), -1)
        return np.asarray(flat.max(axis=1, initial=0.0))


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the golden rows show."""

    channels: int
    """The channels of all float constants."""
    tested: int
    """The channels that were tested: all, or a sample of each constant."""
    able: int
    """The tested channels that any row shows, of the split or drawn."""
    seen: int
    """The tested channels that a golden row shows."""
    rows: int
    """The number of golden rows."""
    drawn: int
    """The number of golden rows that were drawn instead of taken from the split."""
    unseen: Mapping[str, int] = field(default_factory=dict)
    """By layer, the number of channels that some row shows and no golden row shows."""
    silent: tuple[str, ...] = ()
    """The layers of which no row shows any channel."""

    @property
    def share(self) -> float:
        """The share of the visible channels that golden rows show."""
        return self.seen / self.able if self.able else 1.0


def channels_of(graph: Graph) -> list[Channel]:
    """Return all channels of the float constants that nodes read, in the order of the nodes."""
    read = dict.fromkeys(value.name for node in graph.nodes for value in node.inputs)
    arrays = {name: graph.constants[name] for name in read if name in graph.constants}
    return [
        Channel(name, index)
        for name, array in arrays.items()
        if array.dtype.kind == "f" and array.size
        for index in range(array.shape[-1] if array.ndim else 1)
    ]


def sampled(graph: Graph, channels: Sequence[Channel], replay: Replay) -> list[Channel]:
    """Return all channels if the budget allows testing them; else equally many of each constant at
    even distances, at least one."""
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
    """Return float64 (rows,): how much each row reacts to noise on all weights, as a mean of
    logarithms. A saturated row answers 1 whatever the weights are."""
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
    """Return bool (channels, rows): whether a row shows a channel."""
    found = np.zeros((len(channels), _count(rows)), bool)
    for start, part in _chunks(rows):
        replay = Replay(graph, part)
        for place, each in enumerate(channels):
            outputs = replay.with_constant(each.constant, each.faulty(graph))
            reaction = scale.reaction(outputs, replay.outputs)
            found[place, start : start + reaction.size] = reaction > SHOWN
    return found


def unseen(graph: Graph, rows: Inputs, channels: Sequence[Channel], scale: Scale) -> list[int]:
    """Return the indices of the channels that no row shows. The first rows are tried first."""
    left = list(range(len(channels)))
    edges = [0, min(FIRST, _count(rows)), *range(FIRST + CHUNK, _count(rows), CHUNK), _count(rows)]
    for start, stop in pairwise(edges):
        if left and stop > start:
            part = {name: array[start:stop] for name, array in rows.items()}
            found = shown(graph, part, [channels[each] for each in left], scale)
            left = [each for place, each in enumerate(left) if not found[place].any()]
    return left


def cover(found: Array, most: int) -> list[int]:
    """Choose columns of bool (channels, rows) that together show every channel that any column
    shows, greedily: the column that shows most, then the one that shows most of the rest. Returns
    at most ``most`` columns."""
    left, chosen = found.copy(), list[int]()
    while len(chosen) < most and left.any():
        chosen.append(int(left.sum(axis=0).argmax()))
        left &= ~found[:, chosen[-1]][:, None]
    return chosen


def layers_of(graph: Graph) -> dict[str, str]:
    """Return the layer that reads each constant first."""
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
