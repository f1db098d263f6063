"""Rewriting of transposes of high rank, for formats that limit the rank of tensors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from kspec.compiler import ops
from kspec.compiler.ir import Dim, Graph, Node, Op, Shape, Value
from kspec.compiler.ops.base import Elementwise
from kspec.compiler.passes import Pass
from kspec.compiler.passes.remove_dead import remove_dead
from kspec.compiler.passes.rewrite import Rewrite, RewriteRule, rewrite
from kspec.compiler.table import Table

Run = tuple[int, ...]
"""Adjacent axes that a permutation keeps adjacent."""


def narrow_transposes(most: int) -> Pass:
    """Return a pass that rewrites each Transpose of more than ``most`` axes (``most`` ≥ 4).

    Axes that stay adjacent are merged. If too many remain, adjacent blocks are exchanged first, as
    often as needed. Reshapes before and after the Transpose, and elementwise operations between
    them, are rewritten too, so that no value of higher rank remains.
    """

    rules: Table[RewriteRule] = Table("narrow_transposes")
    rules(ops.Transpose)(partial(_transpose, most=most))
    rules(ops.Reshape)(partial(_reshape, most=most))
    rules(*_ELEMENTWISE)(partial(_elementwise, most=most))

    def run(graph: Graph) -> Graph:
        values = (value for node in graph.nodes for value in node.outputs)
        if all(value.type.rank <= most for value in values):
            return graph
        return remove_dead(rewrite(graph, rules))

    return run


_ELEMENTWISE: tuple[type[Op], ...] = tuple(
    op for op in ops.OPS.values() if issubclass(op, Elementwise)
)


def _transpose(node: Node, graph: Rewrite, most: int) -> Value | None:
    assert isinstance(node.op, ops.Transpose)
    shape, perm = node.inputs[0].shape, node.op.perm
    runs = _runs(perm, shape, most)
    if node.output.type.rank <= most or not _multiply(shape, runs, most):
        return None
    x = _source(node.inputs[0], graph)
    for sizes, order in _steps(runs, perm, shape, most):
        x = graph.step(node, ops.Reshape(sizes), x, part="blocks")
        x = graph.step(node, ops.Transpose(order), x, part="moved")
    return graph.result(node, ops.Reshape(node.output.shape), x)


def _reshape(node: Node, graph: Rewrite, most: int) -> Value | None:
    if node.inputs[0].type.rank <= most:
        return None
    return graph.result(node, node.op, _source(node.inputs[0], graph))


def _elementwise(node: Node, graph: Rewrite, most: int) -> Value | None:
    """Rewrite an elementwise operation on one tensor of high rank and scalars."""
    wide = [each for each in node.inputs if each.type.rank]
    if node.output.type.rank <= most or len(wide) != 1:
        return None
    source = _source(wide[0], graph)
    if source.type.rank > most:
        return None
    inputs = (source if each == wide[0] else each for each in node.inputs)
    x = graph.step(node, node.op, *inputs, part="few_axes")
    return graph.result(node, ops.Reshape(node.output.shape), x)


def _source(value: Value, graph: Rewrite) -> Value:
    """Return the value before any chain of Reshapes."""
    node = graph.producers.get(value.name)
    while node is not None and isinstance(node.op, ops.Reshape):
        (value,) = node.inputs
        node = graph.producers.get(value.name)
    return value


def _runs(perm: Sequence[int], shape: Shape, most: int) -> list[Run]:
    """Return the runs of a permutation, in input order, without axes of size 1. Symbolic axes stay
    separate if ``most`` allows it: a product of sizes cannot be measured on an input."""
    kept = [axis for axis in perm if shape[axis] != 1]
    place = {axis: number for number, axis in enumerate(sorted(kept))}
    for apart in (True, False):
        runs: list[Run] = []
        for axis in kept:
            if runs and _joins(runs[-1][-1], axis, place, shape if apart else ()):
                runs[-1] = (*runs[-1], axis)
            else:
                runs.append((axis,))
        if len(runs) <= most:
            break
    return sorted(runs)


def _joins(last: int, axis: int, place: Mapping[int, int], shape: Shape) -> bool:
    """Return whether an axis follows the last one in the input too, and neither is symbolic."""
    named = bool(shape) and any(isinstance(shape[each], str) for each in (last, axis))
    return place[last] + 1 == place[axis] and not named


def _multiply(shape: Shape, runs: Sequence[Run], most: int) -> bool:
    """Return whether the sizes that may be multiplied are numbers and plain names."""
    joined = [run for run in runs if len(run) > 1 or len(runs) > most]
    names = (dim for run in joined for axis in run if isinstance(dim := shape[axis], str))
    return all(
        part.isidentifier() or part.isdecimal() for each in names for part in each.split("*")
    )


def _product(sizes: Sequence[Dim]) -> Dim:
    if len(sizes) == 1:
        return sizes[0]
    names = [size for size in sizes if isinstance(size, str)]
    number = math.prod(size for size in sizes if isinstance(size, int))
    return "*".join([*names, *([str(number)] if number != 1 else [])]) if names else number


def _steps(
    runs: Sequence[Run], perm: Sequence[int], shape: Shape, most: int
) -> Iterator[tuple[Shape, tuple[int, ...]]]:
    """Yield shapes and permutations of at most ``most`` axes whose composition permutes the
    runs."""
    wanted = sorted(range(len(runs)), key=lambda number: perm.index(runs[number][0]))
    rank = {number: place for place, number in enumerate(wanted)}
    now = list(range(len(runs)))
    while now != wanted:
        blocks = [[each] for each in now] if len(now) <= most else _blocks(now, rank)
        order = sorted(range(len(blocks)), key=lambda place: rank[blocks[place][0]])
        if len(blocks) > most:
            blocks, order = _exchange(now, rank)
        axes = ([axis for number in block for axis in runs[number]] for block in blocks)
        yield tuple(_product([shape[axis] for axis in each]) for each in axes), tuple(order)
        now = [number for place in order for number in blocks[place]]


def _blocks(now: Sequence[int], rank: Mapping[int, int]) -> list[list[int]]:
    """Return the longest blocks that are already in order."""
    blocks: list[list[int]] = []
    for number in now:
        if blocks and rank[blocks[-1][-1]] + 1 == rank[number]:
            blocks[-1].append(number)
        else:
            blocks.append([number])
    return blocks


def _exchange(now: Sequence[int], rank: Mapping[int, int]) -> tuple[list[list[int]], list[int]]:
    """Return the split into four blocks whose exchange of the middle two leaves the fewest blocks.
    Some exchange moves a block after its predecessor, so the number always decreases."""
    count = len(now)
    cuts = [
        (first, second, third)
        for first in range(count)
        for second in range(first + 1, count)
        for third in range(second + 1, count + 1)
    ]

    def left(cut: tuple[int, int, int]) -> int:
        first, second, third = cut
        moved = [*now[:first], *now[second:third], *now[first:second], *now[third:]]
        return len(_blocks(moved, rank))

    first, second, third = min(cuts, key=left)
    bounds = [(0, first), (first, second), (second, third), (third, count)]
    blocks = [list(now[low:high]) for low, high in bounds if high > low]
    order = list(range(len(blocks)))
    place = 1 if first else 0
    order[place], order[place + 1] = order[place + 1], order[place]
    return blocks, order
