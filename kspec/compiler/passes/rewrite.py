"""The rewriter of passes: one walk over a graph, with rules keyed by operation class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from kspec.compiler.ir import Array, Graph, Node, Origin, TensorType, Value
from kspec.compiler.names import Names
from kspec.compiler.ops import Identity, Op
from kspec.compiler.table import Table

RewriteRule = Callable[[Node, "Rewrite"], Value | tuple[Value, ...] | None]
"""Returns the value that replaces the node's output (a tuple for several), or None to keep the
node."""


class Rewrite:
    """A graph under construction. Rules receive rewritten inputs, and add nodes with ``emit`` and
    constants with ``constant``; ``remove_dead`` removes unread nodes later."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.constants = dict(graph.constants)
        self.nodes: list[Node] = []
        self.producers: dict[str, Node] = {}
        self.uses: Counter[str] = Counter()
        """The number of reads of each value in the original graph; being an output is a read."""
        self._stands_for: dict[str, Value] = {}
        self._names = Names((*(value.name for value in graph.values()), *graph.constants))
        for node in graph.nodes:
            self.uses.update(value.name for value in node.inputs)
        self.uses.update(value.name for value in graph.outputs)

    def run(self, rules: Table[RewriteRule]) -> Graph:
        for old in self.graph.nodes:
            node = replace(old, inputs=tuple(map(self.current, old.inputs)))
            rule = rules.get(type(node.op))
            found = rule(node, self) if rule else None
            if found is None:
                self._append(node)
                continue
            values = found if isinstance(found, tuple) else (found,)
            for output, value in zip(node.outputs, values, strict=True):
                self._stands_for[output.name] = value
                if value.name != output.name:
                    self.uses[value.name] += self.uses[output.name]
        return self._finish()

    def current(self, value: Value) -> Value:
        """Return the current replacement of a value of the original graph."""
        return self._stands_for.get(value.name, value)

    def array(self, value: Value) -> Array | None:
        """Return the array of a constant, or None for a computed value."""
        return self.constants.get(value.name)

    def scalar(self, value: Value) -> float | None:
        """Return the number of a constant whose elements are all equal, else None."""
        array = self.array(value)
        if array is None or array.size == 0 or (array != array.flat[0]).any():
            return None
        return float(array.flat[0])

    def producer(self, value: Value, *classes: type[Op]) -> Node | None:
        """Return the node that computes a value if its op is one of the classes and the value has
        one reader, else None."""
        node = self.producers.get(value.name)
        if node is None or not isinstance(node.op, classes) or self.uses[value.name] > 1:
            return None
        return node

    def constant(self, name: str, array: Array) -> Value:
        """Add a constant under the name, with a suffix if that name is in use."""
        array = np.asarray(array)
        value = Value(self.fresh(name), TensorType.of(array))
        self.constants[value.name] = array
        return value

    def emit(self, op: Op, *inputs: Value, name: str, origin: Origin) -> Value:
        """Add a node with one output. The value with the same numbers may reuse the name of the
        node that is being replaced."""
        (output,) = self.emit_all(op, *inputs, names=[name], origin=origin)
        return output

    def emit_all(
        self, op: Op, *inputs: Value, names: Sequence[str], origin: Origin
    ) -> tuple[Value, ...]:
        """Add a node with an output for each name."""
        free = [name if name not in self.producers else self.fresh(name) for name in names]
        types = op.infer(*(value.type for value in inputs))
        outputs = tuple(Value(*pair) for pair in zip(free, types, strict=True))
        for name in free:
            self.uses[name] = self.uses[name] or 1
        self._append(Node(op, inputs, outputs, origin))
        return outputs

    def step(self, node: Node, op: Op, *inputs: Value, part: str) -> Value:
        """Add an intermediate result for a node's output, named ``<node>/<part>``."""
        return self.emit(op, *inputs, name=self.fresh(f"{node.name}/{part}"), origin=node.origin)

    def result(self, node: Node, op: Op, *inputs: Value) -> Value:
        """Add the replacement of a node's output, under the same name."""
        return self.emit(op, *inputs, name=node.name, origin=node.origin)

    def _append(self, node: Node) -> None:
        self.nodes.append(node)
        self.producers.update({output.name: node for output in node.outputs})

    def fresh(self, name: str) -> str:
        """Return the name, with a suffix if it is in use."""
        return self._names.fresh(name)

    def _finish(self) -> Graph:
        """Restore the names of public outputs."""
        renamed: dict[str, Value] = {}
        origins = self.graph.producers()
        public = {value.name for value in (*self.graph.outputs, *self.graph.inputs)}
        for output in self.graph.outputs:
            value = self.current(output)
            if value.name == output.name:
                continue
            if value.name in self.producers and value.name not in public | set(renamed):
                renamed[value.name] = Value(output.name, value.type)
            else:
                origin = origins[output.name].origin
                named = Value(output.name, value.type)
                self._append(Node(Identity(), (value,), (named,), origin))
        nodes = tuple(_rename(node, renamed) for node in self.nodes)
        types = {value.name: value for node in nodes for value in node.outputs}
        outputs = tuple(types.get(value.name, value) for value in self.graph.outputs)
        return replace(self.graph, outputs=outputs, nodes=nodes, constants=self.constants)


def rewrite(graph: Graph, rules: Table[RewriteRule]) -> Graph:
    """Walk the graph once, in order, and apply to each node the rule of its operation's class."""
    return Rewrite(graph).run(rules)


def _rename(node: Node, names: dict[str, Value]) -> Node:
    if not names:
        return node
    inputs = tuple(names.get(value.name, value) for value in node.inputs)
    outputs = tuple(names.get(value.name, value) for value in node.outputs)
    return replace(node, inputs=inputs, outputs=outputs)
