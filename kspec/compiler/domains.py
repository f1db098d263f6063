"""Expected ranges of a graph's inputs, derived from the operations that read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array, Graph, Node, Op, Value

INF = float("inf")


@dataclass(frozen=True, slots=True)
class Domain:
    """The expected range of one input's elements. The defaults mean that nothing is known."""

    low: float = -INF
    """The least value that every consumer accepts, such as the first index of a table."""
    high: float = INF
    """The greatest value that every consumer accepts."""
    thresholds: tuple[float, ...] = ()
    """The numbers that elements are compared with, ascending."""
    padding: float | None = None
    """The value that a mask compares elements with for equality and marks as absent."""
    center: Array = field(default_factory=lambda: np.zeros(()))
    """The value that the first scaling maps to 0: a scalar or a vector over the last axis."""
    spread: Array = field(default_factory=lambda: np.ones(()))
    """The distance from ``center`` that the first scaling maps to 1."""

    @property
    def scaled(self) -> bool:
        """Whether the network scales the input before anything else."""
        return bool(self.center.any() or (self.spread != 1).any())


@dataclass(frozen=True, slots=True)
class _View:
    """A value that is ``factor`` · input + ``shift``; both broadcast over the last axis."""

    factor: Array
    shift: Array

    def __call__(self, low: float, high: float) -> tuple[float, float]:
        """Return the least and the greatest input whose view lies in the range."""
        with np.errstate(all="ignore"):
            ends = np.stack([(low - self.shift) / self.factor, (high - self.shift) / self.factor])
        return float(ends.min(axis=0).max()), float(ends.max(axis=0).min())


def input_domains(graph: Graph) -> dict[str, Domain]:
    """Return the domain of each input, by name."""
    return {value.name: _domain(graph, value) for value in graph.inputs}


@dataclass(slots=True)
class _Found:
    low: float = -INF
    high: float = INF
    thresholds: set[float] = field(default_factory=set)
    paddings: list[float] = field(default_factory=list)
    scalings: list[_View] = field(default_factory=list)

    def limit(self, low: float, high: float) -> None:
        """Intersect the range with a consumer's range; keep the old one if they are disjoint."""
        if max(self.low, low) <= min(self.high, high):
            self.low, self.high = max(self.low, low), min(self.high, high)


def _domain(graph: Graph, source: Value) -> Domain:
    views = {source.name: _View(np.ones(()), np.zeros(()))}
    found = _Found()
    for node in graph.nodes:
        for place, value in enumerate(node.inputs):
            if (view := views.get(value.name)) is None:
                continue
            if (consume := _CONSUMERS.get(type(node.op))) is not None:
                consume(node, place, view, graph, found)
            elif (carried := _carried(node, place, view, graph)) is not None:
                views[node.name] = carried
            else:
                found.scalings.append(view)
    return _summary(found, source)


def _summary(found: _Found, source: Value) -> Domain:
    scalings = [each for each in found.scalings if _scales(each)]
    center, spread = np.zeros(()), np.ones(())
    if scalings and len(scalings) == len(found.scalings):
        first = scalings[0]
        fits = first.factor.size == 1 or first.factor.shape[-1:] == source.shape[-1:]
        if fits:
            center, spread = -first.shift / first.factor, 1 / np.abs(first.factor)
    return Domain(
        found.low,
        found.high,
        tuple(sorted(found.thresholds)),
        found.paddings[0] if found.paddings else None,
        center,
        spread,
    )


def _scales(view: _View) -> bool:
    usable = np.isfinite(view.factor).all() and (view.factor != 0).all()
    return bool(usable and ((view.factor != 1).any() or view.shift.any()))


def _carried(node: Node, place: int, view: _View, graph: Graph) -> _View | None:
    """Return the view after the node; None if the result is not an affine view of the input."""
    if isinstance(node.op, _MOVES):
        if view.factor.size == view.shift.size == 1 or isinstance(node.op, ops.Identity | ops.Cast):
            return view
        return _View(np.asarray(view.factor.mean()), np.asarray(view.shift.mean()))
    arithmetic = _ARITHMETIC.get(type(node.op))
    if arithmetic is None:
        return None
    other = graph.constant(node.inputs[1 - place])
    if other is None or other.size not in (1, *other.shape[-1:]):
        return None
    constant = other.astype(np.float64).reshape(other.shape[-1:] if other.size > 1 else ())
    with np.errstate(all="ignore"):
        return arithmetic(view, constant, place)


def _divide(view: _View, constant: Array, place: int) -> _View | None:
    return None if place else _View(view.factor / constant, view.shift / constant)


def _subtract(view: _View, constant: Array, place: int) -> _View:
    if place:
        return _View(-view.factor, constant - view.shift)
    return _View(view.factor, view.shift - constant)


_MOVES = (
    ops.Identity,
    ops.Cast,
    ops.Reshape,
    ops.Transpose,
    ops.Slice,
    ops.BroadcastTo,
    ops.Repeat,
    ops.Tile,
    ops.Concat,
)
_ARITHMETIC: Mapping[type[Op], Callable[[_View, Array, int], _View | None]] = {
    ops.Add: lambda view, constant, _: _View(view.factor, view.shift + constant),
    ops.Subtract: _subtract,
    ops.Multiply: lambda view, constant, _: _View(view.factor * constant, view.shift * constant),
    ops.Divide: _divide,
}


def _gather(node: Node, place: int, view: _View, graph: Graph, found: _Found) -> None:
    op = node.op
    assert isinstance(op, ops.Gather | ops.TakeAlongAxis)
    table = node.inputs[0]
    size = table.shape[op.axis]
    if place == 1 and isinstance(size, int):
        found.limit(*view(0, size - 1))
    del graph


def _equal(node: Node, place: int, view: _View, graph: Graph, found: _Found) -> None:
    for value in _constants(node, place, graph):
        values = np.unique([view(each, each)[0] for each in value.reshape(-1).tolist()])
        if values.size == 1:
            found.paddings.append(float(values[0]))
        else:
            found.limit(float(values.min()), float(values.max()))


def _compare(node: Node, place: int, view: _View, graph: Graph, found: _Found) -> None:
    for value in _constants(node, place, graph):
        found.thresholds |= {view(each, each)[0] for each in value.reshape(-1).tolist()}


def _constants(node: Node, place: int, graph: Graph) -> Iterator[Array]:
    value = graph.constant(node.inputs[1 - place])
    if value is not None and value.size:
        yield value


_Consume = Callable[[Node, int, _View, Graph, _Found], None]


def _each(consume: _Consume, kinds: Sequence[type[Op]]) -> dict[type[Op], _Consume]:
    return dict.fromkeys(kinds, consume)


_CONSUMERS: Mapping[type[Op], _Consume] = {
    **_each(_gather, (ops.Gather, ops.TakeAlongAxis)),
    **_each(_equal, (ops.Equal, ops.NotEqual)),
    **_each(_compare, (ops.Less, ops.LessEqual, ops.Greater, ops.GreaterEqual)),
}
