"""Operations that reduce or accumulate along axes."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass

from kspec.compiler.ir import DType, Shape, TensorType
from kspec.compiler.ops.base import Elementwise, Op, OpError, expect_arity, normalize_axis


@dataclass(frozen=True, slots=True)
class Reduction(Op, ABC):
    """Reduces over ``axes`` (sorted, not negative), which stay as 1 with ``keepdims``."""

    axes: tuple[int, ...]
    keepdims: bool = False

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        return (
            TensorType(
                inputs[0].dtype, _reduced(inputs[0].shape, self.axes, keepdims=self.keepdims)
            ),
        )


class Sum(Reduction):
    """The sum"""


class Mean(Reduction):
    """The arithmetic mean"""


class Max(Reduction):
    """The greatest element"""


class Min(Reduction):
    """The least element"""


class Prod(Reduction):
    """The product"""


class All(Reduction):
    """Whether all are true"""


class Any(Reduction):
    """Whether one is true"""


@dataclass(frozen=True, slots=True)
class ArgReduction(Op, ABC):
    """The index of an extreme element along ``axis``, the first of equal ones; int32."""

    axis: int
    keepdims: bool = False

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        shape = _reduced(inputs[0].shape, (self.axis,), keepdims=self.keepdims)
        return (TensorType(DType.int32, shape),)


class ArgMax(ArgReduction):
    """The index of the greatest element"""


class ArgMin(ArgReduction):
    """The index of the least element"""


@dataclass(frozen=True, slots=True)
class CumSum(Elementwise):
    """The running sum along ``axis``"""

    axis: int


def _reduced(shape: Shape, axes: tuple[int, ...], *, keepdims: bool) -> Shape:
    if any(normalize_axis(axis, len(shape)) != axis for axis in axes):
        raise OpError(f"axes {axes} must not be negative")
    if keepdims:
        return tuple(1 if axis in axes else dim for axis, dim in enumerate(shape))
    return tuple(dim for axis, dim in enumerate(shape) if axis not in axes)
