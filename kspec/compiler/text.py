"""The text form of a graph, for people, tests and diffs: one line per node.

::

    graph digits(pixels: float32[batch, 8, 8, 1]) -> (digit: float32[batch, 10])
    const conv2d/kernel: float32[3, 3, 1, 16]
    conv2d: float32[batch, 6, 6, 16] = Conv(pixels, conv2d/kernel, strides=[1, 1]) @ conv2d [0]

The layer and the route of the node's origin follow ``@``. Fields are written if they differ from
their defaults. Constants are declared without their elements. Names with characters other than
letters, digits and ``_ / . -`` are quoted as in JSON; ``#`` starts a comment. A field that is a
graph, such as the body of a loop, is written between braces on separate lines::

    sum: float32[batch, 4] = Scan(start, steps, body={
      graph body(s: float32[batch, 4], x: float32[batch, 4]) -> (next: float32[batch, 4])
      next: float32[batch, 4] = Add(s, x)
    }, states=1, scanned=1)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from textwrap import indent

from kspec.compiler.fields import describe
from kspec.compiler.ir import Graph, Node, Op, Origin, TensorType, Value

BARE = re.compile(r"[A-Za-z_][\w/.-]*", re.ASCII)
"""Names that need no quotes."""


def format_graph(graph: Graph) -> str:
    """Return the text of a graph, with a final newline; equal graphs have equal texts."""
    header = f"graph {_name(graph.name)}({_values(graph.inputs)}) -> ({_values(graph.outputs)})"
    constants = (
        f"const {_value(Value(name, TensorType.of(array)))}"
        for name, array in graph.constants.items()
    )
    return "\n".join((header, *constants, *map(_node, graph.nodes))) + "\n"


def _node(node: Node) -> str:
    arguments = [_name(value.name) for value in node.inputs]
    arguments += [f"{key}={_literal(value)}" for key, value in describe(node.op).items()]
    call = f"{_values(node.outputs)} = {type(node.op).__name__}({', '.join(arguments)})"
    if node.origin == Origin():
        return call
    route = ", ".join(_name(key) if isinstance(key, str) else str(key) for key in node.origin.route)
    return f"{call} @ {_name(node.origin.layer)} [{route}]"


def _values(values: Iterable[Value]) -> str:
    return ", ".join(map(_value, values))


def _value(value: Value) -> str:
    shape = ", ".join(_name(dim) if isinstance(dim, str) else str(dim) for dim in value.shape)
    return f"{_name(value.name)}: {value.dtype}[{shape}]"


def _name(name: str) -> str:
    return name if BARE.fullmatch(name) else json.dumps(name)


def _literal(value: object) -> str:
    match value:
        case tuple():
            return f"[{', '.join(map(_literal, value))}]"
        case None | bool():
            return str(value).lower()
        case str():
            return json.dumps(str(value))
        case float() | int():
            return repr(value)
        case Graph():
            return f"{{\n{indent(format_graph(value), '  ')}}}"
        case Op():  # a format's own op can be written, but not parsed
            fields = (f"{key}={_literal(each)}" for key, each in describe(value).items())
            return f"{type(value).__name__}({', '.join(fields)})"
    raise TypeError(f"{value!r} has no text form")
