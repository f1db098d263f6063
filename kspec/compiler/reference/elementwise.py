"""Operations that work element by element."""

# NumPy types arithmetic on arrays of any element type as Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array, Op
from kspec.compiler.reference.error_function import erf, erfc
from kspec.compiler.table import Table

rules: Table[Callable[..., Array]] = Table("reference")

_UFUNCS: Mapping[type[Op], np.ufunc] = {
    ops.Abs: np.absolute,
    ops.Negative: np.negative,
    ops.Sign: np.sign,
    ops.Floor: np.floor,
    ops.Ceil: np.ceil,
    ops.Round: np.rint,
    ops.Exp: np.exp,
    ops.Expm1: np.expm1,
    ops.Log: np.log,
    ops.Log1p: np.log1p,
    ops.Sqrt: np.sqrt,
    ops.Reciprocal: np.reciprocal,
    ops.Square: np.square,
    ops.Sin: np.sin,
    ops.Cos: np.cos,
    ops.Tan: np.tan,
    ops.Asin: np.arcsin,
    ops.Acos: np.arccos,
    ops.Atan: np.arctan,
    ops.Sinh: np.sinh,
    ops.Cosh: np.cosh,
    ops.Tanh: np.tanh,
    ops.LogicalNot: np.logical_not,
    ops.IsNan: np.isnan,
    ops.Add: np.add,
    ops.Subtract: np.subtract,
    ops.Multiply: np.multiply,
    ops.Divide: np.divide,
    ops.FloorDivide: np.floor_divide,
    ops.Remainder: np.remainder,
    ops.Pow: np.power,
    ops.Maximum: np.maximum,
    ops.Minimum: np.minimum,
    ops.LogicalAnd: np.logical_and,
    ops.LogicalOr: np.logical_or,
    ops.LogicalXor: np.logical_xor,
    ops.Equal: np.equal,
    ops.NotEqual: np.not_equal,
    ops.Less: np.less,
    ops.LessEqual: np.less_equal,
    ops.Greater: np.greater,
    ops.GreaterEqual: np.greater_equal,
}


@rules(*_UFUNCS)
def ufunc(op: Op, *arrays: Array) -> Array:
    return np.asarray(_UFUNCS[type(op)](*arrays))


@rules(ops.Identity)
def identity(_op: ops.Identity, x: Array) -> Array:
    return x


@rules(ops.Cast)
def cast(op: ops.Cast, x: Array) -> Array:
    return x.astype(op.dtype.numpy)


@rules(ops.Where)
def where(_op: ops.Where, condition: Array, x: Array, y: Array) -> Array:
    return np.where(condition, x, y)


@rules(ops.Rsqrt)
def rsqrt(_op: ops.Rsqrt, x: Array) -> Array:
    return np.reciprocal(np.sqrt(x))


@rules(ops.Erf)
def error_function(_op: ops.Erf, x: Array) -> Array:
    return erf(x).astype(x.dtype)


@rules(ops.Relu)
def relu(_op: ops.Relu, x: Array) -> Array:
    return np.maximum(x, x.dtype.type(0))


@rules(ops.Sigmoid)
def sigmoid(_op: ops.Sigmoid, x: Array) -> Array:
    decay = np.exp(-np.abs(x))  # never overflows
    return np.where(x >= 0, 1, decay) / (1 + decay)


@rules(ops.Silu)
def silu(_op: ops.Silu, x: Array) -> Array:
    return x * sigmoid(ops.Sigmoid(), x)


@rules(ops.Softplus)
def softplus(_op: ops.Softplus, x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


@rules(ops.Softsign)
def softsign(_op: ops.Softsign, x: Array) -> Array:
    return x / (1 + np.abs(x))


@rules(ops.HardSwish)
def hard_swish(_op: ops.HardSwish, x: Array) -> Array:
    return x * np.clip(x + 3, 0, 6) / 6


@rules(ops.Mish)
def mish(_op: ops.Mish, x: Array) -> Array:
    return x * np.tanh(softplus(ops.Softplus(), x))


@rules(ops.Elu)
def elu(op: ops.Elu, x: Array) -> Array:
    return np.where(x > 0, x, op.alpha * np.expm1(np.minimum(x, 0)))


@rules(ops.Selu)
def selu(op: ops.Selu, x: Array) -> Array:
    return op.scale * elu(ops.Elu(op.alpha), x)


@rules(ops.LeakyRelu)
def leaky_relu(op: ops.LeakyRelu, x: Array) -> Array:
    return np.where(x > 0, x, op.negative_slope * x)


@rules(ops.HardSigmoid)
def hard_sigmoid(op: ops.HardSigmoid, x: Array) -> Array:
    return np.clip(op.alpha * x + op.beta, 0, 1)


@rules(ops.Gelu)
def gelu(op: ops.Gelu, x: Array) -> Array:
    wide = x.astype(np.float64)
    if op.approximate:
        inner = np.tanh(math.sqrt(2 / math.pi) * (wide + 0.044715 * wide**3))
        return (0.5 * wide * (1 + inner)).astype(x.dtype)
    return (0.5 * wide * erfc(-wide / math.sqrt(2))).astype(x.dtype)


@rules(ops.Clip)
def clip(op: ops.Clip, x: Array) -> Array:
    minimum, maximum = (
        None if bound is None else x.dtype.type(bound) for bound in (op.minimum, op.maximum)
    )
    return np.clip(x, minimum, maximum)
