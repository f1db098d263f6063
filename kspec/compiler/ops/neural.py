"""Operations of neural networks: convolutions, pooling, normalisation, products."""

from __future__ import annotations

import math
from abc import ABC
from dataclasses import dataclass
from typing import Literal

from kspec.compiler.ir import Dim, Shape, TensorType
from kspec.compiler.ops.base import Elementwise, Op, OpError, broadcast, expect_arity

Channels = Literal["last", "first"]
Activation = Literal["linear", "relu", "relu6"]
Padding = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Windowed(Op, ABC):
    """Slides a window over the spatial axes of (batch, …spatial, channels), or of
    (batch, channels, …spatial) where ``channels`` is "first". ``padding`` is explicit, a pair
    (before, after) for each spatial axis."""

    strides: tuple[int, ...]
    padding: Padding
    channels: Channels

    def spatial(self, shape: Shape) -> Shape:
        return shape[1:-1] if self.channels == "last" else shape[2:]

    def depth(self, shape: Shape) -> Dim:
        return shape[-1] if self.channels == "last" else shape[1]

    def compose(self, batch: Dim, spatial: Shape, depth: Dim) -> Shape:
        return (batch, *spatial, depth) if self.channels == "last" else (batch, depth, *spatial)


@dataclass(frozen=True, slots=True)
class Conv(Windowed):
    """Cross-correlation of (x, kernel) or (x, kernel, bias of (output channels,)).

    The kernel is (…window, input channels / groups, output channels) where channels come last, and
    (output channels, input channels / groups, …window) where they come first. A depthwise
    convolution has as many groups as input channels.
    """

    dilations: tuple[int, ...]
    groups: int = 1
    activation: Activation = "linear"

    def window(self, kernel: Shape) -> tuple[int, ...]:
        window = kernel[:-2] if self.channels == "last" else kernel[2:]
        return tuple(int(dim) for dim in window)

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 2, 3)
        x, kernel = inputs[:2]
        depth, filters = _kernel_channels(self.channels, kernel.shape)
        if self.depth(x.shape) != depth * self.groups or filters % self.groups:
            raise OpError(f"kernel {kernel} in {self.groups} groups does not fit {x}")
        window = self.window(kernel.shape)
        rows = zip(
            self.spatial(x.shape), window, self.strides, self.padding, self.dilations, strict=True
        )
        spatial = tuple(_windows(dim, (k - 1) * d + 1, s, pad) for dim, k, s, pad, d in rows)
        return (x.with_shape(*self.compose(x.shape[0], spatial, filters)),)


@dataclass(frozen=True, slots=True)
class ConvTranspose(Windowed):
    """The gradient of a convolution, of (x, kernel) or (x, kernel, bias).

    The kernel is (…window, output channels, input channels) where channels come last, and
    (input channels, output channels, …window) where they come first. ``padding`` is cut off from
    the full result; ``output_padding`` rows are then added after it.
    """

    dilations: tuple[int, ...]
    output_padding: tuple[int, ...]

    def window(self, kernel: Shape) -> tuple[int, ...]:
        window = kernel[:-2] if self.channels == "last" else kernel[2:]
        return tuple(int(dim) for dim in window)

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 2, 3)
        x, kernel = inputs[:2]
        filters, depth = kernel.shape[-2:] if self.channels == "last" else kernel.shape[1::-1]
        if self.depth(x.shape) != depth:
            raise OpError(f"kernel {kernel} does not fit {x}")
        rows = zip(
            self.spatial(x.shape),
            self.window(kernel.shape),
            self.strides,
            self.padding,
            self.dilations,
            self.output_padding,
            strict=True,
        )
        spatial = tuple(
            (_static(dim) - 1) * s + (k - 1) * d + 1 - sum(pad) + extra
            for dim, k, s, pad, d, extra in rows
        )
        return (x.with_shape(*self.compose(x.shape[0], spatial, filters)),)


@dataclass(frozen=True, slots=True)
class Pooling(Windowed, ABC):
    """Reduces each window of size ``window``; padded places never count."""

    window: tuple[int, ...]

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        (x,) = inputs
        rows = zip(self.spatial(x.shape), self.window, self.strides, self.padding, strict=True)
        spatial = tuple(_windows(dim, k, s, pad) for dim, k, s, pad in rows)
        return (x.with_shape(*self.compose(x.shape[0], spatial, self.depth(x.shape))),)


class MaxPool(Pooling):
    """The greatest element of each window"""


class AveragePool(Pooling):
    """The mean of the elements of each window that lie inside the input"""


@dataclass(frozen=True, slots=True)
class BatchNorm(Op):
    """Of (x, scale, offset, mean, variance), each of the length of ``axis``:
    (x - mean) / sqrt(variance + epsilon) · scale + offset"""

    axis: int
    epsilon: float

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 5)
        if any(each.shape != (inputs[0].shape[self.axis],) for each in inputs[1:]):
            raise OpError(f"statistics do not fit axis {self.axis} of {inputs[0]}")
        return (inputs[0],)


