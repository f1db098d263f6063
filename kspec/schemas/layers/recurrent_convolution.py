"""LSTM layers whose products are convolutions."""

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
    """What they have in common (Shi et al., 2015)."""

    whole: ClassVar[Whole] = "refused"

    padding: Literal["valid", "same"] = "valid"
    """Of the inputs. `valid`: none; `same`: as many outputs as inputs, divided by the strides."""
    activation: Activation | None = "tanh"
    """Function of the output."""
    recurrent_activation: Activation | None = "sigmoid"
    """Function of the gates."""
    use_bias: bool = True
    """Whether to add a bias."""
    kernel_initializer: KernelInitializer = GlorotUniform()
    """How the kernel of the inputs begins."""
    recurrent_initializer: KernelInitializer = Orthogonal()
    """How the kernel of the state begins."""
    bias_initializer: VectorInitializer = Zeros()
    """How the bias begins."""
    unit_forget_bias: bool = True
    """Whether the bias of the forget gate begins at 1."""
    kernel_regularizer: Regularizer | None = None
    """Penalty on the kernel of the inputs."""
    recurrent_regularizer: Regularizer | None = None
    """Penalty on the kernel of the state."""
    bias_regularizer: Regularizer | None = None
    """Penalty on the bias."""
    activity_regularizer: Regularizer | None = None
    """Penalty on the output."""
    kernel_constraint: Constraint | None = None
    """Bounds of the kernel of the inputs."""
    recurrent_constraint: Constraint | None = None
    """Bounds of the kernel of the state."""
    bias_constraint: VectorConstraint | None = None
    """Bounds of the bias."""
    dropout: Share = 0.0
    """Share of the inputs that is lost while training."""
    recurrent_dropout: Share = 0.0
    """Share of the state that is lost while training."""
    seed: Seed | None = None
    """Seed of its own; without it, the seed of the training decides."""

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
