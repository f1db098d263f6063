"""Operations that reduce, and those that move elements."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Dim, DType, Op
from tests.graphs.builder import Builder, Domain, GraphCase, single

_FULL = ("batch", 3, 4, 2)
_TIES = Domain(-3.0, 3.0, grid=1.0)


def reductions() -> Iterator[GraphCase]:
    for op in (ops.Sum, ops.Mean, ops.Max, ops.Min, ops.Prod, ops.All, ops.Any):
        dtype = DType.boolean if op in (ops.All, ops.Any) else DType.float32
        for case, axes, keepdims in (
            ("last", (3,), False),
            ("spatial", (1, 2), False),
            ("keepdims", (1, 2), True),
            ("axis1-keepdims", (1,), True),
            ("all-but-batch", (1, 2, 3), False),
        ):
            yield single(f"{op.__name__}-{case}", op(axes, keepdims), *_FULL, dtype=dtype)
        yield single(f"{op.__name__}-rank2", op((1,)), "batch", 5, dtype=dtype)
    for op in (ops.Sum, ops.Max, ops.Min):
        case = f"{op.__name__}-int32"
        yield single(case, op((1,)), "batch", 5, dtype=DType.int32, domain=Domain(-9, 9))
    for op in (ops.ArgMax, ops.ArgMin):
        yield single(f"{op.__name__}", op(1), "batch", 5)
        yield single(f"{op.__name__}-ties", op(1), "batch", 9, domain=_TIES)
        yield single(f"{op.__name__}-keepdims", op(2, keepdims=True), *_FULL)
        yield single(f"{op.__name__}-last", op(3), *_FULL)
    yield single("CumSum", ops.CumSum(1), "batch", 6)
    yield single("CumSum-axis2", ops.CumSum(2), "batch", 3, 4)


def layouts() -> Iterator[GraphCase]:
    yield single("Reshape-flatten", ops.Reshape(("batch", 24)), *_FULL)
    yield single("Reshape-split", ops.Reshape(("batch", 2, 3, 4)), "batch", 24)
    yield single("Reshape-expand", ops.Reshape(("batch", 1, 6, 1)), "batch", 6)
    yield single("Reshape-squeeze", ops.Reshape(("batch",)), "batch", 1)
    yield single("Reshape-int32", ops.Reshape(("batch", 3, 2)), "batch", 6, dtype=DType.int32)
    for perm, shape in (
        ((0, 2, 1), ("batch", 3, 4)),
        ((0, 3, 1, 2), _FULL),
        ((0, 2, 3, 1), _FULL),
        ((1, 0), ("batch", 4)),
        ((0, 4, 1, 3, 2), ("batch", 2, 3, 2, 4)),
    ):
        yield single(f"Transpose-{''.join(map(str, perm))}", ops.Transpose(perm), *shape)
    yield single("Reverse", ops.Reverse((1,)), "batch", 4, 3)
    yield single("Reverse-two", ops.Reverse((1, 2)), "batch", 4, 3)
    yield single("BroadcastTo", ops.BroadcastTo(("batch", 3, 4)), "batch", 1, 4)
    yield single("BroadcastTo-two-axes", ops.BroadcastTo(("batch", 3, 2, 4)), "batch", 1, 1, 4)
    yield _broadcast_constant()
    yield single("Tile", ops.Tile((1, 3)), "batch", 4)
    yield single("Tile-4d", ops.Tile((1, 2, 3, 1)), *_FULL)
    yield single("Repeat", ops.Repeat(2, 1), "batch", 3, 4)
    yield single("Repeat-axis2", ops.Repeat(3, 2), *_FULL)


def parts() -> Iterator[GraphCase]:
    for case, axes, starts, stops, steps in (
        ("middle", (1,), (1,), (3,), (1,)),
        ("to-end", (2,), (1,), (None,), (1,)),
        ("from-end", (2,), (-3,), (None,), (1,)),
        ("but-last", (1,), (0,), (-1,), (1,)),
        ("step", (2,), (1,), (None,), (2,)),
        ("crop", (1, 2), (1, 1), (-1, -1), (1, 1)),
        ("steps", (1, 2), (0, 1), (None, 5), (2, 3)),
        ("beyond", (1,), (2,), (99,), (1,)),
    ):
        yield single(f"Slice-{case}", ops.Slice(axes, starts, stops, steps), "batch", 5, 6, 2)
    yield single("Slice-int32", ops.Slice((1,), (1,), (4,), (1,)), "batch", 6, dtype=DType.int32)
    still: tuple[Dim, ...] = ("batch", 5, 4, 2)
    for case, op in (
        ("zeros", ops.Pad((0, 1, 2, 0), (0, 2, 1, 0))),
        ("value", ops.Pad((0, 1, 0, 0), (0, 0, 1, 0), value=-1.5)),
        ("infinity", ops.Pad((0, 1, 0, 0), (0, 0, 1, 0), value=float("-inf"))),
        ("channels", ops.Pad((0, 0, 0, 1), (0, 0, 0, 3))),
        ("reflect", ops.Pad((0, 2, 1, 0), (0, 1, 3, 0), mode="reflect")),
        ("symmetric", ops.Pad((0, 2, 1, 0), (0, 1, 3, 0), mode="symmetric")),
        ("edge", ops.Pad((0, 2, 1, 0), (0, 1, 3, 0), mode="edge")),
    ):
        yield single(f"Pad-{case}", op, *still)
    yield single("Pad-2d", ops.Pad((0, 2), (0, 1)), "batch", 4)


def joins() -> Iterator[GraphCase]:
    for case, axis, shapes in (
        ("2d", 1, ((3,), (2,))),
        ("last", -1, ((3, 4), (3, 2))),
        ("channels", 3, ((2, 3, 1), (2, 3, 2), (2, 3, 4))),
        ("axis1", 1, ((2, 3), (5, 3))),
    ):
        build = Builder(f"Concat-{case}")
        inputs = [build.input(f"x{i}", "batch", *shape) for i, shape in enumerate(shapes)]
        yield build.case(build.add("out", ops.Concat(axis), *inputs))
    build = Builder("Concat-itself")
    x = build.input("x", "batch", 3)
    yield build.case(build.add("out", ops.Concat(1), x, x))


def lookups() -> Iterator[GraphCase]:
    build = Builder("Gather-embedding")
    tokens = build.input("tokens", "batch", 4, dtype=DType.int32, domain=Domain(0, 6))
    table = build.random("embedding/table", 7, 3)
    yield build.case(build.add("out", ops.Gather(0), table, tokens))
    build = Builder("Gather-scalar")
    x, index = build.input("x", *_FULL), build.constant("index", np.int32(1))
    yield build.case(build.add("out", ops.Gather(2), x, index))
    for axis in (1, 3):
        build = Builder(f"Gather-axis{axis}")
        x = build.input("x", *_FULL)
        indices = build.constant("indices", np.array([1, 0, 1], np.int32))
        yield build.case(build.add("out", ops.Gather(axis), x, indices))


def symbolic() -> Iterator[GraphCase]:
    """A second dimension that is known at run time only."""
    sequence: tuple[Dim, ...] = ("batch", "time", 4)
    forms: dict[str, Op] = {
        "Relu": ops.Relu(),
        "Softmax": ops.Softmax(1),
        "Mean": ops.Mean((1,)),
        "Max-keepdims": ops.Max((1,), keepdims=True),
        "Slice-but-first": ops.Slice((1,), (1,), (None,), (1,)),
        "Slice-last-two": ops.Slice((1,), (-2,), (None,), (1,)),
        "Pad": ops.Pad((0, 2, 0), (0, 1, 0)),
        "Reshape": ops.Reshape(("batch", "time", 2, 2)),
        "Transpose": ops.Transpose((0, 2, 1)),
        "Reverse": ops.Reverse((1,)),
        "Tile": ops.Tile((1, 2, 1)),
        "Repeat": ops.Repeat(2, 1),
        "CumSum": ops.CumSum(1),
    }
    for name, op in forms.items():
        yield single(f"{name}-time", op, *sequence)
    build = Builder("Conv-1d-causal-time")
    causal = ops.Conv(strides=(1,), padding=((2, 0),), channels="last", dilations=(1,))
    x, kernel = build.input("x", *sequence), build.random("layer/kernel", 3, 4, 5)
    yield build.case(build.add("out", causal, x, kernel))
    build = Builder("Conv-1d-valid-strides-time")
    strided = ops.Conv(strides=(2,), padding=((0, 0),), channels="last", dilations=(1,))
    x, kernel = build.input("x", *sequence), build.random("layer/kernel", 3, 4, 5)
    shorter = build.add("shorter", strided, x, kernel)
    yield build.case(build.add("out", ops.Mean((1,)), shorter))
    build = Builder("Conv-1d-same-strides-time")
    ceiling = ops.Conv(strides=(2,), padding="same", channels="last", dilations=(1,))
    x, kernel = build.input("x", *sequence), build.random("layer/kernel", 3, 4, 5)
    halved = build.add("halved", ceiling, x, kernel)
    pool = ops.MaxPool(strides=(2,), padding="same", channels="last", window=(3,))
    yield build.case(build.add("out", pool, halved))
    build = Builder("Concat-time")
    x, y = build.input("x", *sequence), build.input("y", "batch", 2, 4)
    yield build.case(build.add("out", ops.Concat(1), x, y))


def _broadcast_constant() -> GraphCase:
    build = Builder("BroadcastTo-constant")
    x, row = build.input("x", "batch", 4), build.random("layer/row", 1, 4)
    rows = build.add("rows", ops.BroadcastTo(("batch", 4)), row)
    return build.case(build.add("out", ops.Concat(1), x, rows))


CASES = (*reductions(), *layouts(), *parts(), *joins(), *lookups())
SYMBOLIC = tuple(symbolic())