@dataclass(frozen=True, slots=True)
class LayerNorm(Op):
    """Of (x, scale, offset) with the shape of the last axis: (x - mean) / sqrt(variance + epsilon)
    · scale + offset, mean and (biased) variance over the last axis (Ba et al. 2016)"""

    epsilon: float

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 3)
        if any(each.shape != inputs[0].shape[-1:] for each in inputs[1:]):
            raise OpError(f"scale and offset do not fit the last axis of {inputs[0]}")
        return (inputs[0],)


@dataclass(frozen=True, slots=True)
class Softmax(Elementwise):
    """exp(x) / Σ exp(x) along ``axis``"""

    axis: int


@dataclass(frozen=True, slots=True)
class LogSoftmax(Elementwise):
    """x - log Σ exp(x) along ``axis``"""

    axis: int


@dataclass(frozen=True, slots=True)
class MatMul(Op):
    """The product of the last two axes of (x, y), the others broadcast"""

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 2)
        x, y = inputs
        if min(x.rank, y.rank) < 2 or x.shape[-1] != y.shape[-2]:
            raise OpError(f"cannot multiply {x} by {y}")
        lead = broadcast(x.shape[:-2], y.shape[:-2]) if max(x.rank, y.rank) > 2 else ()
        return (x.with_shape(*lead, x.shape[-2], y.shape[-1]),)


@dataclass(frozen=True, slots=True)
class Linear(Op):
    """Of (x, kernel) or (x, kernel, bias): x[…, inputs] · kernel[inputs, units] + bias[units]"""

    activation: Activation = "linear"

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 2, 3)
        x, kernel = inputs[:2]
        if kernel.rank != 2 or x.shape[-1] != kernel.shape[0]:
            raise OpError(f"kernel {kernel} does not fit {x}")
        return (x.with_shape(*x.shape[:-1], kernel.shape[1]),)


@dataclass(frozen=True, slots=True)
class Einsum(Op):
    """Einstein's summation over named axes, written out: ``abc,cd->abd``; no ellipsis"""

    equation: str

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        terms, result = self.equation.split("->")
        sizes: dict[str, Dim] = {}
        for term, each in zip(terms.split(","), inputs, strict=True):
            for letter, dim in zip(term, each.shape, strict=True):
                if sizes.setdefault(letter, dim) != dim:
                    raise OpError(f"{self.equation} does not fit {', '.join(map(str, inputs))}")
        return (inputs[0].with_shape(*(sizes[letter] for letter in result)),)


@dataclass(frozen=True, slots=True)
class Resize(Op):
    """Resamples the spatial axes to ``size`` with pixel centres at (i + 0.5) · scale - 0.5 (half
    pixel), nearest (rounding down at (i + 0.5) · scale) or linear, without antialiasing."""

    size: tuple[int, ...]
    interpolation: Literal["nearest", "bilinear"]
    channels: Channels

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        shape = inputs[0].shape
        if self.channels == "last":
            return (inputs[0].with_shape(shape[0], *self.size, shape[-1]),)
        return (inputs[0].with_shape(*shape[:2], *self.size),)


def same_padding(
    spatial: Shape, window: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...]
) -> Padding:
    """TensorFlow's ``SAME`` written out: as many outputs as ceil(input / stride), the odd element
    after. A symbolic dimension is allowed where its stride is 1."""
    return tuple(
        _same_pair(dim, (k - 1) * d + 1, s)
        for dim, k, s, d in zip(spatial, window, strides, dilations, strict=True)
    )


def _same_pair(dim: Dim, reach: int, stride: int) -> tuple[int, int]:
    total = reach - 1
    if stride != 1:
        size = _static(dim)
        total = max((math.ceil(size / stride) - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2


def _kernel_channels(channels: Channels, kernel: Shape) -> tuple[int, int]:
    depth, filters = kernel[-2:] if channels == "last" else kernel[1::-1]
    return _static(depth), _static(filters)


def _windows(dim: Dim, reach: int, stride: int, pad: tuple[int, int]) -> Dim:
    if isinstance(dim, str):
        grown = sum(pad) - reach + 1
        if stride == 1:
            return f"{dim}{grown:+d}" if grown else dim
        return f"({dim}{sum(pad) - reach:+d})//{stride}+1"
    count = (dim + sum(pad) - reach) // stride + 1
    if count < 1:
        raise OpError(f"a window of {reach} does not fit into {dim} padded by {pad}")
    return count


def _static(dim: Dim) -> int:
    if isinstance(dim, str):
        raise OpError(f"the dimension {dim} must be known here")
    return dim
