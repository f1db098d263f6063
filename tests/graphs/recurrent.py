"""Recurrent layers and loops. Apart from the others: formats have them one by one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Dim, DType, Graph, TensorType, Value
from tests.graphs.builder import Builder, GraphCase

_UNITS, _FEATURES = 4, 3


def recurrent(
    case: str,
    op: ops.Recurrent,
    *,
    time: Dim = 5,
    mask: bool = False,
    states: str = "zeros",
    outputs: tuple[int, ...] | None = None,
) -> GraphCase:
    """A layer with random weights; its states are zeros, constants for all rows, or inputs.
    ``outputs`` are the numbers of those that are public."""
    build = Builder(case)
    inputs = [
        build.input("x", "batch", time, _FEATURES),
        build.random("kernel", _FEATURES, op.gates * _UNITS),
        build.random("recurrent_kernel", _UNITS, op.gates * _UNITS),
        build.random("bias", *op.bias_shape(_UNITS)),
    ]
    for name in ("h", "c")[: op.states]:
        if states == "inputs":
            inputs.append(build.input(f"{name}_start", "batch", _UNITS))
        elif states == "constants":
            inputs.append(build.random(f"{name}_start", 1, _UNITS))
        else:
            inputs.append(build.constant(f"{name}_start", np.zeros((1, _UNITS), np.float32)))
    if mask:
        inputs.append(build.input("mask", "batch", time, dtype=DType.boolean))
    results = build.add_all(("sequence", "h", "c")[: op.states + 1], op, *inputs)
    return build.case(*(results[k] for k in outputs or range(len(results))))


def layers() -> Iterator[GraphCase]:
    kinds: dict[str, ops.Recurrent] = {
        "Rnn": ops.Rnn(),
        "Gru": ops.Gru(),
        "Gru-reset-before": ops.Gru(reset_after=False),
        "Lstm": ops.Lstm(),
    }
    for name, op in kinds.items():
        fields = {field: getattr(op, field) for field in ("reset_after",) if hasattr(op, field)}
        yield recurrent(name, op)
        yield recurrent(f"{name}-reverse", type(op)(direction="reverse", **fields))
        yield recurrent(f"{name}-relu", type(op)(activation="relu", **fields), outputs=(0,))
        yield recurrent(f"{name}-inputs", op, states="inputs", outputs=(1,))
        yield recurrent(f"{name}-constants", op, states="constants", time=1)
        yield recurrent(f"{name}-masked", op, mask=True)
        yield recurrent(f"{name}-masked-held", op, mask=True, states="inputs")
        zero = type(op)(direction="reverse", masked="zero", **fields)
        yield recurrent(f"{name}-masked-zero", zero, mask=True, states="constants")
    for gate in ("linear", "hard_sigmoid", "softsign", "softplus"):
        yield recurrent(f"Rnn-{gate}", ops.Rnn(activation=gate), outputs=(1,))
    hard = ops.Lstm(activation="softsign", recurrent_activation="hard_sigmoid")
    yield recurrent("Lstm-hard", hard)
    yield recurrent("Gru-hard", ops.Gru(activation="relu", recurrent_activation="hard_sigmoid"))


def symbolic() -> Iterator[GraphCase]:
    for op in (ops.Rnn(), ops.Gru(), ops.Lstm(direction="reverse")):
        yield recurrent(f"{type(op).__name__}-time", op, time="time")
        yield recurrent(f"{type(op).__name__}-time-masked", op, time="time", mask=True)
    yield running("Scan-time", time="time")
    yield nested("Scan-nested-time", time="time")


def running(case: str, *, time: Dim = 5, reverse: bool = False) -> GraphCase:
    """s' = s / 2 + relu(x · k + y), gives s' and y · s' at each step: a vector of states with two
    sequences, one of them of another rank."""
    build = Builder(case)
    start = build.input("start", "batch", _UNITS)
    x, y = build.input("x", "batch", time, _FEATURES), build.input("y", "batch", time)
    kernel, half = (
        build.random("kernel", _FEATURES, _UNITS),
        build.constant("half", np.float32(0.5)),
    )
    inside = Builder(case)
    s, x0 = inside.input("s", "batch", _UNITS), inside.input("x0", "batch", _FEATURES)
    y0, k, h = inside.input("y0", "batch"), Value("k", kernel.type), Value("h", half.type)
    inside.inputs += [k, h]
    column = inside.add("column", ops.Reshape(("batch", 1)), y0)
    total = inside.add("total", ops.Add(), inside.add("product", ops.Linear(), x0, k), column)
    kept = inside.add("kept", ops.Multiply(), s, h)
    new = inside.add("new", ops.Add(), kept, inside.add("positive", ops.Relu(), total))
    given = inside.add("given", ops.Multiply(), new, column)
    body = Graph("body", tuple(inside.inputs), (new, given), tuple(inside.nodes))
    scan = ops.Scan(body, 1, 2, "reverse" if reverse else "forward")
    return build.case(*build.add_all(("final", "outputs"), scan, start, x, y, kernel, half))


def stateless() -> GraphCase:
    """A loop that keeps nothing from one step to the next."""
    build = Builder("Scan-stateless")
    x = build.input("x", "batch", 4, _FEATURES)
    inside = Builder("stateless")
    out = inside.add("out", ops.Softmax(1), inside.input("step", "batch", _FEATURES))
    body = Graph("body", tuple(inside.inputs), (out,), tuple(inside.nodes))
    return build.case(*build.add_all(("outputs",), ops.Scan(body, 0, 1), x))


def nested(case: str, *, time: Dim = 9) -> GraphCase:
    """A loop in a loop: s' = s + tanh(x · k) over the inner steps, which start where the outer
    loop is; the outer one counts the steps at which the sum is positive."""
    build, outer, inner = Builder(case), Builder("outer"), Builder("inner")
    rows = ("batch", time, 2, _FEATURES)
    x, kernel = build.input("x", *rows), build.random("kernel", _FEATURES, _UNITS)
    start = build.input("start", "batch", _UNITS)
    count = build.input("count", "batch", _UNITS, dtype=DType.int32)
    s = inner.input("s", "batch", _UNITS)
    x0, k = inner.input("x0", "batch", _FEATURES), Value("k", kernel.type)
    squashed = inner.add("squashed", ops.Tanh(), inner.add("product", ops.Linear(), x0, k))
    total = inner.add("total", ops.Add(), s, squashed)
    body = Graph("inner", (s, x0, k), (total,), tuple(inner.nodes))
    h, n = outer.input("h", "batch", _UNITS), outer.input("n", "batch", _UNITS, dtype=DType.int32)
    row, held = outer.input("row", *rows[:1], *rows[2:]), Value("held", kernel.type)
    (after,) = outer.add_all(("after",), ops.Scan(body, 1, 1), h, row, held)
    zero = Value("zero", TensorType(DType.float32, ()))
    positive = outer.add("positive", ops.Greater(), after, zero)
    one = outer.add("one", ops.Cast(DType.int32), positive)
    more = outer.add("more", ops.Add(), n, one)
    given = outer.add("given", ops.Identity(), more)
    loop = Graph(
        "outer", (h, n, row, held, zero), (after, more, positive, given), tuple(outer.nodes)
    )
    captured = (kernel, build.constant("zero", np.float32(0)))
    names = ("final", "number", "signs", "numbers")
    scan = ops.Scan(loop, 2, 1, "reverse")
    return build.case(*build.add_all(names, scan, start, count, x, *captured))


RECURRENT = (
    *layers(),
    running("Scan"),
    running("Scan-reverse", reverse=True),
    stateless(),
    nested("Scan-nested"),
)
RECURRENT_SYMBOLIC = tuple(symbolic())
