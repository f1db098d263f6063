"""Two recurrent layers that read one sequence in both directions, as a single ONNX operator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array, Graph, Node, Op, TensorType, Value
from kspec.compiler.ops.base import OpError
from kspec.compiler.passes.remove_dead import remove_dead
from kspec.compiler.passes.rewrite import Rewrite, RewriteRule, rewrite
from kspec.compiler.reference import RULES
from kspec.compiler.table import Table


@dataclass(frozen=True, slots=True)
class Bidirectional(Op):
    """A recurrent layer run in both directions.

    Inputs: x[batch, time, features], then kernel, recurrent kernel, bias and initial states of the
    forward direction, then the same of the backward direction. Outputs: the sequence
    [batch, time, 2 · units] and the final states [batch, 2 · units], forward units first.
    """

    layer: ops.Recurrent

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        x, *rest = inputs
        half = len(rest) // 2
        found = [self.layer.infer(x, *part) for part in (rest[:half], rest[half:])]
        if found[0] != found[1]:
            raise OpError(f"layers of {found[0][0]} and {found[1][0]} side by side")
        return tuple(
            each.with_shape(*each.shape[:-1], 2 * int(each.shape[-1])) for each in found[0]
        )


def _evaluate(op: Bidirectional, x: Array, *inputs: Array) -> tuple[Array, ...]:
    """Evaluate both directions by the reference of the single layer and concatenate the units."""
    half, single = len(inputs) // 2, RULES[type(op.layer)]
    forward = single(op.layer, x, *inputs[:half])
    backward = single(replace(op.layer, direction="reverse"), x, *inputs[half:])
    return tuple(np.concatenate(pair, -1) for pair in zip(forward, backward, strict=True))


REFERENCE: Mapping[type, Callable[..., Any]] = MappingProxyType({Bidirectional: _evaluate})


def pair_directions(graph: Graph) -> Graph:
    """Merge each pair of layers that differ only in direction and weights into one
    `Bidirectional`. Must run last: other passes do not know this op."""
    pairs = {node.name: pair for pair in _pairs(graph) for node in pair}
    if not pairs:
        return graph
    made: dict[str, tuple[Value, ...]] = {}

    def paired(node: Node, result: Rewrite) -> tuple[Value, ...] | None:
        if node.name not in pairs:
            return None
        if node.name not in made:
            forward, backward = pairs[node.name]
            halves = _both(forward, backward, result)
            made[forward.name], made[backward.name] = halves
        return made[node.name]

    rules: Table[RewriteRule] = Table("pair_directions", {ops.Concat: _rejoined})
    rules(ops.Rnn, ops.Gru, ops.Lstm)(paired)
    return remove_dead(rewrite(graph, rules))


def _pairs(graph: Graph) -> Iterator[tuple[Node, Node]]:
    """Yield pairs (forward, backward) of which the later node could be moved to the earlier one."""
    known = {value.name for value in graph.inputs} | set(graph.constants)
    waiting: dict[tuple[object, ...], tuple[Node, set[str]]] = {}
    for node in graph.nodes:
        op = node.op
        if isinstance(op, ops.Rnn | ops.Gru | ops.Lstm):
            types = tuple(value.type for value in node.inputs[1:])
            key = (replace(op, direction="forward"), node.inputs[0], types)
            first, before = waiting.pop(key, (None, known))
            if first is None or first.op == op or not _names(node) <= before:
                waiting[key] = node, set(known)
            else:
                yield (first, node) if op.direction == "reverse" else (node, first)
        known |= {value.name for value in node.outputs}


def _names(node: Node) -> set[str]:
    return {value.name for value in node.inputs}


def _both(
    forward: Node, backward: Node, graph: Rewrite
) -> tuple[tuple[Value, ...], tuple[Value, ...]]:
    """Return the outputs of each layer, as halves of the outputs of a `Bidirectional`."""
    assert isinstance(forward.op, ops.Recurrent)
    given = [graph.current(value) for node in (forward, backward) for value in node.inputs[1:]]
    names = [graph.fresh(f"{value.name}/both") for value in forward.outputs]
    x = graph.current(forward.inputs[0])
    op = Bidirectional(forward.op)
    wide = graph.emit_all(op, x, *given, names=names, origin=forward.origin)
    units = int(forward.outputs[0].shape[-1])
    return (
        _part(forward, wide, graph, 0, units),
        _part(backward, wide, graph, units, 2 * units),
    )


def _part(
    node: Node, wide: tuple[Value, ...], graph: Rewrite, start: int, stop: int
) -> tuple[Value, ...]:
    return tuple(
        graph.step(
            node, ops.Slice((each.type.rank - 1,), (start,), (stop,), (1,)), each, part="own"
        )
        for each in wide
    )


def _rejoined(node: Node, graph: Rewrite) -> Value | None:
    """Replace a concatenation of both halves by the whole."""
    sources = [graph.producers.get(value.name) for value in node.inputs]
    if len(sources) != 2 or any(each is None or type(each.op) is not ops.Slice for each in sources):
        return None
    first, second = (each for each in sources if each is not None)
    (whole,) = first.inputs
    origin = graph.producers.get(whole.name)
    if origin is None or not isinstance(origin.op, Bidirectional) or second.inputs != (whole,):
        return None
    in_order = first.op.starts == (0,) and second.op.starts != (0,)  # type: ignore[attr-defined]
    return whole if in_order and whole.type == node.output.type else None
