"""Operations of `keras.ops` between layers → equivalent layers of the catalogue."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import keras
from keras.src.ops import nn
from keras.src.ops import numpy as arrays

from kspec.schemas.layers import LAYERS
from kspec.schemas.layers.base import Layer

Instead = tuple[Layer, tuple[str, ...]]
"""A layer and the names of its input steps."""
Operands = list[Any]
"""Operands of an operation: names of steps, numbers, slices."""


def layer_instead(operation: keras.Operation, args: tuple[Any, ...]) -> Instead | None:
    """Return the layer equivalent to an operation with these operands (names of steps and numbers);
    None if the catalogue does not contain one."""
    make = _LAYERS.get(type(operation))
    operands = list(args[0]) if args and isinstance(args[0], list | tuple) else list(args)
    if make is None or not all(isinstance(each, str | int | float) for each in operands):
        return None
    return make(operation, operands)


def _layer(key: str, *inputs: str, **arguments: Any) -> Instead:
    return LAYERS[key].model_validate(arguments), inputs


def _function(key: str) -> Callable[[Any, Operands], Instead | None]:
    """Return a converter to an activation without arguments."""
    return lambda _, operands: _layer(key, *operands)


def _joining(key: str) -> Callable[[Any, Operands], Instead | None]:
    """Return a converter to a merging layer for tensors of equal rank; with different ranks Keras'
    layers and operations broadcast differently."""

    def make(operation: Any, operands: Operands) -> Instead | None:
        return _layer(key, *operands) if _same_rank(operation, operands) else None

    return make


def _same_rank(operation: Any, operands: Operands) -> bool:
    tensors = operation._inbound_nodes[0].input_tensors  # noqa: SLF001
    named = all(isinstance(each, str) for each in operands)
    return named and len({len(each.shape) for each in tensors}) == 1


def _linear(
    join: str,
    first: Callable[[float], dict[str, float]],
    second: Callable[[float], dict[str, float]],
) -> Callable[[Any, Operands], Instead | None]:
    """Return a converter for arithmetic of two tensors, or of a tensor and a number (a rescaling).
    ``first`` returns the layer's arguments if the number is the right operand, ``second`` if it is
    the left."""

    def make(operation: Any, operands: Operands) -> Instead | None:
        match operands:
            case [str(), str()]:
                return _joining(join)(operation, operands) if join else None
            case [str(name), int() | float() as number] if _is_float(operation):
                return _rescaling(name, first(float(number)))
            case [int() | float() as number, str(name)] if _is_float(operation):
                return _rescaling(name, second(float(number)))
        return None

    return make


def _rescaling(name: str, arguments: dict[str, float]) -> Instead | None:
    if not all(map(math.isfinite, arguments.values())):
        return None
    return _layer("rescaling", name, **{"scale": 1.0, **arguments})


def _is_float(operation: Any) -> bool:
    return operation.output.dtype == "float32"


def _quotient(number: float) -> dict[str, float]:
    return {"scale": 1 / number if number else math.inf}


def _no_number(_: float) -> dict[str, float]:
    return {"scale": math.inf}


def _concatenate(operation: Any, operands: Operands) -> Instead | None:
    rank = len(operation.output.shape)
    return _layer("concatenate", *operands, axis=operation.axis) if operation.axis % rank else None


def _reshape(operation: Any, operands: Operands) -> Instead | None:
    """Convert a reshape that keeps the batch axis and has known sizes."""
    (given,) = operation._inbound_nodes[0].input_tensors  # noqa: SLF001
    before, after = given.shape[1:], operation.output.shape[1:]
    if given.shape[0] is not None or operation.output.shape[0] is not None:
        return None
    if None in (*before, *after) or not after or math.prod(before) != math.prod(after):
        return None
    return _layer("reshape", *operands[:1], target_shape=after)


def _transpose(operation: Any, operands: Operands) -> Instead | None:
    axes = operation.axes
    if axes is None or axes[0] != 0 or len(axes) < 2:
        return None
    return _layer("permute", *operands, dims=tuple(axes[1:]))


def _pooling(kind: str) -> Callable[[Any, Operands], Instead | None]:
    """Return a converter for a reduction over all axes between the batch and the channels."""

    def make(operation: Any, operands: Operands) -> Instead | None:
        (given,) = operation._inbound_nodes[0].input_tensors  # noqa: SLF001
        rank, axes = len(given.shape), operation.axis
        axes = [axes] if isinstance(axes, int) else axes
        spatial = axes is not None and sorted(axis % rank for axis in axes) == [*range(1, rank - 1)]
        if not spatial or not 3 <= rank <= 5:
            return None
        key = f"global_{kind}_pooling{rank - 2}d"
        return _layer(key, *operands, keepdims=bool(operation.keepdims))

    return make


def _with(key: str, *names: str) -> Callable[[Any, Operands], Instead | None]:
    """Return a converter to an activation whose arguments have the same names."""

    def make(operation: Any, operands: Operands) -> Instead | None:
        return _layer(key, *operands, **{name: getattr(operation, name) for name in names})

    return make


def _gelu(operation: Any, operands: Operands) -> Instead | None:
    return None if operation.approximate else _layer("gelu", *operands)


_LAYERS: Mapping[type[Any], Callable[[Any, Operands], Instead | None]] = MappingProxyType(
    {
        arrays.Add: _linear("add", lambda n: {"offset": n}, lambda n: {"offset": n}),
        arrays.Subtract: _linear(
            "subtract", lambda n: {"offset": -n}, lambda n: {"scale": -1.0, "offset": n}
        ),
        arrays.Multiply: _linear("multiply", lambda n: {"scale": n}, lambda n: {"scale": n}),
        arrays.Divide: _linear("", _quotient, _no_number),
        arrays.TrueDivide: _linear("", _quotient, _no_number),
        arrays.Negative: lambda _, operands: _layer("rescaling", *operands, scale=-1.0),
        arrays.Square: lambda _, operands: _layer("multiply", *operands, *operands),
        arrays.Maximum: _joining("maximum"),
        arrays.Minimum: _joining("minimum"),
        arrays.Concatenate: _concatenate,
        arrays.Reshape: _reshape,
        arrays.Squeeze: _reshape,
        arrays.ExpandDims: _reshape,
        arrays.Transpose: _transpose,
        arrays.Mean: _pooling("average"),
        arrays.Max: _pooling("max"),
        arrays.Tanh: _function("tanh"),
        arrays.Exp: _function("exponential"),
        nn.Relu: _function("relu"),
        nn.Relu6: _function("relu6"),
        nn.Sigmoid: _function("sigmoid"),
        nn.Silu: _function("silu"),
        nn.Selu: _function("selu"),
        nn.Softplus: _function("softplus"),
        nn.Softsign: _function("softsign"),
        nn.HardSigmoid: _function("hard_sigmoid"),
        nn.HardSilu: _function("hard_silu"),
        nn.LogSigmoid: _function("log_sigmoid"),
        nn.Gelu: _gelu,
        nn.Elu: _with("elu", "alpha"),
        nn.LeakyRelu: _with("leaky_relu", "negative_slope"),
        nn.Softmax: _with("softmax", "axis"),
    }
)
"""Converters by operation class: (operation, operands) → the layer and its inputs."""
