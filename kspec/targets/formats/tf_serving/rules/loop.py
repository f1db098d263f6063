"""Loops over time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kspec.compiler import ops
from kspec.compiler.ir import TensorType
from kspec.compiler.table import Table
from kspec.targets.formats.tf_serving import lazy as tf

rules: Table[Callable[..., Any]] = Table("tf_serving")

Step = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""The body of a loop: its outputs by name, for its inputs by name."""


def static(type_: TensorType) -> list[int | None]:
    """Return the TensorFlow shape, with None for a symbolic dimension."""
    return [dim if isinstance(dim, int) else None for dim in type_.shape]


@contextmanager
def within_the_graph() -> Iterator[None]:
    """Write loops as nodes of the graph, whose names depend on the graph alone. By default
    TensorFlow writes functions, names them by process-wide numbers, and inlines them before it runs
    them."""
    apart = tf.compat.v1.control_flow_v2_enabled()
    tf.compat.v1.disable_control_flow_v2()
    try:
        yield
    finally:
        if apart:
            tf.compat.v1.enable_control_flow_v2()


@rules(ops.Scan)
@within_the_graph()
def scan(op: ops.Scan, step: Step, *inputs: Any) -> list[Any]:
    """Write a loop; TensorArrays stack and unstack along the first axis, so time is moved there."""
    states, rest = list(inputs[: op.states]), inputs[op.states :]
    sequences, captured = rest[: op.scanned], rest[op.scanned :]
    count = tf.shape(sequences[0])[1]
    backwards = op.direction == "reverse"
    parts = [
        tf.TensorArray(each.dtype, count, infer_shape=False).unstack(
            _swapped(each, each.shape.rank)
        )
        for each in sequences
    ]
    outputs = [
        tf.TensorArray(value.dtype.value, count, infer_shape=False)
        for value in op.body.outputs[op.states :]
    ]

    def body(done: Any, states: list[Any], outputs: list[Any]) -> Any:
        at = count - 1 - done if backwards else done
        given = [*states, *(each.read(at) for each in parts), *captured]
        named = list(zip(op.body.inputs, given, strict=True))
        for value, tensor in named:
            tensor.set_shape(static(value.type))
        results = step({value.name: tensor for value, tensor in named})
        found = [results[value.name] for value in op.body.outputs]
        written = zip(outputs, found[op.states :], strict=True)
        return done + 1, found[: op.states], [each.write(at, part) for each, part in written]

    start = (tf.constant(0), states, outputs)
    shapes = (
        tf.TensorShape([]),
        [tf.TensorShape(static(value.type)) for value in op.body.inputs[: op.states]],
        [tf.TensorShape(None) for _ in outputs],
    )
    _, states, outputs = tf.while_loop(
        lambda done, *_: done < count, body, start, shape_invariants=shapes
    )
    given = zip(outputs, op.body.outputs[op.states :], strict=True)
    return [*states, *(_swapped(each.stack(), value.type.rank + 1) for each, value in given)]


def _swapped(sequence: Any, rank: int) -> Any:
    """Swap batch and time."""
    return tf.transpose(sequence, [1, 0, *range(2, rank)])
