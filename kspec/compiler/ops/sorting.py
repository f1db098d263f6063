"""Operations that order elements, and the one that picks by what they give."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass

from kspec.compiler.ir import DType, Op, TensorType
from kspec.compiler.ops.base import NUMBERS, OpError, common_dtype, expect_arity, normalize_axis


@dataclass(frozen=True, slots=True)
class Ranking(Op, ABC):
    """About the ``k`` greatest along the last axis, in descending order; of equal ones the first
    comes first."""

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
    """The ``k`` greatest along the last axis, in descending order"""


class ArgTopK(Ranking):
    """Where the ``k`` greatest are along the last axis, in descending order of these; of equal
    ones the first comes first; int32"""

    def result_dtype(self, dtype: DType) -> DType:  # noqa: ARG002
        return DType.int32


@dataclass(frozen=True, slots=True)
class TakeAlongAxis(Op):
    """Of (x, indices) of one rank, equal but for ``axis``: the element of x with the same place,
    and along ``axis`` the index; indices are ≥ 0"""

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
