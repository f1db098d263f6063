"""Every elementwise operation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import DType, Op
from tests.graphs.builder import Builder, Domain, GraphCase, single

_POSITIVE = Domain(0.1, 3.0)
_TIES = Domain(-3.0, 3.0, grid=0.5)
_WIDE = Domain(-8.0, 8.0)

_UNARY: dict[type[Op], Domain] = {
    ops.Identity: Domain(),
    ops.Abs: _TIES,
    ops.Negative: Domain(),
    ops.Sign: _TIES,
    ops.Floor: _TIES,
    ops.Ceil: _TIES,
    ops.Round: _TIES,
    ops.Exp: Domain(),
    ops.Expm1: Domain(-0.1, 0.1),
    ops.Log: _POSITIVE,
    ops.Log1p: Domain(-0.1, 0.1),
    ops.Sqrt: _POSITIVE,
    ops.Rsqrt: _POSITIVE,
    ops.Reciprocal: _POSITIVE,
    ops.Square: Domain(),
    ops.Sin: Domain(),
    ops.Cos: Domain(),
    ops.Tan: Domain(-1.2, 1.2),
    ops.Asin: Domain(-0.99, 0.99),
    ops.Acos: Domain(-0.99, 0.99),
    ops.Atan: Domain(),
    ops.Sinh: Domain(),
    ops.Cosh: Domain(),
    ops.Tanh: Domain(),
    ops.Erf: Domain(),
    ops.IsNan: Domain(nan=True),
    ops.Relu: _TIES,
    ops.Sigmoid: _WIDE,
    ops.Silu: _WIDE,
    ops.Softplus: _WIDE,
    ops.Softsign: _WIDE,
    ops.HardSwish: _WIDE,
    ops.Mish: _WIDE,
    ops.Selu: Domain(),
}

_PARAMETRISED: dict[str, tuple[Op, Domain]] = {
    "Elu": (ops.Elu(), Domain()),
    "Elu-alpha": (ops.Elu(0.3), Domain()),
    "LeakyRelu": (ops.LeakyRelu(0.2), Domain()),
    "LeakyRelu-tiny": (ops.LeakyRelu(0.01), _TIES),
    "HardSigmoid": (ops.HardSigmoid(), _WIDE),
    "HardSigmoid-keras2": (ops.HardSigmoid(0.2, 0.5), _WIDE),
    "HardSigmoid-beta": (ops.HardSigmoid(0.3, 0.4), _WIDE),
    "Gelu-erf": (ops.Gelu(approximate=False), _WIDE),
    "Gelu-tanh": (ops.Gelu(approximate=True), _WIDE),
    "Clip": (ops.Clip(-0.5, 1.25), Domain()),
    "Clip-0-6": (ops.Clip(0.0, 6.0), _WIDE),
    "Clip-minimum": (ops.Clip(minimum=-0.5), Domain()),
    "Clip-maximum": (ops.Clip(maximum=0.5), Domain()),
}

_ARITHMETIC: dict[type[Op], Domain] = {
    ops.Add: Domain(),
    ops.Subtract: Domain(),
    ops.Multiply: Domain(),
    ops.Divide: _POSITIVE,
    ops.FloorDivide: Domain(0.5, 4.0, grid=0.5),
    ops.Remainder: Domain(0.5, 4.0, grid=0.5),
    ops.Pow: _POSITIVE,
    ops.Maximum: Domain(),
    ops.Minimum: Domain(),
}
_COMPARISONS = (
    ops.Equal,
    ops.NotEqual,
    ops.Less,
    ops.LessEqual,
    ops.Greater,
    ops.GreaterEqual,
)
_LOGICAL = (ops.LogicalAnd, ops.LogicalOr, ops.LogicalXor)
_OF_INTEGERS = (
    ops.Add,
    ops.Subtract,
    ops.Multiply,
    ops.FloorDivide,
    ops.Remainder,
    ops.Maximum,
    ops.Minimum,
)
_RANKS = {
    1: ("batch",),
    2: ("batch", 5),
    3: ("batch", 4, 3),
    4: ("batch", 3, 4, 2),
    5: ("batch", 2, 3, 2, 2),
}


def unary() -> Iterator[GraphCase]:
    for op, domain in _UNARY.items():
        yield single(op.__name__, op(), "batch", 3, 5, domain=domain)
    for name, (op, domain) in _PARAMETRISED.items():
        yield single(name, op, "batch", 3, 5, domain=domain)
    for rank, shape in _RANKS.items():
        yield single(f"Relu-rank{rank}", ops.Relu(), *shape)
        yield single(f"Tanh-rank{rank}", ops.Tanh(), *shape)
    for op in (ops.Abs, ops.Negative, ops.Sign):
        yield single(f"{op.__name__}-int32", op(), "batch", 4, dtype=DType.int32)
    yield single("LogicalNot", ops.LogicalNot(), "batch", 6, dtype=DType.boolean)


def binary() -> Iterator[GraphCase]:
    for op, domain in _ARITHMETIC.items():
        yield _two_inputs(op.__name__, op(), DType.float32, domain)
        yield _with_constant(f"{op.__name__}-vector", op(), (4,), domain)
        yield _with_constant(f"{op.__name__}-scalar", op(), (), domain)
        yield _constant_first(f"{op.__name__}-constant-first", op(), domain)
    for op in _OF_INTEGERS:
        domain = Domain(1, 9) if op in (ops.FloorDivide, ops.Remainder) else Domain(-9, 9)
        yield _two_inputs(f"{op.__name__}-int32", op(), DType.int32, domain)
    for op in (ops.FloorDivide, ops.Remainder):
        for dtype in (DType.float32, DType.int32):
            yield _negative_divisor(f"{op.__name__}-signs-{dtype}", op(), dtype)
    for op in _COMPARISONS:
        yield _two_inputs(op.__name__, op(), DType.float32, _TIES)
        yield _two_inputs(f"{op.__name__}-int32", op(), DType.int32, Domain(-2, 2))
    for op in _LOGICAL:
        yield _two_inputs(op.__name__, op(), DType.boolean, Domain())
    for rank, shape in _RANKS.items():
        yield _same_shapes(f"Add-rank{rank}", ops.Add(), shape)
    yield _same_shapes("Multiply-with-itself", ops.Multiply(), ("batch", 4), twice=True)
    yield _broadcast_both_ways()


def selection() -> Iterator[GraphCase]:
    for dtype in (DType.float32, DType.int32):
        build = Builder(f"Where-{dtype}")
        condition = build.input("condition", "batch", 3, 4, dtype=DType.boolean)
        x = build.input("x", "batch", 3, 4, dtype=dtype)
        y = build.input("y", "batch", 3, 4, dtype=dtype)
        yield build.case(build.add("out", ops.Where(), condition, x, y))
    build = Builder("Where-broadcast")
    x = build.input("x", "batch", 3, 4)
    zero = build.constant("zero", np.float32(0))
    positive = build.add("positive", ops.Greater(), x, zero)
    other = build.random("other", 4)
    yield build.case(build.add("out", ops.Where(), positive, x, other))


def casts() -> Iterator[GraphCase]:
    pairs = (
        (DType.float32, DType.int32),
        (DType.float32, DType.boolean),
        (DType.int32, DType.float32),
        (DType.int32, DType.boolean),
        (DType.boolean, DType.float32),
        (DType.boolean, DType.int32),
        (DType.int32, DType.int64),
        (DType.uint8, DType.float32),
    )
    for source, target in pairs:
        domain = Domain(0, 255) if source is DType.uint8 else _TIES
        case = f"Cast-{source}-{target}"
        yield single(case, ops.Cast(target), "batch", 6, dtype=source, domain=domain)


def _two_inputs(case: str, op: Op, dtype: DType, domain: Domain) -> GraphCase:
    build = Builder(case)
    x = build.input("x", "batch", 3, 4, dtype=dtype, domain=domain)
    y = build.input("y", "batch", 3, 4, dtype=dtype, domain=domain)
    return build.case(build.add("out", op, x, y))


def _with_constant(case: str, op: Op, shape: tuple[int, ...], domain: Domain) -> GraphCase:
    build = Builder(case)
    x = build.input("x", "batch", 3, 4, domain=domain)
    y = build.random("layer/y", *shape, low=0.6, high=2.0)
    return build.case(build.add("out", op, x, y))


def _constant_first(case: str, op: Op, domain: Domain) -> GraphCase:
    build = Builder(case)
    x = build.random("layer/x", 3, 1, low=0.6, high=2.0)
    return build.case(build.add("out", op, x, build.input("y", "batch", 3, 4, domain=domain)))


def _negative_divisor(case: str, op: Op, dtype: DType) -> GraphCase:
    build = Builder(case)
    x = build.input("x", "batch", 8, dtype=dtype, domain=Domain(-9, 9, grid=1.0))
    divisors = build.constant("divisors", np.array([-4, -3, -2, -1, 1, 2, 3, 4], dtype.numpy))
    return build.case(build.add("out", op, x, divisors))


def _same_shapes(
    case: str, op: Op, shape: tuple[int | str, ...], *, twice: bool = False
) -> GraphCase:
    build = Builder(case)
    x = build.input("x", *shape)
    return build.case(build.add("out", op, x, x if twice else build.input("y", *shape)))


def _broadcast_both_ways() -> GraphCase:
    build = Builder("Add-broadcast-both-ways")
    x, y = build.input("x", "batch", 3, 1), build.input("y", "batch", 1, 4)
    return build.case(build.add("out", ops.Add(), x, y))


CASES = (*unary(), *binary(), *selection(), *casts())
