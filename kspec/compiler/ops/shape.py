"""Operations that move elements without computing with them."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from kspec.compiler.ir import Dim, DType, Op, Shape, TensorType
from kspec.compiler.ops.base import (
    ANY,
    OpError,
    broadcast,
    common_dtype,
    expect_arity,
    expect_holds,
    expect_shape,
    normalize_axes,
    normalize_axis,
)

_PRODUCT = re.compile(r"\w+(\*\w+)*")
_CONSTANT = re.compile(r"[+-]\d+$")
"""The constant term at the end of a symbolic dimension."""


@dataclass(frozen=True, slots=True)
class Reshape(Op):
    """The same elements in the same order in another shape. The shape is explicit: symbolic
    dimensions have their names, never -1."""

    shape: Shape

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        expect_shape(self.shape)
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
    """The concatenation along ``axis`` of inputs whose other axes are equal"""

    axis: int

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        if not inputs:
            raise OpError("Concat takes at least one input")
        first = inputs[0]
        common_dtype(self, (each.dtype for each in inputs), ANY)
        axis = normalize_axis(self.axis, first.rank)
        if len({(each.rank, each.shape[:axis], each.shape[axis + 1 :]) for each in inputs}) > 1:
            raise OpError(f"cannot concatenate {', '.join(map(str, inputs))} on axis {axis}")
        total = sum_dims(*(each.shape[axis] for each in inputs))
        return (first.with_shape(*first.shape[:axis], total, *first.shape[axis + 1 :]),)


@dataclass(frozen=True, slots=True)
class Slice(Op):
    """``x[start:stop:step]`` along each of ``axes``. ``stop`` None means the end; steps are
    positive; a symbolic axis allows only ``start ≥ 0`` or a fixed distance from the end."""

    axes: tuple[int, ...]
    starts: tuple[int, ...]
    stops: tuple[int | None, ...]
    steps: tuple[int, ...]

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        shape = list(inputs[0].shape)
        if len({len(self.axes), len(self.starts), len(self.stops), len(self.steps)}) > 1:
            raise OpError("Slice needs a start, a stop and a step for each axis")
        axes = normalize_axes(self.axes, len(shape))
        rows = zip(axes, self.starts, self.stops, self.steps, strict=True)
        for axis, start, stop, step in rows:
            shape[axis] = _sliced(shape[axis], start, stop, step)
        return (inputs[0].with_shape(*shape),)


@dataclass(frozen=True, slots=True)
class Pad(Op):
    """``low[i]`` elements added before and ``high[i]`` after axis i, filled by ``value`` or
    ``mode``"""

    low: tuple[int, ...]
    high: tuple[int, ...]
    mode: Literal["constant", "reflect", "symmetric", "edge"] = "constant"
    value: float = 0.0

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        (x,) = inputs
        if (
            x.rank == 0
            or {len(self.low), len(self.high)} != {x.rank}
            or min((0, *self.low, *self.high)) < 0
        ):
            raise OpError(f"pads {self.low}, {self.high} do not fit {x}")
        expect_holds(x.dtype, self.value)
        rows = list(zip(x.shape, self.low, self.high, strict=True))
        # Each mode can add at most dim - spare elements per side.
        spare = {"reflect": 1, "symmetric": 0}.get(self.mode)
        for dim, low, high in rows:
            if spare is not None and isinstance(dim, int) and max(low, high) > dim - spare:
                raise OpError(f"{self.mode} padding by {max(low, high)} of {dim} elements")
        return (x.with_shape(*(sum_dims(dim, low, high) for dim, low, high in rows)),)


@dataclass(frozen=True, slots=True)
class BroadcastTo(Op):
    """The input repeated along dimensions of 1 (and new leading ones) to ``shape``"""

    shape: Shape

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        expect_shape(self.shape)
        if broadcast(inputs[0].shape, self.shape) != self.shape:
            raise OpError(f"cannot broadcast {inputs[0].shape} to {self.shape}")
        return (inputs[0].with_shape(*self.shape),)


@dataclass(frozen=True, slots=True)
class Tile(Op):
    """The input repeated ``repeats[i]`` times along axis i"""

    repeats: tuple[int, ...]

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        if len(self.repeats) != inputs[0].rank or min((1, *self.repeats)) < 1:
            raise OpError(f"repeats {self.repeats} do not fit {inputs[0]}")
        rows = zip(inputs[0].shape, self.repeats, strict=True)
        return (inputs[0].with_shape(*(scale_dim(dim, times) for dim, times in rows)),)


@dataclass(frozen=True, slots=True)
class Repeat(Op):
    """Each element repeated ``times`` times along ``axis``, copies adjacent"""

    times: int
    axis: int

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        shape = list(inputs[0].shape)
        axis = normalize_axis(self.axis, len(shape))
        if self.times < 1:
            raise OpError(f"cannot repeat elements {self.times} times")
        shape[axis] = scale_dim(shape[axis], self.times)
        return (inputs[0].with_shape(*shape),)


@dataclass(frozen=True, slots=True)
class Gather(Op):
    """Slices of x at integer ``indices`` along ``axis``, of (x, indices)"""

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
    """The input reversed along ``axes``"""

    axes: tuple[int, ...]

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        normalize_axes(self.axes, inputs[0].rank)
        return inputs


def sum_dims(*dims: Dim) -> Dim:
    """Return the sum of dimensions, symbolic if one is: ``time``, 2 → ``time+2``. A padded and then
    cropped dimension has its first name again: ``time+2``, -2 → ``time``."""
    number, names = 0, Counter[str]()
    for dim in dims:
        name, constant = _split(dim)
        number += constant
        names.update([name] if name else [])
    if not names:
        return number
    text = "+".join(_times(name, count) for name, count in names.items())
    return f"{text}{number:+d}" if number else text


def scale_dim(dim: Dim, factor: int) -> Dim:
    """Return a dimension times a number, symbolic if the dimension is: ``2*time+2``."""
    name, constant = _split(dim)
    return sum_dims(_times(name, factor), constant * factor) if name else constant * factor


def _split(dim: Dim) -> tuple[str, int]:
    """Return the symbolic part of a dimension and its constant term."""
    if isinstance(dim, int):
        return "", dim
    constant = _CONSTANT.search(dim)
    return (dim[: constant.start()], int(constant[0])) if constant else (dim, 0)


def _times(name: str, factor: int) -> str:
    if factor == 1:
        return name
    return f"{factor}*{name}" if name.isidentifier() else f"{factor}*({name})"


def _known_size(shape: Shape) -> tuple[int, tuple[str, ...]]:
    """Return the product of the known factors and the unknown names; ``3*batch`` has both."""
    factors = [
        factor
        for dim in map(str, shape)
        for factor in (dim.split("*") if _PRODUCT.fullmatch(dim) else [dim])
    ]
    size = math.prod(int(factor) for factor in factors if factor.isdecimal())
    return size, tuple(sorted(factor for factor in factors if not factor.isdecimal()))


def _sliced(dim: Dim, start: int, stop: int | None, step: int) -> Dim:
    if step < 1:
        raise OpError(f"a step of {step}")
    if isinstance(dim, int):
        return len(range(*slice(start, stop, step).indices(dim)))
    if step != 1:
        raise OpError(f"a step of {step} along the symbolic dimension {dim}")
    if stop is None:
        return sum_dims(dim, -start) if start >= 0 else -start
    if (start < 0) == (stop < 0):
        return max(stop - start, 0)
    if start < 0:
        raise OpError(f"a slice from {start} to {stop} of the symbolic dimension {dim}")
    return sum_dims(dim, stop - start)
