"""LSTM layers with convolutions in place of matrix products."""

from typing import ClassVar, Literal

from kspec.schemas.activations import Activation
from kspec.schemas.layers.base import Shape, ShapeError, Weight, Whole, known, show, sized, within
from kspec.schemas.layers.convolution import Filtered, Over1D, Over2D, Over3D, Windowed
from kspec.schemas.layers.recurrent import Share, Stepwise
from kspec.schemas.layers.window import slide
from kspec.schemas.values import Seed
from kspec.schemas.weights import (
    Constraint,
    GlorotUniform,
    KernelInitializer,
    Orthogonal,
    Regularizer,
    VectorConstraint,
    VectorInitializer,
    Zeros,
)


class ConvLSTM(Stepwise, Windowed, Filtered):
    """The base of convolutional LSTM layers (Shi et al., 2015)."""

    whole: ClassVar[Whole] = "refused"

    padding: Literal["valid", "same"] = "valid"
    """Padding of the inputs. `valid`: none; `same`: the output size is the input size divided by
    the stride, rounded up."""
    activation: Activation | None = "tanh"
    """Activation of the output."""
    recurrent_activation: Activation | None = "sigmoid"
    """Activation of the gates."""
    use_bias: bool = True
    """Whether to add a bias."""
    kernel_initializer: KernelInitializer = GlorotUniform()
    """Initializer of the input kernel."""
    recurrent_initializer: KernelInitializer = Orthogonal()
    """Initializer of the recurrent kernel."""
    bias_initializer: VectorInitializer = Zeros()
    """Initializer of the bias."""
    unit_forget_bias: bool = True
    """Whether the forget gate's bias is initialised to 1."""
    kernel_regularizer: Regularizer | None = None
    """Regularizer of the input kernel."""
    recurrent_regularizer: Regularizer | None = None
    """Regularizer of the recurrent kernel."""
    bias_regularizer: Regularizer | None = None
    """Regularizer of the bias."""
    activity_regularizer: Regularizer | None = None
    """Regularizer of the output."""
    kernel_constraint: Constraint | None = None
    """Constraint on the input kernel."""
    recurrent_constraint: Constraint | None = None
    """Constraint on the recurrent kernel."""
    bias_constraint: VectorConstraint | None = None
    """Constraint on the bias."""
    dropout: Share = 0.0
    """Dropout rate of the inputs."""
    recurrent_dropout: Share = 0.0
    """Dropout rate of the state."""
    seed: Seed | None = None
    """Seed of this layer; by default the training seed applies."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        rank = len(self.kernel_size)
        if len(shape) != rank + 2:
            axes = ["time", "depth", "height", "width"]
            wanted = " × ".join((axes[0], *axes[4 - rank :], "channels"))
            raise ShapeError(f"{self.key} needs {wanted}, found {show(shape)}")
        for axis in range(2, rank + 3):
            known(self, shape, axis)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            message = f"{self.key} cannot have both strides and dilation_rate above 1"
            raise ShapeError(message, "dilation_rate")
        sizes = slide(
            self, shape[1:-1], self.kernel_size, self.strides, self.padding, self.dilation_rate
        )
        return self.along(shape[0], (*sizes, self.filters))

    def weight_shapes(self, shapes: tuple[Shape, ...]) -> tuple[Weight, ...] | None:
        (channels,), width = sized(shapes[0][-1:]), 4 * self.filters
        weights = (
            Weight("kernel", (*self.kernel_size, channels, width)),
            Weight("recurrent_kernel", (*self.kernel_size, self.filters, width)),
        )
        bias = (Weight("bias", (width,)),) if self.use_bias else ()
        return within("conv_lstm_cell", (*weights, *bias))


class ConvLSTM1D(Over1D, ConvLSTM):
    """An LSTM over time, with convolutions over steps."""

    key: ClassVar[str] = "conv_lstm1d"


class ConvLSTM2D(Over2D, ConvLSTM):
    """An LSTM over time, with convolutions over height and width."""

    key: ClassVar[str] = "conv_lstm2d"


class ConvLSTM3D(Over3D, ConvLSTM):
    """An LSTM over time, with convolutions over depth, height and width."""

    key: ClassVar[str] = "conv_lstm3d"
