"""Sorting operations, and the gather that uses their indices."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass

from kspec.compiler.ir import DType, Op, TensorType
from kspec.compiler.ops.base import NUMBERS, OpError, common_dtype, expect_arity, normalize_axis


@dataclass(frozen=True, slots=True)
class Ranking(Op, ABC):
    """A selection of the ``k`` greatest elements along the last axis, in descending order; equal
    elements keep their order."""

    k: int

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        (x,) = inputs
        dtype = common_dtype(self, [x.dtype], NUMBERS)
        normalize_axis(-1, x.rank)
        size = x.shape[-1]
        if not isinstance(size, int) or not 1 <= self.k <= size:
            raise OpError(f"{type(self).__name__} of {self.k} elements of {size}")
        return (TensorType(self.result_dtype(dtype), (*x.shape[:-1], self.k)),)

    def result_dtype(self, dtype: DType) -> DType:
        return dtype


class TopK(Ranking):
    """The ``k`` greatest elements along the last axis, in descending order"""


class ArgTopK(Ranking):
    """The int32 indices of the ``k`` greatest elements along the last axis, in descending order of
    the elements; equal elements keep their order"""

    def result_dtype(self, dtype: DType) -> DType:  # noqa: ARG002
        return DType.int32


@dataclass(frozen=True, slots=True)
class TakeAlongAxis(Op):
    """The elements of x at ``indices`` ≥ 0 along ``axis`` and at the same position along all other
    axes, of (x, indices) of equal shape except for ``axis``"""

    axis: int

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 2)
        x, indices = inputs
        if indices.dtype not in (DType.int32, DType.int64):
            raise OpError(f"indices must be integers, found {indices}")
        axis = normalize_axis(self.axis, x.rank)
        rest = [each.shape[:axis] + each.shape[axis + 1 :] for each in inputs]
        if x.rank != indices.rank or rest[0] != rest[1]:
            raise OpError(f"{indices} does not fit {x} along axis {axis}")
        return (x.with_shape(*indices.shape),)
