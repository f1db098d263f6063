"""Conversion of convolutional regions of a graph to (batch, channels, …spatial)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array, Graph, Node, Origin, Shape, Value
from kspec.compiler.ops.reduction import ArgReduction
from kspec.compiler.passes.as_convolutions import SEEDS, as_convolutions, sequential
from kspec.compiler.passes.moves import AGNOSTIC, MOVES, to_first, to_last
from kspec.compiler.passes.remove_dead import remove_dead
from kspec.compiler.passes.rewrite import Rewrite

SUFFIX = "/channels_first"
"""Suffix for the name of a value whose channels have moved to the second axis."""


def channels_first(graph: Graph) -> Graph:
    """Convert convolutions, pooling, resizing and all operations between them to channels-first.

    Transposes remain only at the edges of a converted region; a transpose becomes a reshape if at
    most one of the moved axes is longer than 1. A flattened value that only Linear reads, directly
    or through elementwise operations, keeps the new order; the rows of the kernel are permuted.
    """
    return remove_dead(_Mover(as_convolutions(graph)).move())


class _Mover(Rewrite):
    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self._first: dict[str, Value] = {}
        self._widened: dict[tuple[str, int], Value] = {}
        self._flattened: dict[str, tuple[Value, Array]] = {}
        self._kernels: dict[str, Value] = {}
        self._readers = graph.consumers()
        self._public = {value.name for value in graph.outputs}
        self._sequential = sequential(graph)

    def move(self) -> Graph:
        for node in self.graph.nodes:
            if self._moves(node):
                self._move(node)
            elif not self._flatten(node) and not self._carry(node):
                self._append(replace(node, inputs=tuple(map(self._as_last, node.inputs))))
        for output in self.graph.outputs:
            self._as_last(output)
        return self._finish()

    def _moves(self, node: Node) -> bool:
        if type(node.op) not in MOVES or len(node.outputs) > 1 or not node.inputs:
            return False
        if isinstance(node.op, SEEDS):
            return getattr(node.op, "channels", "last") == "last"
        ranks = {value.type.rank for value in node.inputs if value.name in self._first}
        rank = max(value.type.rank for value in node.inputs)
        if node.name in self._sequential and self._mixed(node):
            return False
        return ranks == {rank} and _keeps_batch(node, rank)

    def _mixed(self, node: Node) -> bool:
        """Return whether the node reads values in both orders, like a residual Add."""
        computed = [value for value in node.inputs if self._computed(value)]
        return any(value.name not in self._first for value in computed)

    def _move(self, node: Node) -> None:
        rank = max(value.type.rank for value in node.inputs)
        op = MOVES[type(node.op)](node.op, rank)
        if isinstance(node.op, ops.Conv | ops.ConvTranspose):
            x, kernel, *bias = node.inputs
            inputs = (self._as_first(x, x.type.rank), self._kernel(kernel), *bias)
        else:
            inputs = tuple(self._as_first(value, rank) for value in node.inputs)
        kept = op.infer(*(value.type for value in inputs))[0].rank
        if kept < rank and not _order_changes(node.op, rank):
            self.result(node, op, *inputs)
        else:
            name = self.fresh(node.name + SUFFIX)
            self._first[node.name] = self.emit(op, *inputs, name=name, origin=node.origin)

    def _as_first(self, value: Value, rank: int) -> Value:
        if value.name in self._first:
            return self._first[value.name]
        if value.type.rank == 0:
            return value
        if (value.name, rank) in self._widened:
            return self._widened[value.name, rank]
        before = self.producers.get(value.name)
        if before is not None and before.op == ops.Transpose(to_last(rank)):
            self._first[value.name] = before.inputs[0]
            return before.inputs[0]
        array = self.array(value)
        full = (1,) * (rank - value.type.rank) + value.shape
        if array is not None:
            transposed = np.ascontiguousarray(
                np.transpose(array[(None,) * (rank - array.ndim)], to_first(rank))
            )
            first = self.constant(value.name + SUFFIX, transposed)
        else:
            first = self._transposed(value, full, to_first(rank), self.fresh(value.name + SUFFIX))
        if array is None and value.type.rank == rank:
            self._first[value.name] = first
        else:
            self._widened[value.name, rank] = first
        return first

    def _as_last(self, value: Value) -> Value:
        first = self._first.get(value.name)
        if first is None or value.name in self.producers or not self._computed(value):
            return value
        return self._transposed(first, first.shape, to_last(first.type.rank), value.name)

    def _computed(self, value: Value) -> bool:
        """Return whether a node computes the value; inputs and constants exist channels-last."""
        inputs = {each.name for each in self.graph.inputs}
        return value.name not in self.graph.constants and value.name not in inputs

    def _transposed(self, value: Value, full: Shape, perm: tuple[int, ...], name: str) -> Value:
        """Transpose a value, or reshape it if no two axes longer than 1 change their order."""
        origin = self.producers[value.name].origin if value.name in self.producers else Origin()
        shape = tuple(full[axis] for axis in perm)
        long = [axis for axis in perm if full[axis] != 1]
        if long == sorted(long):
            return self.emit(ops.Reshape(shape), value, name=name, origin=origin)
        if full != value.shape:
            wide = self.fresh(f"{value.name}/widened")
            value = self.emit(ops.Reshape(full), value, name=wide, origin=origin)
        return self.emit(ops.Transpose(perm), value, name=name, origin=origin)

    def _kernel(self, kernel: Value) -> Value:
        if kernel.name not in self._kernels:
            rank = kernel.type.rank
            perm = (rank - 1, rank - 2, *range(rank - 2))
            array, name = self.array(kernel), kernel.name + SUFFIX
            if array is None:
                kernel_last = self._as_last(kernel)
                moved_kernel = self._transposed(kernel_last, kernel.shape, perm, self.fresh(name))
            else:
                moved_kernel = self.constant(name, np.ascontiguousarray(array.transpose(perm)))
            self._kernels[kernel.name] = moved_kernel
        return self._kernels[kernel.name]

    def _flatten(self, node: Node) -> bool:
        """Keep the new order through a Reshape to (batch, elements)."""
        if not isinstance(node.op, ops.Reshape) or node.inputs[0].name not in self._first:
            return False
        (x,), output = node.inputs, node.output
        if output.type.rank != 2 or output.shape[0] != x.shape[0]:
            return False
        if any(isinstance(dim, str) for dim in x.shape[1:]):
            return False
        if not self._permutable(output):
            return False
        first = self._first[x.name]
        order = np.arange(int(output.shape[1])).reshape([int(dim) for dim in x.shape[1:]])
        perm = (x.type.rank - 2, *range(x.type.rank - 2))
        name = self.fresh(node.name + SUFFIX)
        flat = self.emit(ops.Reshape(output.shape), first, name=name, origin=node.origin)
        self._flattened[node.name] = (flat, order.transpose(perm).reshape(-1))
        return True

    def _permutable(self, flat: Value) -> bool:
        """Return whether every reader can read the elements in another order."""
        if flat.name in self._public:
            return False
        for reader in self._readers.get(flat.name, []):
            others = [value for value in reader.inputs if value.name != flat.name]
            if any(self.array(value) is None for value in others):
                return False
            if isinstance(reader.op, ops.Linear):
                carried = reader.inputs[0] == flat
            else:
                same = type(reader.op) in AGNOSTIC and reader.output.shape == flat.shape
                carried = same and self._permutable(reader.output)
            if not carried:
                return False
        return True

    def _carry(self, node: Node) -> bool:
        """Permute the constants of a node that reads a flattened value in the new order."""
        found = [self._flattened[v.name] for v in node.inputs if v.name in self._flattened]
        if not found:
            return False
        order = found[0][1]
        if isinstance(node.op, ops.Linear):
            (flat, _), kernel = found[0], self._ordered(node.inputs[1], order, axis=0)
            self._append(replace(node, inputs=(flat, kernel, *node.inputs[2:])))
            return True
        inputs = [
            self._flattened[value.name][0]
            if value.name in self._flattened
            else self._ordered(value, order, axis=-1)
            for value in node.inputs
        ]
        name = self.fresh(node.name + SUFFIX)
        carried = self.emit(node.op, *inputs, name=name, origin=node.origin)
        self._flattened[node.name] = (carried, order)
        return True

    def _ordered(self, value: Value, order: Array, axis: int) -> Value:
        array = self.array(value)
        assert array is not None
        if array.ndim == 0 or array.shape[axis] == 1:
            return value
        return self.constant(value.name + SUFFIX, np.take(array, order, axis))


def _keeps_batch(node: Node, rank: int) -> bool:
    """Return whether inputs and output share the first axis, as the new order assumes. It is false
    if a reduction drops that axis or a broadcast adds an axis before it."""
    if isinstance(node.op, ops.Reduction) and not node.op.keepdims:
        return 0 not in node.op.axes
    if isinstance(node.op, ArgReduction) and not node.op.keepdims:
        return node.op.axis != 0
    return node.output.type.rank == rank


def _order_changes(op: ops.Op, rank: int) -> bool:
    """Return whether a reduction's remaining axes have another order with channels first."""
    gone = op.axes if isinstance(op, ops.Reduction) else (getattr(op, "axis", 0) % rank,)
    left = [axis for axis in to_first(rank) if axis not in gone]
    return left != sorted(left)
