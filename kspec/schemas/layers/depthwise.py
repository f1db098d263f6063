"""Convolutions of each channel by itself, and separable convolutions."""

import math
from typing import ClassVar

from kspec.schemas.layers.base import Dim, Shape, Weight, sized
from kspec.schemas.layers.convolution import Convolution, Filtered, Over1D, Over2D, Padding
from kspec.schemas.layers.window import slide
from kspec.schemas.values import Positive
from kspec.schemas.weights import Constraint, GlorotUniform, KernelInitializer, Regularizer


class DepthwiseConv(Convolution):
    """A convolution of each channel separately."""

    padding: Padding = "valid"
    """`valid`: no padding; `same`: the output size is the input size divided by the stride, rounded
    up."""
    depth_multiplier: Positive = 1
    """Output channels per input channel."""
    depthwise_initializer: KernelInitializer = GlorotUniform()
    """Initializer of the kernel."""
    depthwise_regularizer: Regularizer | None = None
    """Regularizer of the kernel."""
    depthwise_constraint: Constraint | None = None
    """Constraint on the kernel."""

    def channels(self, found: int) -> int:
        return found * self.depth_multiplier

    def sizes(self, found: tuple[Dim, ...]) -> tuple[Dim, ...]:
        return slide(self, found, self.kernel_size, self.strides, self.padding, self.dilation_rate)

    def kernels(self, found: int) -> tuple[Weight, ...]:
        return (Weight("kernel", (*self.kernel_size, found, self.depth_multiplier)),)


class DepthwiseConv1D(Over1D, DepthwiseConv):
    """A 1-D convolution over steps of each channel separately."""

    key: ClassVar[str] = "depthwise_conv1d"
    shorthand: ClassVar[str | None] = "kernel_size"


class DepthwiseConv2D(Over2D, DepthwiseConv):
    """A 2-D convolution over height and width of each channel separately."""

    key: ClassVar[str] = "depthwise_conv2d"
    shorthand: ClassVar[str | None] = "kernel_size"


class SeparableConv(DepthwiseConv, Filtered):
    """A depthwise convolution, then a pointwise (1×1) convolution over the channels."""

    pointwise_initializer: KernelInitializer = GlorotUniform()
    """Initializer of the pointwise kernel."""
    pointwise_regularizer: Regularizer | None = None
    """Regularizer of the pointwise kernel."""
    pointwise_constraint: Constraint | None = None
    """Constraint on the pointwise kernel."""

    def channels(self, found: int) -> int:
        del found
        return self.filters

    def kernels(self, found: int) -> tuple[Weight, ...]:
        ones, multiplier = (1,) * len(self.kernel_size), self.depth_multiplier
        return (
            Weight("depthwise_kernel", (*self.kernel_size, found, multiplier)),
            Weight("pointwise_kernel", (*ones, found * multiplier, self.filters)),
        )

    def largest_inner(self, shapes: tuple[Shape, ...]) -> int:
        """Return the elements of the depthwise convolution's output."""
        (shape,) = shapes
        places = sized(self.sizes(shape[:-1]))
        return math.prod((*places, *sized(shape[-1:]))) * self.depth_multiplier


class SeparableConv1D(Over1D, SeparableConv):
    """A depthwise convolution over steps, then a pointwise convolution over the channels."""

    key: ClassVar[str] = "separable_conv1d"


class SeparableConv2D(Over2D, SeparableConv):
    """A depthwise convolution over height and width, then a pointwise convolution over the
    channels."""

    key: ClassVar[str] = "separable_conv2d"
