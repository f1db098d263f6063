"""Chooses the golden rows: rows whose outputs show faults in an artifact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kspec.compiler.ir import Array, Graph
from kspec.compiler.passes import run_passes
from kspec.compiler.passes.common import COMMON
from kspec.compiler.replay import Replay, cost
from kspec.pipeline.proof.comparison import scale_of
from kspec.pipeline.proof.reference import Reference
from kspec.pipeline.proof.rows import Rows
from kspec.pipeline.proof.sensitivity import (
    BUDGET,
    DRAWS,
    Channel,
    Coverage,
    Scale,
    channels_of,
    cover,
    layers_of,
    ranked,
    sampled,
    shown,
    unseen,
)
from kspec.pipeline.proof.verdict import ELSEWHERE, bundle_tolerances
from kspec.spec.diagnostics import Diagnostic
from kspec.targets.formats.format import Tolerance

COUNT, MOST = 32, 64
"""The number of golden rows, and the limit with the rows that are added to show further
channels."""
POOL, FEWEST = 512, 64
"""The number of rows that golden rows are chosen from, and the least number for a large network."""
EXTRA = 64
"""The number of rows of the split, besides drawn rows, that are searched for a channel that no
golden row shows yet."""
ENOUGH = 0.95
"""The share of the visible channels that golden rows must show. A channel is visible if any row
shows it."""


@dataclass(frozen=True, slots=True)
class Golden:
    """The chosen rows, their coverage, and the problems of the trace."""

    rows: Rows
    coverage: Coverage
    problems: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Pool:
    """The candidate rows: rows of a split, then drawn rows."""

    inputs: Mapping[str, Array]
    split: int
    """How many rows come from the split."""
    first: tuple[int, ...]
    """The rows that are always golden rows: one of each class."""

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    def take(self, places: Sequence[int]) -> dict[str, Array]:
        """Return these rows in this order."""
        return {name: array[list(places)] for name, array in self.inputs.items()}


def pool_of(
    graph: Graph,
    split: Mapping[str, Array] | None,
    first: Sequence[int],
    drawn: Mapping[str, Array],
) -> Pool:
    """Return the rows of the split followed by drawn rows. Of a large network's split, only as many
    rows are taken as its cost allows."""
    if split is None:
        return Pool(drawn, 0, ())
    one = Replay(graph, {name: array[:1] for name, array in split.items()})
    dear = cost(graph, graph.nodes, one.values) * (DRAWS + 1)
    most = int(np.clip(BUDGET / 4 / dear, FEWEST, POOL))
    count = len(next(iter(split.values())))
    even = np.linspace(0, count - 1, min(most, count)).round().astype(int)
    kept = np.union1d(np.array(first, int), even)
    inputs = {name: np.concatenate([split[name][kept], drawn[name]]) for name in split}
    return Pool(inputs, len(kept), tuple(np.searchsorted(kept, first).tolist()))


def choose_rows(
    reference: Reference,
    split: Mapping[str, Array] | None,
    first: Sequence[int],
    drawn: Mapping[str, Array],
) -> Golden:
    """Choose the rows ``first`` of the split, then the rows that react most to noise on the
    weights, then rows for each channel that only other rows show. Without a split, all rows are
    drawn."""
    graph = run_passes(reference.graph, COMMON)
    pool = pool_of(graph, split, first, drawn)
    replay = Replay(graph, pool.take(range(min(8, len(pool)))))
    sizes = {name: scale_of(each) for name, each in reference.exact(pool.inputs).items()}
    least = dict.fromkeys(sizes, Tolerance())
    scale = Scale(dict.fromkeys(sizes, ELSEWHERE), sizes)
    score = ranked(graph, pool.inputs, scale)
    candidates = range(pool.split or len(pool))
    by_score = sorted(candidates, key=lambda row: (-score[row], row))
    chosen = list(dict.fromkeys([*pool.first, *by_score]))[:COUNT]
    rows, problems = reference.proven(pool.take(sorted(chosen)))
    scale = Scale(bundle_tolerances(least, sizes, rows.yardsticks), sizes)
    channels = sampled(graph, channels_of(graph), replay)
    search = _Search(graph, pool, score, channels, scale)
    missing = search.missing(chosen)
    extra = search.others(chosen, len(missing))
    found = shown(graph, pool.take(extra), [channels[each] for each in missing], scale)
    added = [extra[place] for place in cover(found, MOST - len(chosen))]
    if added:
        chosen += added
        rows, problems = reference.proven(pool.take(sorted(chosen)))
        search.scale = Scale(bundle_tolerances(least, sizes, rows.yardsticks), sizes)
    hidden = {missing[place] for place in np.flatnonzero(~found.any(axis=1))}
    left = set(search.missing(chosen)) if added else set(missing)
    return Golden(rows, search.coverage(left, hidden, chosen), problems)


class _Search:
    """The search for rows that show channels."""

    def __init__(
        self,
        graph: Graph,
        pool: Pool,
        score: Array,
        channels: list[Channel],
        scale: Scale,
    ) -> None:
        self.graph = graph
        self.pool = pool
        self.score = score
        self.channels = channels
        self.scale = scale

    def missing(self, chosen: Sequence[int]) -> list[int]:
        """Return the indices of the channels that none of these rows shows."""
        ordered = sorted(chosen, key=lambda row: (-self.score[row], row))
        return unseen(self.graph, self.pool.take(ordered), self.channels, self.scale)

    def others(self, chosen: Sequence[int], missing: int) -> list[int]:
        """Return further rows to search: the rows of the split that react most, and drawn rows.
        Their number is limited by the cost of evaluating each of them for each missing channel."""
        left = sorted(set(range(len(self.pool))) - set(chosen))
        split = [row for row in left if row < self.pool.split]
        split = sorted(split, key=lambda row: (-self.score[row], row))[:EXTRA]
        drawn = [row for row in left if row >= self.pool.split]
        one = Replay(self.graph, self.pool.take([0]))
        dear = cost(self.graph, self.graph.nodes, one.values) * max(1, missing)
        most = int(max(8, BUDGET / dear))
        mixed = [row for pair in zip(split, drawn, strict=False) for row in pair]
        rest = split[len(drawn) :] + drawn[len(split) :]
        return [*mixed, *rest][:most]

    def coverage(self, left: set[int], hidden: set[int], chosen: Sequence[int]) -> Coverage:
        """Return what the chosen rows show. ``left`` are the channels that they do not show,
        ``hidden`` the channels that no row shows."""
        layers = layers_of(self.graph)
        of = [layers[each.constant] for each in self.channels]
        able = Counter(of) - Counter(of[each] for each in hidden & left)
        unseen_ = Counter(of[each] for each in left - hidden)
        return Coverage(
            channels=len(channels_of(self.graph)),
            tested=len(self.channels),
            able=len(self.channels) - len(hidden & left),
            seen=len(self.channels) - len(left),
            rows=len(chosen),
            drawn=sum(row >= self.pool.split for row in chosen),
            unseen=dict(sorted(unseen_.items())),
            silent=tuple(name for name in dict.fromkeys(of) if not able[name]),
        )


def insensitive(coverage: Coverage) -> tuple[Diagnostic, ...]:
    """Return KS760 if golden rows show too few of the visible channels."""
    if coverage.share >= ENOUGH:
        return ()
    layer, count = max(coverage.unseen.items(), key=lambda each: (each[1], each[0]))
    return (
        Diagnostic(
            "KS760",
            f"the golden rows show a fault in {coverage.seen} of {coverage.able} channels of the"
            f" weights; most others are in layer {layer!r}: {count}",
            ("data", "split"),
            help="a larger test split has more rows to choose from",
        ),
    )
