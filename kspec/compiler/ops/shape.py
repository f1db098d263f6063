"""Operations that move elements without computing with them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from kspec.compiler.ir import Dim, DType, Shape, TensorType
from kspec.compiler.ops.base import Op, OpError, broadcast, expect_arity, normalize_axis


@dataclass(frozen=True, slots=True)
class Reshape(Op):
    """The same elements in the same order under another shape. The shape is written in full:
    symbolic dimensions by their names, never -1."""

    shape: Shape

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        if _known_size(inputs[0].shape) != _known_size(self.shape):
            raise OpError(f"cannot reshape {inputs[0].shape} to {self.shape}")
        return (inputs[0].with_shape(*self.shape),)


@dataclass(frozen=True, slots=True)
class Transpose(Op):
    """Output axis i is input axis ``perm[i]``"""

    perm: tuple[int, ...]

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        if sorted(self.perm) != list(range(inputs[0].rank)):
            raise OpError(f"perm {self.perm} does not permute {inputs[0].shape}")
        return (inputs[0].with_shape(*(inputs[0].shape[axis] for axis in self.perm)),)


@dataclass(frozen=True, slots=True)
class Concat(Op):
    """Inputs of equal shape but for ``axis``, one after the other"""

    axis: int

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        first = inputs[0]
        axis = normalize_axis(self.axis, first.rank)
        for each in inputs:
            same = each.shape[:axis] + each.shape[axis + 1 :]
            if (
                each.dtype is not first.dtype
                or same != first.shape[:axis] + first.shape[axis + 1 :]
            ):
                raise OpError(f"cannot concatenate {', '.join(map(str, inputs))} on axis {axis}")
        total = sum_dims(*(each.shape[axis] for each in inputs))
        return (first.with_shape(*first.shape[:axis], total, *first.shape[axis + 1 :]),)


@dataclass(frozen=True, slots=True)
class Slice(Op):
    """``x[start:stop:step]`` along each of ``axes``. ``stop`` None runs to the end; steps are
    positive; on a symbolic axis only ``start ≥ 0`` or a fixed distance from the end is allowed."""

    axes: tuple[int, ...]
    starts: tuple[int, ...]
    stops: tuple[int | None, ...]
    steps: tuple[int, ...]

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        shape = list(inputs[0].shape)
        for axis, start, stop, step in zip(
            self.axes, self.starts, self.stops, self.steps, strict=True
        ):
            shape[axis] = _sliced(shape[axis], start, stop, step)
        return (inputs[0].with_shape(*shape),)


@dataclass(frozen=True, slots=True)
class Pad(Op):
    """``low[i]`` elements before and ``high[i]`` after axis i, of ``value`` or by ``mode``"""

    low: tuple[int, ...]
    high: tuple[int, ...]
    mode: Literal["constant", "reflect", "symmetric", "edge"] = "constant"
    value: float = 0.0

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        if min(*self.low, *self.high) < 0 or len(self.low) != inputs[0].rank:
            raise OpError(f"pads {self.low}, {self.high} do not fit {inputs[0]}")
        rows = zip(inputs[0].shape, self.low, self.high, strict=True)
        return (inputs[0].with_shape(*(sum_dims(dim, low, high) for dim, low, high in rows)),)


@dataclass(frozen=True, slots=True)
class BroadcastTo(Op):
    """The input repeated along dimensions of 1 (and new leading ones) to ``shape``"""

    shape: Shape

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        if broadcast(inputs[0].shape, self.shape) != self.shape:
            raise OpError(f"cannot broadcast {inputs[0].shape} to {self.shape}")
        return (inputs[0].with_shape(*self.shape),)


@dataclass(frozen=True, slots=True)
class Tile(Op):
    """The input repeated ``repeats[i]`` times along axis i"""

    repeats: tuple[int, ...]

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        rows = zip(inputs[0].shape, self.repeats, strict=True)
        return (inputs[0].with_shape(*(scale_dim(dim, times) for dim, times in rows)),)


@dataclass(frozen=True, slots=True)
class Repeat(Op):
    """Each element repeated ``times`` times along ``axis``, neighbours together"""

    times: int
    axis: int

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        shape = list(inputs[0].shape)
        shape[self.axis] = scale_dim(shape[self.axis], self.times)
        return (inputs[0].with_shape(*shape),)


@dataclass(frozen=True, slots=True)
class Gather(Op):
    """Of (x, indices): slices of x at integer ``indices`` along ``axis``"""

    axis: int

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 2)
        x, indices = inputs
        if indices.dtype not in (DType.int32, DType.int64):
            raise OpError(f"indices must be integers, found {indices}")
        axis = normalize_axis(self.axis, x.rank)
        return (x.with_shape(*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]),)


@dataclass(frozen=True, slots=True)
class Reverse(Op):
    """The input backwards along ``axes``"""

    axes: tuple[int, ...]

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        return inputs


def sum_dims(*dims: Dim) -> Dim:
    """The sum of dimensions; symbolic when one is: ``time``, 2 → ``time+2``."""
    number = sum(dim for dim in dims if isinstance(dim, int))
    names = [dim for dim in dims if isinstance(dim, str)]
    if not names:
        return number
    text = "+".join(names)
    return f"{text}{number:+d}" if number else text


def scale_dim(dim: Dim, factor: int) -> Dim:
    """A dimension times a number; symbolic when it is."""
    if isinstance(dim, int):
        return dim * factor
    return dim if factor == 1 else f"{factor}*({dim})"


def _known_size(shape: Shape) -> tuple[int, tuple[str, ...]]:
    names = "*".join(dim for dim in shape if isinstance(dim, str)).split("*")
    size = math.prod(dim for dim in shape if isinstance(dim, int))
    return size, tuple(sorted(filter(None, names)))


def _sliced(dim: Dim, start: int, stop: int | None, step: int) -> Dim:
    if isinstance(dim, int):
        return len(range(*slice(start, stop, step).indices(dim)))
    if step != 1:
        raise OpError(f"a step of {step} along the symbolic dimension {dim}")
    if start >= 0 and stop is None:
        return sum_dims(dim, -start)
    if stop is not None and (start < 0) == (stop < 0):
        return stop - start
    if start < 0 and stop is None:
        return -start
    return sum_dims(dim, (stop or 0) - start)
