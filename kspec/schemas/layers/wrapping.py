"""Layers around a layer."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from kspec.schemas.base import Keyed, located
from kspec.schemas.layers.activation import (
    ELU,
    FUNCTIONS,
    ActivationLayer,
    LeakyReLU,
    PReLU,
    ReLU,
    Softmax,
)
from kspec.schemas.layers.base import Layer, Shape, ShapeError, show
from kspec.schemas.layers.convolution import (
    Conv1D,
    Conv2D,
    Conv3D,
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
)
from kspec.schemas.layers.core import Dense, EinsumDense, Embedding
from kspec.schemas.layers.normalization import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from kspec.schemas.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from kspec.schemas.layers.preprocessing import Rescaling
from kspec.schemas.layers.recurrent import GRU, LSTM, RNN, SimpleRNN, Stepwise
from kspec.schemas.layers.recurrent_convolution import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from kspec.schemas.layers.regularization import Dropout
from kspec.schemas.layers.reshaping import (
    Cropping1D,
    Cropping2D,
    Flatten,
    Permute,
    RepeatVector,
    Reshape,
    UpSampling1D,
    UpSampling2D,
    ZeroPadding1D,
    ZeroPadding2D,
)
from kspec.schemas.layers.transposed import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from kspec.schemas.values import Positive

SEQUENCES: tuple[type[Stepwise], ...] = (
    LSTM, GRU, SimpleRNN, RNN, ConvLSTM1D, ConvLSTM2D, ConvLSTM3D,
)  # fmt: skip
WITH_KERNEL: tuple[type[Layer], ...] = (
    Dense, EinsumDense, Embedding, Conv1D, Conv2D, Conv3D, DepthwiseConv1D, DepthwiseConv2D,
    Conv1DTranspose, Conv2DTranspose, Conv3DTranspose,
)  # fmt: skip
FOR_EACH_STEP: tuple[type[Layer], ...] = (
    *WITH_KERNEL, SeparableConv1D, SeparableConv2D, LSTM, GRU, SimpleRNN,
    MaxPooling1D, MaxPooling2D, MaxPooling3D, AveragePooling1D, AveragePooling2D, AveragePooling3D,
    GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D,
    GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D,
    BatchNormalization, LayerNormalization, RMSNormalization, GroupNormalization,
    UnitNormalization, Dropout, Rescaling, Flatten, Reshape, Permute, RepeatVector,
    ZeroPadding1D, ZeroPadding2D, Cropping1D, Cropping2D, UpSampling1D, UpSampling2D,
    ActivationLayer, ReLU, LeakyReLU, PReLU, ELU, Softmax, *FUNCTIONS,
)  # fmt: skip


class Bidirectional(Layer):
    """A recurrent layer in both directions."""

    key: ClassVar[str] = "bidirectional"
    keras: ClassVar[str] = "Bidirectional"

    layer: Annotated[Stepwise, Keyed(SEQUENCES), Field(examples=["{lstm: 64}"])]
    """The layer from first to last, and, with weights of its own, from last to first."""
    merge_mode: Literal["concat", "sum", "ave", "mul"] = "concat"
    """How the two outputs become one: one after the other, their sum, mean or product."""
    backward_layer: Annotated[Stepwise, Keyed(SEQUENCES)] | None = None
    """Another layer for the way back, with go_backwards: true."""

    @model_validator(mode="after")
    def both_ways(self) -> "Bidirectional":
        """One layer each way, of the same kind of output."""
        if self.backward_layer is None:
            if self.layer.go_backwards:
                route = ("layer", self.layer.key, "go_backwards")
                raise located(route, "the layer itself goes forward; its copy goes backwards")
            return self
        key = self.backward_layer.key
        if self.backward_layer.go_backwards == self.layer.go_backwards:
            route = ("backward_layer", key, "go_backwards")
            raise located(route, "one layer goes forward, the other has go_backwards: true")
        if self.backward_layer.return_sequences != self.layer.return_sequences:
            route = ("backward_layer", key, "return_sequences")
            raise located(route, "both layers have the same return_sequences")
        return self

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        forward = inside(self.layer, "layer", shapes)
        other = self.backward_layer
        backward = forward if other is None else inside(other, "backward_layer", shapes)
        if forward != backward:
            raise ShapeError(
                f"the two layers of {self.key} give {show(forward)} and {show(backward)}",
                "backward_layer",
            )
        size = forward[-1]
        if self.merge_mode == "concat" and isinstance(size, int):
            return (*forward[:-1], 2 * size)
        return forward


class TimeDistributed(Layer):
    """A layer applied to each step by itself."""

    key: ClassVar[str] = "time_distributed"
    keras: ClassVar[str] = "TimeDistributed"

    layer: Annotated[Layer, Keyed(FOR_EACH_STEP), Field(examples=["{dense: 64}"])]
    """The layer."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        if len(shape) < 2:
            raise ShapeError(f"{self.key} needs steps and what is in one, found {show(shape)}")
        return (shape[0], *inside(self.layer, "layer", (shape[1:],)))


class SpectralNormalization(Layer):
    """A layer whose kernel is brought to spectral norm 1 while training (Miyato et al., 2018)."""

    key: ClassVar[str] = "spectral_normalization"
    keras: ClassVar[str] = "SpectralNormalization"

    layer: Annotated[Layer, Keyed(WITH_KERNEL), Field(examples=["{dense: 64}"])]
    """The layer."""
    power_iterations: Positive = 1
    """Iterations with which the norm is estimated in each step."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        return inside(self.layer, "layer", shapes)


def inside(layer: Layer, field: str, shapes: tuple[Shape, ...]) -> Shape:
    """What a layer inside makes of shapes; its errors name the field that holds it."""
    try:
        return layer.output_shape(shapes)
    except ShapeError as error:
        raise ShapeError(error.message, field, error.help) from error
