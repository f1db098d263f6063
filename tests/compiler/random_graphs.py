"""Random small networks: layers in any order, as input for passes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from kspec.compiler import ops
from kspec.compiler.ir import DType, Value
from tests.graphs import Builder, GraphCase
from tests.graphs.neural import statistics

Step = Callable[[st.DrawFn, Builder, str, Value, list[Value]], Value]


def _conv(draw: st.DrawFn, build: Builder, name: str, x: Value, _seen: list[Value]) -> Value:
    rank, depth = x.type.rank - 2, int(x.shape[-1])
    if rank < 1:
        return _linear(draw, build, name, x, _seen)
    groups = draw(st.sampled_from([1, depth]))
    filters = depth if groups > 1 else draw(st.sampled_from([1, 2, 3]))
    activation = draw(st.sampled_from(["linear", "linear", "relu"]))
    same = ((1, 1),) * rank
    op = ops.Conv((1,) * rank, same, "last", (1,) * rank, groups, activation)
    kernel = build.random(f"{name}/kernel", *(3,) * rank, depth // groups, filters)
    bias = [build.random(f"{name}/bias", filters)] if draw(st.booleans()) else []
    return build.add(name, op, x, kernel, *bias)


def _transposed_conv(
    _draw: st.DrawFn, build: Builder, name: str, x: Value, _seen: list[Value]
) -> Value:
    rank, depth = x.type.rank - 2, int(x.shape[-1])
    if rank < 1:
        return x
    pads = ((1, 1),) * rank
    op = ops.ConvTranspose((1,) * rank, pads, "last", (1,) * rank, (0,) * rank)
    return build.add(name, op, x, build.random(f"{name}/kernel", *(3,) * rank, 2, depth))


def _linear(_draw: st.DrawFn, build: Builder, name: str, x: Value, _seen: list[Value]) -> Value:
    kernel = build.random(f"{name}/kernel", int(x.shape[-1]), 3)
    return build.add(name, ops.MatMul(), x, kernel)


def _batch_norm(draw: st.DrawFn, build: Builder, name: str, x: Value, _seen: list[Value]) -> Value:
    axis = draw(st.integers(1, x.type.rank - 1))
    vectors = statistics(build, name, int(x.shape[axis]))
    return build.add(name, ops.BatchNorm(axis, 1e-3), x, *vectors)


def _affine(draw: st.DrawFn, build: Builder, name: str, x: Value, _seen: list[Value]) -> Value:
    op = draw(st.sampled_from([ops.Add, ops.Subtract, ops.Multiply, ops.Divide]))()
    given = x.shape[draw(st.integers(1, x.type.rank)) :]
    shape = tuple(int(dim) if draw(st.booleans()) else 1 for dim in given)
    number = draw(st.sampled_from([None, 0.0, 1.0]))
    if number is None or isinstance(op, ops.Divide):
        constant = build.random(f"{name}/c", *shape, low=0.5, high=2.0)
    else:
        constant = build.constant(f"{name}/c", np.full(shape, number, np.float32))
    pair = (x, constant) if draw(st.booleans()) or isinstance(op, ops.Divide) else (constant, x)
    return build.add(name, op, *pair)


def _activation(draw: st.DrawFn, build: Builder, name: str, x: Value, _seen: list[Value]) -> Value:
    choices = (
        ops.Relu(),
        ops.Clip(0.0, 6.0),
        ops.Clip(minimum=0.0),
        ops.LeakyRelu(1.5),
        ops.Elu(),
        ops.Mish(),
        ops.HardSwish(),
        ops.Softmax(x.type.rank - 1),
        ops.Softmax(1),
        ops.CumSum(x.type.rank - 1),
        ops.Identity(),
        ops.Cast(DType.float32),
    )
    return build.add(name, draw(st.sampled_from(choices)), x)


def _join(draw: st.DrawFn, build: Builder, name: str, x: Value, seen: list[Value]) -> Value:
    """Join a value with another of the same shape, or with its own mean as a gate."""
    other = draw(st.sampled_from([each for each in seen if each.type == x.type]))
    axis = draw(st.integers(1, x.type.rank - 1))
    match draw(st.sampled_from(["add", "multiply", "concat", "gate"])):
        case "add":
            return build.add(name, ops.Add(), x, other)
        case "multiply":
            return build.add(name, ops.Multiply(), x, other)
        case "concat":
            return build.add(name, ops.Concat(axis), x, other)
    gate = build.add(f"{name}_mean", ops.Mean((axis,), keepdims=True), x)
    return build.add(name, ops.Multiply(), other, gate)


def _move(draw: st.DrawFn, build: Builder, name: str, x: Value, _seen: list[Value]) -> Value:
    rank = x.type.rank
    axis = draw(st.integers(1, rank - 1))
    ones = (1,) * rank
    still, grown = (0,) * rank, tuple(int(a == axis) for a in range(rank))
    perm = (0, *draw(st.permutations(range(1, rank))))
    choices = (
        ops.Pad(still, grown),
        ops.Pad(grown, grown),
        ops.Pad(grown, still, value=1.0),
        ops.Slice((axis,), (0,), (None,), (1,)),
        ops.Slice((axis,), (0,), (2,), (1,)),
        ops.Reverse((axis,)),
        ops.Repeat(2, axis),
        ops.Repeat(1, axis),
        ops.Tile(tuple(one + more for one, more in zip(ones, grown, strict=True))),
        ops.Transpose(perm),
        ops.BroadcastTo(x.shape),
        ops.Reshape((*x.shape[:axis], 1, *x.shape[axis:])) if rank < 5 else ops.Identity(),
    )
    return build.add(name, draw(st.sampled_from(choices)), x)


def _shrink(draw: st.DrawFn, build: Builder, name: str, x: Value, _seen: list[Value]) -> Value:
    rank = x.type.rank
    if rank < 3:
        return x
    count = rank - 2
    flat = ("batch", int(np.prod([int(dim) for dim in x.shape[1:]])))
    spatial = tuple(range(1, rank - 1))
    window = ((1,) * count, ((0, 0),) * count, "last", (1,) * count)
    doubled = tuple(2 * int(dim) for dim in x.shape[1:-1])
    choices = (
        ops.Reshape(flat),
        ops.Mean(spatial),
        ops.Max(spatial, keepdims=True),
        ops.Sum((draw(st.sampled_from(range(1, rank))),)),
        ops.MaxPool(*window),
        ops.AveragePool(*window),
        ops.Resize(doubled, "nearest", "last"),
    )
    return build.add(name, draw(st.sampled_from(choices)), x)


_STEPS: tuple[Step, ...] = (
    _conv,
    _conv,
    _transposed_conv,
    _linear,
    _batch_norm,
    _affine,
    _affine,
    _activation,
    _activation,
    _join,
    _join,
    _move,
    _shrink,
)


@st.composite
def random_graphs(draw: st.DrawFn) -> GraphCase:
    """Up to ten steps, each on one of the latest values; some values are outputs as well."""
    build = Builder("random")
    shape = draw(st.sampled_from([(4, 3, 2), (4, 3, 1), (4, 2), (5,), (2, 3, 2, 2)]))
    seen = [build.input("x", "batch", *shape)]
    for index in range(draw(st.integers(1, 10))):
        x = draw(st.sampled_from(seen[-3:]))
        if x.type.rank < 2 or np.prod([int(dim) for dim in x.shape[1:]]) > 2000:
            continue
        step = draw(st.sampled_from(_STEPS))
        value = step(draw, build, f"node{index}", x, seen)
        if value is not x:
            seen.append(value)
    computed = seen[1:] or [build.add("copy", ops.Identity(), seen[0])]
    outputs = {computed[-1].name: computed[-1]}
    for value in draw(st.lists(st.sampled_from(seen + computed), max_size=2)):
        outputs[value.name] = value
    return build.case(*outputs.values())
