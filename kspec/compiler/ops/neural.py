"""Windowed operations and resampling: convolutions, pooling, resizing."""

from __future__ import annotations

import math
from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from kspec.compiler.ir import Dim, DType, Op, Shape, TensorType
from kspec.compiler.ops.base import FLOATS, NUMBERS, OpError, common_dtype, expect_arity
from kspec.compiler.ops.shape import scale_dim, sum_dims

Channels = Literal["last", "first"]
Activation = Literal["linear", "relu", "relu6"]
Pairs = tuple[tuple[int, int], ...]
Padding = Pairs | Literal["same"]


@dataclass(frozen=True, slots=True)
class Windowed(Op, ABC):
    """An operation with a window over the spatial axes of (batch, …spatial, channels), or of
    (batch, channels, …spatial) if ``channels`` is "first". ``padding`` is a pair (before, after)
    per spatial axis; or "same", TensorFlow's ``SAME``, if a strided axis is symbolic."""

    strides: tuple[int, ...]
    padding: Padding
    channels: Channels

    def spatial(self, shape: Shape) -> Shape:
        return shape[1:-1] if self.channels == "last" else shape[2:]

    def depth(self, shape: Shape) -> Dim:
        return shape[-1] if self.channels == "last" else shape[1]

    def compose(self, batch: Dim, spatial: Shape, depth: Dim) -> Shape:
        return (batch, *spatial, depth) if self.channels == "last" else (batch, depth, *spatial)

    def pads(
        self, spatial: Shape, window: tuple[int, ...], dilations: tuple[int, ...] = ()
    ) -> Pairs:
        """Return the padding of an input of known sizes."""
        if self.padding != "same":
            return self.padding
        found = same_padding(spatial, window, self.strides, dilations or (1,) * len(window))
        if found == "same":
            raise OpError(f"the sizes {spatial} must be known here")
        return found

    def places(self, spatial: Shape, reach: tuple[int, ...]) -> Shape:
        """Return the number of window positions along each axis; ``reach`` is the dilated window
        size."""
        if self.padding == "same":
            return tuple(
                _windows(dim, 1, s, (0, 0)) for dim, s in zip(spatial, self.strides, strict=True)
            )
        rows = zip(spatial, reach, self.strides, self.padding, strict=True)
        return tuple(_windows(*row) for row in rows)

    def expect_axes(self, x: TensorType, *counts: tuple[int, ...]) -> None:
        """Check that strides, padding and each of ``counts`` have one entry per spatial axis."""
        rank = x.rank - 2
        pairs = () if self.padding == "same" else self.padding
        sizes = {len(each) for each in (self.strides, pairs or self.strides, *counts)}
        if rank < 1 or sizes != {rank}:
            raise OpError(f"a window over {max(sizes)} spatial axes does not fit {x}")
        if min(self.strides) < 1 or min((0, *map(min, pairs))) < 0:
            raise OpError(f"strides {self.strides} and padding {self.padding} are not possible")
        if any(min(each) < 1 for each in counts):
            raise OpError(f"a window or dilation below one: {counts}")


@dataclass(frozen=True, slots=True)
class Convolution(Windowed, ABC):
    """A convolution of (x, kernel) or (x, kernel, bias), all of one float type."""

    dilations: tuple[int, ...]

    def window(self, kernel: Shape) -> tuple[int, ...]:
        window = kernel[:-2] if self.channels == "last" else kernel[2:]
        return tuple(map(_static, window))

    def expect_operands(self, inputs: tuple[TensorType, ...]) -> None:
        expect_arity(self, inputs, 2, 3)
        common_dtype(self, (each.dtype for each in inputs), FLOATS)
        x, kernel = inputs[:2]
        if kernel.rank != x.rank:
            raise OpError(f"kernel {kernel} does not fit {x}")
        self.expect_axes(x, self.window(kernel.shape), self.dilations)


@dataclass(frozen=True, slots=True)
class Conv(Convolution):
    """Cross-correlation of (x, kernel) or (x, kernel, bias of (output channels,)).

    The kernel is (…window, input channels / groups, output channels) for channels last, and
    (output channels, input channels / groups, …window) for channels first. A depthwise convolution
    has as many groups as input channels.
    """

    groups: int = 1
    activation: Activation = "linear"

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        self.expect_operands(inputs)
        x, kernel, *bias = inputs
        depth, filters = _kernel_channels(self.channels, kernel.shape)
        if self.groups < 1 or self.depth(x.shape) != depth * self.groups or filters % self.groups:
            raise OpError(f"kernel {kernel} in {self.groups} groups does not fit {x}")
        expect_bias(bias, filters)
        rows = zip(self.window(kernel.shape), self.dilations, strict=True)
        spatial = self.places(self.spatial(x.shape), tuple((k - 1) * d + 1 for k, d in rows))
        return (x.with_shape(*self.compose(x.shape[0], spatial, filters)),)


