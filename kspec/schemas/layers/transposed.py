"""Transposed convolutions, which upsample with a learnt kernel."""

from typing import Annotated, ClassVar

from kspec.schemas.layers.base import Dim, ShapeError, Weight
from kspec.schemas.layers.convolution import Kernel, Over1D, Over2D, Over3D, Padding
from kspec.schemas.values import Natural, Spread

Rest1 = Annotated[tuple[Natural], Spread()]
Rest2 = Annotated[tuple[Natural, Natural], Spread()]
Rest3 = Annotated[tuple[Natural, Natural, Natural], Spread()]


class ConvTranspose(Kernel):
    """A transposed convolution."""

    padding: Padding = "valid"
    """`valid`: all places that the kernel reaches; `same`: the output size is the input size times
    the stride."""
    output_padding: tuple[int, ...] | None = None
    """Places added at the end of each axis, fewer than the stride; by default they follow from
    `padding`."""

    def channels(self, found: int) -> int:
        del found
        return self.filters

    def sizes(self, found: tuple[Dim, ...]) -> tuple[Dim, ...]:
        self.either_strides_or_dilation()
        rests: tuple[int | None, ...] = self.output_padding or (None,) * len(found)
        for rest, stride in zip(rests, self.strides, strict=True):
            if rest is not None and rest >= stride:
                raise ShapeError(
                    f"output_padding {rest} of {self.key} is not below the stride {stride}",
                    "output_padding",
                )
        axes = zip(found, self.kernel_size, self.strides, self.dilation_rate, rests, strict=True)
        return tuple(self.along(*axis) for axis in axes)

    def along(self, size: Dim, kernel: int, stride: int, dilation: int, rest: int | None) -> Dim:
        """Return the output size of one axis, as Keras computes it."""
        if not isinstance(size, int):
            return size if self.padding == "same" and stride == 1 and rest is None else None
        extent = dilation * (kernel - 1) + 1
        if self.padding == "same":
            return size * stride if rest is None else (size - 1) * stride + extent % 2 + rest
        return (size - 1) * stride + (max(extent, stride) if rest is None else extent + rest)

    def kernels(self, found: int) -> tuple[Weight, ...]:
        return (Weight("kernel", (*self.kernel_size, self.filters, found)),)


class Conv1DTranspose(Over1D, ConvTranspose):
    """A transposed convolution over steps."""

    key: ClassVar[str] = "conv1d_transpose"

    output_padding: Rest1 | None = None
    """Steps added at the end, fewer than the stride; by default they follow from `padding`."""


class Conv2DTranspose(Over2D, ConvTranspose):
    """A transposed convolution over height and width."""

    key: ClassVar[str] = "conv2d_transpose"

    output_padding: Rest2 | None = None
    """Places added at the end of each axis, fewer than the stride; by default they follow from
    `padding`."""


class Conv3DTranspose(Over3D, ConvTranspose):
    """A transposed convolution over depth, height and width."""

    key: ClassVar[str] = "conv3d_transpose"

    output_padding: Rest3 | None = None
    """Places added at the end of each axis, fewer than the stride; by default they follow from
    `padding`."""
