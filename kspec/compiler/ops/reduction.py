"""Reductions and accumulations along axes."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar

from kspec.compiler.ir import DType, Op, Shape, TensorType
from kspec.compiler.ops.base import (
    BOOLEANS,
    FLOATS,
    NUMBERS,
    AlongAxis,
    OpError,
    common_dtype,
    expect_arity,
    normalize_axes,
)


@dataclass(frozen=True, slots=True)
class Reduction(Op, ABC):
    """A reduction over ``axes`` (sorted, non-negative, at least one); with ``keepdims`` they keep
    size 1."""

    accepts: ClassVar[frozenset[DType]] = NUMBERS

    axes: tuple[int, ...]
    keepdims: bool = False

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        dtype = common_dtype(self, [inputs[0].dtype], self.accepts)
        shape = _reduced(inputs[0].shape, self.axes, keepdims=self.keepdims)
        return (TensorType(dtype, shape),)


class Sum(Reduction):
    """The sum"""


class Mean(Reduction):
    """The arithmetic mean, of floats"""

    accepts: ClassVar[frozenset[DType]] = FLOATS


class Max(Reduction):
    """The greatest element"""


class Min(Reduction):
    """The least element"""


class Prod(Reduction):
    """The product"""


class All(Reduction):
    """Whether all elements are true"""

    accepts: ClassVar[frozenset[DType]] = BOOLEANS


class Any(Reduction):
    """Whether any element is true"""

    accepts: ClassVar[frozenset[DType]] = BOOLEANS


@dataclass(frozen=True, slots=True)
class ArgReduction(Op, ABC):
    """The int32 index of an extreme element along ``axis``, the first among equal elements."""

    axis: int
    keepdims: bool = False

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        common_dtype(self, [inputs[0].dtype], NUMBERS)
        shape = _reduced(inputs[0].shape, (self.axis,), keepdims=self.keepdims)
        return (TensorType(DType.int32, shape),)


class ArgMax(ArgReduction):
    """The index of the greatest element"""


class ArgMin(ArgReduction):
    """The index of the least element"""


class CumSum(AlongAxis):
    """The running sum along ``axis``"""

    accepts: ClassVar[frozenset[DType]] = NUMBERS


def _reduced(shape: Shape, axes: tuple[int, ...], *, keepdims: bool) -> Shape:
    if not axes or sorted(normalize_axes(axes, len(shape))) != list(axes):
        raise OpError(f"axes {axes} must be sorted, not negative and at least one")
    if keepdims:
        return tuple(1 if axis in axes else dim for axis, dim in enumerate(shape))
    return tuple(dim for axis, dim in enumerate(shape) if axis not in axes)
