"""Geometry of the report's drawings: curves over epochs, and the lanes of a network."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 420, 210
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 22, 34
ROW = 30
"""The height of a step's row in the network, and of its part of the lanes."""
LOG_FROM = 30
"""The ratio of the largest to the smallest value from which an axis is logarithmic."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: its place in pixels and its text."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Curve:
    """One series: the pieces of its line between gaps, and its last point."""

    kind: str
    """``train`` or ``validation``."""
    lines: tuple[str, ...]
    """Pieces, each as the ``points`` of a polyline; a single point is doubled, so that a dot
    appears."""
    last: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Chart:
    """The curves of one measure over the epochs, in pixels of WIDTH × HEIGHT."""

    title: str
    description: str
    """The same curves in words, for screen readers."""
    logarithmic: bool
    curves: tuple[Curve, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    best: Tick | None


@dataclass(frozen=True, slots=True)
class LaneRow:
    """One step in the drawing beside its row of the table: its dot, and the lanes that pass or
    reach it."""

    dot: float
    paths: tuple[str, ...]


def draw_chart(title: str, series: Mapping[str, Sequence[float | None]], best: int) -> Chart:
    """Return the chart of some series by kind, with one value or None for each epoch; ``best`` is
    an epoch, counted from 0."""
    values = [each for line in series.values() for each in line if each is not None]
    epochs = max(map(len, series.values()))
    logarithmic = min(values) > 1e-30 and max(values) / min(values) >= LOG_FROM
    bend: Callable[[float], float] = math.log10 if logarithmic else float
    marks = _decades(min(values), max(values)) if logarithmic else round_marks(values)
    low = min(bend(each) for each in (*values, *marks))
    high = max(bend(each) for each in (*values, *marks))

    def x(epoch: int) -> float:
        share = (epoch / (epochs - 1)) if epochs > 1 else 0.5
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(value: float) -> float:
        share = (bend(value) - low) / ((high - low) or 1.0)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)

    curves = [
        _curve(kind, [None if v is None else (x(i), y(v)) for i, v in enumerate(line)])
        for kind, line in series.items()
        if any(each is not None for each in line)
    ]
    return Chart(
        title,
        _describe(title, series),
        logarithmic,
        tuple(curves),
        tuple(Tick(x(epoch - 1), str(epoch)) for epoch in _epoch_marks(epochs)),
        tuple(Tick(y(mark), f"{mark:.6g}") for mark in marks),
        Tick(x(best), f"best: {best + 1}"),
    )


def round_marks(values: Iterable[float], count: int = 4) -> tuple[float, ...]:
    """Return about ``count`` round numbers over the range of the values, including its ends."""
    found = tuple(values)
    low, high = min(found), max(found)
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-9):
        margin = abs(high) / 10 or 1.0
        low, high = low - margin, high + margin
    step = _round_step((high - low) / count)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(float(f"{index * step:.10g}") for index in range(first, last + 1))


def draw_lanes(steps: Sequence[tuple[str, Sequence[str]]]) -> tuple[float, tuple[LaneRow, ...]]:
    """Return the width, and a row for each step (its name and its inputs, in topological order).

    A value has a lane from the step that makes it to the last step that takes it. A step sits in
    the lane of a value that ends with it, else in a free lane.
    """
    last = {source: i for i, (_, sources) in enumerate(steps) for source in sources}
    lanes: list[str | None] = []
    rows: list[tuple[int, list[tuple[int, int, bool]]]] = []
    for index, (name, sources) in enumerate(steps):
        before = [(lane, value) for lane, value in enumerate(lanes) if value is not None]
        ending = [lane for lane, value in before if last[value] == index]
        for lane in ending:
            lanes[lane] = None
        own = min(ending) if ending else _free(lanes)
        taken = [(lane, own, lane not in ending) for lane, value in before if value in sources]
        passing = [(lane, lane, True) for lane, value in before if value not in sources]
        lanes[own] = name if name in last else None
        rows.append((own, taken + passing))
    gap = max(5.0, min(14.0, 150 / max(len(lanes), 1)))
    drawn = (
        _lane_row(own, edges, gap, goes_on=name in last)
        for (own, edges), (name, _) in zip(rows, steps, strict=True)
    )
    return round(len(lanes) * gap + 4, 1), tuple(drawn)


def _free(lanes: list[str | None]) -> int:
    """Return the first free lane, or a new lane if all are taken."""
    if None not in lanes:
        lanes.append(None)
    return lanes.index(None)


def _lane_row(
    own: int, edges: list[tuple[int, int, bool]], gap: float, *, goes_on: bool
) -> LaneRow:
    def x(lane: int) -> float:
        return round(2 + gap * (lane + 0.5), 1)

    middle, paths = ROW // 2, []
    for start, end, passes in edges:
        if passes:
            paths.append(f"M{x(start)} 0V{ROW}")
        if start != end:
            paths.append(f"M{x(start)} 0C{x(start)} {middle} {x(end)} 2 {x(end)} {middle}")
        elif not passes:
            paths.append(f"M{x(start)} 0V{middle}")
    if goes_on:
        paths.append(f"M{x(own)} {middle}V{ROW}")
    return LaneRow(x(own), tuple(paths))


def _curve(kind: str, points: list[tuple[float, float] | None]) -> Curve:
    pieces: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            pieces.append([])
        else:
            pieces[-1].append(point)
    kept = [piece * 2 if len(piece) == 1 else piece for piece in pieces if piece]
    lines = tuple(" ".join(f"{x},{y}" for x, y in piece) for piece in kept)
    return Curve(kind, lines, kept[-1][-1])


def _describe(title: str, series: Mapping[str, Sequence[float | None]]) -> str:
    parts = []
    for kind, line in series.items():
        known = [each for each in line if each is not None]
        if known:
            parts.append(f"{kind} from {known[0]:.4g} to {known[-1]:.4g}")
    return f"{title} by epoch: {', '.join(parts)}."


def _round_step(least: float) -> float:
    """Return the least 1, 2 or 5 times a power of ten that is not below ``least``."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * each for each in (1, 2, 5, 10) if power * each >= least * (1 - 1e-9))


def _decades(low: float, high: float) -> tuple[float, ...]:
    """Return powers of ten around a range, at most about five."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return tuple(10.0**each for each in range(first, last + 1, 1 + (last - first) // 6))


def _epoch_marks(epochs: int) -> tuple[int, ...]:
    """Return the first epoch and round ones."""
    step = int(max(1.0, _round_step(max(epochs, 2) / 6)))
    return (
        1,
        *(each for each in range(step, epochs + 1, step) if each - 1 >= step / 2 and each > 1),
    )
