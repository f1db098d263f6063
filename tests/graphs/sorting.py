"""Sorting operations, and the gather that uses their indices."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import DType
from tests.graphs.builder import Builder, Domain, GraphCase, single

_TIES = Domain(-3.0, 3.0, grid=1.0)


def rankings() -> Iterator[GraphCase]:
    for op in (ops.TopK, ops.ArgTopK):
        yield single(f"{op.__name__}-some", op(2), "batch", 5)
        yield single(f"{op.__name__}-all", op(6), "batch", 3, 6)
        yield single(f"{op.__name__}-ties", op(4), "batch", 2, 9, domain=_TIES)
        yield single(f"{op.__name__}-one", op(1), "batch", 1)
        whole = {"dtype": DType.int32, "domain": Domain(-9, 9)}
        yield single(f"{op.__name__}-int32", op(3), "batch", 7, **whole)  # type: ignore[arg-type]


def picks() -> Iterator[GraphCase]:
    for case, axis, shape, count in (
        ("last", -1, (3, 5), 4),
        ("axis1", 1, (5, 3), 2),
        ("4d", 2, (2, 4, 3), 6),
    ):
        build = Builder(f"TakeAlongAxis-{case}")
        x = build.input("x", "batch", *shape)
        size = ("batch", *shape)[axis]
        wanted = list(shape)
        wanted[axis - 1 if axis > 0 else axis] = count
        among = Domain(0, int(size) - 1)
        indices = build.input("indices", "batch", *wanted, dtype=DType.int32, domain=among)
        yield build.case(build.add("out", ops.TakeAlongAxis(axis), x, indices))
    build = Builder("TakeAlongAxis-bool")
    x = build.input("x", "batch", 4, dtype=DType.boolean)
    indices = build.input("indices", "batch", 2, dtype=DType.int32, domain=Domain(0, 3))
    yield build.case(build.add("out", ops.TakeAlongAxis(1), x, indices))
    build = Builder("TakeAlongAxis-sorted")
    x = build.input("x", "batch", 3, 4)
    order = build.add("order", ops.ArgTopK(3), x)
    scaled = build.add("scaled", ops.Multiply(), x, build.constant("two", np.float32(2)))
    yield build.case(build.add("out", ops.TakeAlongAxis(2), scaled, order))


CASES = (*rankings(), *picks())