@dataclass(frozen=True, slots=True)
class ConvTranspose(Convolution):
    """The gradient of a convolution, of (x, kernel) or (x, kernel, bias).

    The kernel is (…window, output channels, input channels) for channels last, and
    (input channels, output channels, …window) for channels first. Each input element adds the
    scaled kernel to the full result. ``output_padding`` zeros extend the end of the result, then
    ``padding`` is cut off at both ends, possibly including the added zeros. ``padding`` does not
    depend on sizes, so it is always explicit.
    """

    padding: Pairs
    output_padding: tuple[int, ...]

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        self.expect_operands(inputs)
        x, kernel, *bias = inputs
        filters, depth = kernel.shape[-2:] if self.channels == "last" else kernel.shape[1::-1]
        if self.depth(x.shape) != depth:
            raise OpError(f"kernel {kernel} does not fit {x}")
        expect_bias(bias, filters)
        if len(self.output_padding) != len(self.strides) or min(self.output_padding) < 0:
            raise OpError(f"output padding {self.output_padding} does not fit {x}")
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
            sum_dims(scale_dim(dim, s), (k - 1) * d + 1 - s - sum(pad) + extra)
            for dim, k, s, pad, d, extra in rows
        )
        if any(isinstance(dim, int) and dim < 1 for dim in spatial):
            raise OpError(f"padding {self.padding} leaves nothing of {x}")
        return (x.with_shape(*self.compose(x.shape[0], spatial, filters)),)


@dataclass(frozen=True, slots=True)
class Pooling(Windowed, ABC):
    """A reduction of each window of size ``window``. Padded positions do not count; the padding on
    each side is smaller than the window, so every window contains an element."""

    accepts: ClassVar[frozenset[DType]] = NUMBERS

    window: tuple[int, ...]

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        (x,) = inputs
        common_dtype(self, [x.dtype], self.accepts)
        self.expect_axes(x, self.window)
        pairs = () if self.padding == "same" else self.padding
        if any(max(pair) >= k for pair, k in zip(pairs, self.window, strict=False)):
            raise OpError(f"padding {self.padding} is not smaller than the window {self.window}")
        spatial = self.places(self.spatial(x.shape), self.window)
        return (x.with_shape(*self.compose(x.shape[0], spatial, self.depth(x.shape))),)


class MaxPool(Pooling):
    """The greatest element of each window"""


class AveragePool(Pooling):
    """The mean of the elements of each window that lie inside the input, of floats"""

    accepts: ClassVar[frozenset[DType]] = FLOATS


@dataclass(frozen=True, slots=True)
class Resize(Op):
    """Resampling of the spatial axes of floats to ``size``, linear or nearest, without
    antialiasing. Linear has half-pixel centres at (i + 0.5) · scale - 0.5; nearest takes the
    element at ⌊(i + 0.5) · scale⌋."""

    size: tuple[int, ...]
    interpolation: Literal["nearest", "bilinear"]
    channels: Channels

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, 1)
        common_dtype(self, [inputs[0].dtype], FLOATS)
        shape = inputs[0].shape
        if len(self.size) != len(shape) - 2 or min((1, *self.size)) < 1:
            raise OpError(f"size {self.size} does not fit {inputs[0]}")
        if self.channels == "last":
            return (inputs[0].with_shape(shape[0], *self.size, shape[-1]),)
        return (inputs[0].with_shape(*shape[:2], *self.size),)


def same_padding(
    spatial: Shape, window: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...]
) -> Padding:
    """Return explicit padding for TensorFlow's ``SAME``, with ceil(input / stride) outputs; the
    extra element goes at the end. Return "same" if a strided axis is symbolic."""
    rows = list(zip(spatial, window, strides, dilations, strict=True))
    if any(isinstance(dim, str) and s > 1 for dim, _, s, _ in rows):
        return "same"
    return tuple(_same_pair(dim, (k - 1) * d + 1, s) for dim, k, s, d in rows)


def _same_pair(dim: Dim, reach: int, stride: int) -> tuple[int, int]:
    total = reach - 1
    if isinstance(dim, int):
        total = max((math.ceil(dim / stride) - 1) * stride + reach - dim, 0)
    return total // 2, total - total // 2


def _kernel_channels(channels: Channels, kernel: Shape) -> tuple[int, int]:
    depth, filters = kernel[-2:] if channels == "last" else kernel[1::-1]
    return _static(depth), _static(filters)


def expect_bias(bias: Sequence[TensorType], length: Dim) -> None:
    if any(each.shape != (length,) for each in bias):
        raise OpError(f"bias {bias[0]} is not of length {length}")


def _windows(dim: Dim, reach: int, stride: int, pad: tuple[int, int]) -> Dim:
    if isinstance(dim, str):
        if stride == 1:
            return sum_dims(dim, sum(pad) - reach + 1)
        return f"({sum_dims(dim, sum(pad) - reach)})//{stride}+1"
    count = (dim + sum(pad) - reach) // stride + 1
    if count < 1:
        raise OpError(f"a window of {reach} does not fit into {dim} padded by {pad}")
    return count


def _static(dim: Dim) -> int:
    if isinstance(dim, str):
        raise OpError(f"the dimension {dim} must be known here")
    return dim
