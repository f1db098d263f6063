"""Normalisation and products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kspec.compiler.ir import DType, Op, TensorType
from kspec.compiler.ops.base import (
    FLOATS,
    NUMBERS,
    AlongAxis,
    OpError,
    broadcast,
    common_dtype,
    expect_arity,
    normalize_axis,
)
from kspec.compiler.ops.neural import Activation, expect_bias


@dataclass(frozen=True, slots=True)
class BatchNorm(Op):
    """(x - mean) / sqrt(variance + epsilon) · scale + offset, of (x, scale, offset, mean,
    variance); the last four have the length of ``axis``"""

    axis: int
    epsilon: float

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 5)
        common_dtype(self, (each.dtype for each in inputs), FLOATS)
        axis = normalize_axis(self.axis, inputs[0].rank)
        if any(each.shape != (inputs[0].shape[axis],) for each in inputs[1:]):
            raise OpError(f"statistics do not fit axis {self.axis} of {inputs[0]}")
        return (inputs[0],)


@dataclass(frozen=True, slots=True)
class LayerNorm(Op):
    """(x - mean) / sqrt(variance + epsilon) · scale + offset, of (x, scale, offset), with mean and
    biased variance over the last axis, whose length scale and offset have (Ba et al. 2016)"""

    epsilon: float

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 3)
        common_dtype(self, (each.dtype for each in inputs), FLOATS)
        normalize_axis(-1, inputs[0].rank)
        if any(each.shape != inputs[0].shape[-1:] for each in inputs[1:]):
            raise OpError(f"scale and offset do not fit the last axis of {inputs[0]}")
        return (inputs[0],)


class Softmax(AlongAxis):
    """exp(x) / Σ exp(x) along ``axis``, of floats"""

    accepts: ClassVar[frozenset[DType]] = FLOATS


class LogSoftmax(AlongAxis):
    """x - log Σ exp(x) along ``axis``, of floats"""

    accepts: ClassVar[frozenset[DType]] = FLOATS


@dataclass(frozen=True, slots=True)
class MatMul(Op):
    """The matrix product over the last two axes of (x, y); the other axes are broadcast"""

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 2)
        x, y = inputs
        common_dtype(self, (x.dtype, y.dtype), NUMBERS)
        if min(x.rank, y.rank) < 2 or x.shape[-1] != y.shape[-2]:
            raise OpError(f"cannot multiply {x} by {y}")
        lead = broadcast(x.shape[:-2], y.shape[:-2]) if max(x.rank, y.rank) > 2 else ()
        return (x.with_shape(*lead, x.shape[-2], y.shape[-1]),)


@dataclass(frozen=True, slots=True)
class Linear(Op):
    """x[…, inputs] · kernel[inputs, units] + bias[units], of (x, kernel) or (x, kernel, bias)"""

    activation: Activation = "linear"

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 2, 3)
        common_dtype(self, (each.dtype for each in inputs), FLOATS)
        x, kernel, *bias = inputs
        if kernel.rank != 2 or x.shape[-1:] != kernel.shape[:1]:
            raise OpError(f"kernel {kernel} does not fit {x}")
        expect_bias(bias, kernel.shape[1])
        return (x.with_shape(*x.shape[:-1], kernel.shape[1]),)
