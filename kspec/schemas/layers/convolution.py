"""Convolutions over one, two or three spatial axes, channels last."""

from abc import abstractmethod
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from kspec.schemas.activations import Activation
from kspec.schemas.base import located
from kspec.schemas.layers.base import (
    Dim,
    Layer,
    Shape,
    ShapeError,
    Size1,
    Size2,
    Size3,
    Weight,
    Whole,
    agree,
    known,
    sized,
    spatial,
)
from kspec.schemas.layers.window import slide
from kspec.schemas.values import Positive
from kspec.schemas.weights import (
    Constraint,
    GlorotUniform,
    KernelInitializer,
    Regularizer,
    VectorConstraint,
    VectorInitializer,
    Zeros,
    outside,
)

Filters = Annotated[Positive, Field(examples=[32])]
Padding = Literal["valid", "same"]


class Filtered(Layer):
    """A layer with a `filters` argument, the channels of its output."""

    filters: Filters
    """Channels of the output."""


class Windowed(Layer):
    """A layer whose kernel slides over spatial axes."""

    kernel_size: tuple[int, ...]
    """Size of the kernel: one number for all axes, or one per axis."""
    strides: tuple[int, ...]
    """Strides of the kernel."""
    dilation_rate: tuple[int, ...]
    """Dilation rate of the kernel."""


class Over1D(Windowed):
    """Sizes over one spatial axis."""

    kernel_size: Annotated[Size1, Field(examples=[3])]
    strides: Size1 = (1,)
    dilation_rate: Size1 = (1,)


class Over2D(Windowed):
    """Sizes over two spatial axes."""

    kernel_size: Annotated[Size2, Field(examples=[3])]
    strides: Size2 = (1, 1)
    dilation_rate: Size2 = (1, 1)


class Over3D(Windowed):
    """Sizes over three spatial axes."""

    kernel_size: Annotated[Size3, Field(examples=[3])]
    strides: Size3 = (1, 1, 1)
    dilation_rate: Size3 = (1, 1, 1)


class Convolution(Windowed):
    """The fields and rules that all convolutions share."""

    whole: ClassVar[Whole] = "refused"

    activation: Activation | None = None
    """Activation of the output."""
    use_bias: bool = True
    """Whether to add a bias."""
    bias_initializer: VectorInitializer = Zeros()
    """Initializer of the bias."""
    bias_regularizer: Regularizer | None = None
    """Regularizer of the bias."""
    bias_constraint: VectorConstraint | None = None
    """Constraint on the bias."""
    activity_regularizer: Regularizer | None = None
    """Regularizer of the output."""

    def takes_again(self, first: Shape, shape: Shape) -> bool:
        return agree(first, shape, -1)

    @model_validator(mode="after")
    def constraints_within_kernels(self) -> Self:
        """Check the axes of constraints against the kernel's rank, which is the window's rank plus
        2."""
        for name in type(self).model_fields:
            if name.endswith("_constraint"):
                problem = outside(getattr(self, name), len(self.kernel_size) + 2)
                if problem:
                    raise located((name, "axis"), problem)
        return self

    @abstractmethod
    def channels(self, found: int) -> int:
        """Return the channels of the output for the channels of the input."""

    @abstractmethod
    def sizes(self, found: tuple[Dim, ...]) -> tuple[Dim, ...]:
        """Return the spatial sizes of the output for the spatial sizes of the input."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        found = spatial(self, shape, len(self.kernel_size))
        channels = self.channels(known(self, shape))
        return (*self.sizes(found), channels)

    @abstractmethod
    def kernels(self, found: int) -> tuple[Weight, ...]:
        """Return the kernels for the channels of the input."""

    def weight_shapes(self, shapes: tuple[Shape, ...]) -> tuple[Weight, ...]:
        (shape,) = shapes
        (found,) = sized(shape[-1:])
        bias = Weight("bias", (self.channels(found),))
        return (*self.kernels(found), *((bias,) if self.use_bias else ()))

    def either_strides_or_dilation(self) -> None:
        """Refuse strides and dilation that are both above 1, which no runtime supports."""
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ShapeError(
                f"{self.key} cannot have both strides and dilation_rate above 1", "dilation_rate"
            )


class Kernel(Convolution, Filtered):
    """A convolution with one kernel."""

    kernel_initializer: KernelInitializer = GlorotUniform()
    """Initializer of the kernel."""
    kernel_regularizer: Regularizer | None = None
    """Regularizer of the kernel."""
    kernel_constraint: Constraint | None = None
    """Constraint on the kernel."""


class Conv(Kernel):
    """A convolution."""

    padding: Padding | Literal["causal"] = "valid"
    """`valid`: no padding; `same`: the output size is the input size divided by the stride, rounded
    up."""
    groups: Positive = 1
    """Number of independent groups of channels; must divide the input's channels and `filters`."""

    def channels(self, found: int) -> int:
        for name, count in (("filters", self.filters), ("channels of the input", found)):
            if count % self.groups:
                raise ShapeError(
                    f"groups: {self.groups} of {self.key} does not divide {count} {name}", "groups"
                )
        return self.filters

    def sizes(self, found: tuple[Dim, ...]) -> tuple[Dim, ...]:
        self.either_strides_or_dilation()
        return slide(self, found, self.kernel_size, self.strides, self.padding, self.dilation_rate)

    def kernels(self, found: int) -> tuple[Weight, ...]:
        shape = (*self.kernel_size, found // self.groups, self.filters)
        return (Weight("kernel", shape),)


class Conv1D(Over1D, Conv):
    """A 1-D convolution over steps."""

    key: ClassVar[str] = "conv1d"

    padding: Literal["valid", "same", "causal"] = "valid"
    """`valid`: no padding; `same`: the output size is the input size divided by the stride, rounded
    up; `causal`: padding on the left only, so that no output depends on a later input."""


class Conv2D(Over2D, Conv):
    """A 2-D convolution over height and width."""

    key: ClassVar[str] = "conv2d"

    padding: Padding = "valid"
    """`valid`: no padding; `same`: the output size is the input size divided by the stride, rounded
    up."""


class Conv3D(Over3D, Conv):
    """A 3-D convolution over depth, height and width."""

    key: ClassVar[str] = "conv3d"

    padding: Padding = "valid"
    """`valid`: no padding; `same`: the output size is the input size divided by the stride, rounded
    up."""
