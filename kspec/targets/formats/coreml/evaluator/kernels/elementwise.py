"""Elementwise operations."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from kspec.compiler.ir import Array

Kernel = Callable[..., Array | tuple[Array, ...]]

_CASTS = {"fp16": np.float16, "fp32": np.float32, "int32": np.int32, "bool": np.bool_}
_erf = np.frompyfunc(math.erf, 1, 1)


def _erf_of(x: Array) -> Array:
    return np.asarray(_erf(x), np.float64)


def _sigmoid(x: Array) -> Array:
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


def _softplus(x: Array) -> Array:
    return np.log(1 + np.exp(-np.abs(x))) + np.maximum(x, 0)


def _clip(x: Array, alpha: Array, beta: Array) -> Array:
    return np.minimum(np.maximum(x, alpha), beta)


def _elu(x: Array, alpha: Array) -> Array:
    return np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0)) - 1))


def _gelu(x: Array, mode: str) -> Array:
    if mode == "EXACT":
        return (0.5 * x * (1 + _erf_of(x / math.sqrt(2)))).astype(x.dtype)
    if mode == "TANH_APPROXIMATION":
        return 0.5 * x * (1 + np.tanh(np.float32(math.sqrt(2 / math.pi)) * (x + 0.044715 * x**3)))
    raise NotImplementedError(mode)


def _cast(x: Array, dtype: str) -> Array:
    return x.astype(_CASTS[dtype])


def _select(cond: Array, a: Array, b: Array) -> Array:
    return np.where(cond, a, b)


def _of_one(function: Callable[[Array], Array]) -> Kernel:
    def kernel(x: Array) -> Array:
        return function(x)

    return kernel


def _of_two(function: Callable[[Array, Array], Array]) -> Kernel:
    def kernel(x: Array, y: Array) -> Array:
        return function(x, y)

    return kernel


def _log(x: Array, epsilon: Array) -> Array:
    return np.log(x + epsilon)


_UNARY: dict[str, Callable[[Array], Array]] = {
    "identity": np.copy,
    "abs": np.abs,
    "sign": np.sign,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.rint,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "erf": lambda x: _erf_of(x).astype(x.dtype),
    "logical_not": np.logical_not,
    "sigmoid": _sigmoid,
    "silu": lambda x: x * _sigmoid(x),
    "softplus": _softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.minimum(np.maximum(x, 0), 6),
}

_BINARY: dict[str, Callable[[Array, Array], Array]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "real_div": np.true_divide,
    "floor_div": np.floor_divide,
    "mod": np.mod,
    "pow": np.power,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
}

KERNELS: dict[str, Kernel] = {
    **{name: _of_one(function) for name, function in _UNARY.items()},
    **{name: _of_two(function) for name, function in _BINARY.items()},
    "cast": _cast,
    "clip": _clip,
    "elu": _elu,
    "gelu": _gelu,
    "leaky_relu": lambda x, alpha: np.where(x >= 0, x, alpha * x),
    "log": _log,
    "select": _select,
    "sigmoid_hard": lambda x, alpha, beta: np.clip(alpha * x + beta, 0, 1),
}
