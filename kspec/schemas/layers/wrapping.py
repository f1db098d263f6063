"""Layers that wrap another layer."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from kspec.schemas.base import Keyed, located
from kspec.schemas.layers.base import Layer, Shape, ShapeError, Weight, Whole, show, within
from kspec.schemas.layers.recurrent import Stepwise
from kspec.schemas.layers.registry import FAMILIES, LAYERS
from kspec.schemas.values import Positive

SEQUENCES = LAYERS.only(*FAMILIES["Recurrent"])
WITH_KERNEL = LAYERS.only(
    "dense", "einsum_dense", "embedding", "conv1d", "conv2d", "conv3d", "depthwise_conv1d",
    "depthwise_conv2d", "conv1d_transpose", "conv2d_transpose", "conv3d_transpose",
)  # fmt: skip
FOR_EACH_STEP = LAYERS.only(
    *WITH_KERNEL, "separable_conv1d", "separable_conv2d", "lstm", "gru", "simple_rnn",
    "max_pooling1d", "max_pooling2d", "max_pooling3d",
    "average_pooling1d", "average_pooling2d", "average_pooling3d",
    "global_max_pooling1d", "global_max_pooling2d", "global_max_pooling3d",
    "global_average_pooling1d", "global_average_pooling2d", "global_average_pooling3d",
    *FAMILIES["Normalization"], "dropout", "rescaling",
    "flatten", "reshape", "permute", "repeat_vector", "zero_padding1d", "zero_padding2d",
    "cropping1d", "cropping2d", "up_sampling1d", "up_sampling2d", *FAMILIES["Activation"],
)  # fmt: skip


class Bidirectional(Layer):
    """A recurrent layer in both directions."""

    key: ClassVar[str] = "bidirectional"

    layer: Annotated[Stepwise, Keyed(SEQUENCES), Field(examples=["{lstm: 64}"])]
    """The layer of the forward direction; a copy with its own weights runs backwards."""
    merge_mode: Literal["concat", "sum", "ave", "mul"] = "concat"
    """How the two outputs are merged: concatenation, sum, mean or product."""
    backward_layer: Annotated[Stepwise, Keyed(SEQUENCES)] | None = None
    """Another layer for the backward direction, with `go_backwards: true`."""

    @model_validator(mode="after")
    def both_ways(self) -> "Bidirectional":
        """Check that the layers run in opposite directions and have the same kind of output."""
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

    def of_whole_numbers(self) -> Whole:
        rules = {each.of_whole_numbers() for each in (self.layer, self.backward_layer) if each}
        return "refused" if "refused" in rules else "float32"

    def weight_shapes(self, shapes: tuple[Shape, ...]) -> tuple[Weight, ...]:
        back = self.backward_layer or self.layer
        forward = within(f"forward_{self.layer.key}", self.layer.weight_shapes(shapes))
        backward = within(f"backward_{back.key}", back.weight_shapes(shapes))
        return (*(forward or ()), *(backward or ()))


class TimeDistributed(Layer):
    """A layer applied to each step separately."""

    key: ClassVar[str] = "time_distributed"

    layer: Annotated[Layer, Keyed(FOR_EACH_STEP), Field(examples=["{dense: 64}"])]
    """The layer."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        if len(shape) < 2:
            raise ShapeError(f"{self.key} needs steps and what is in one, found {show(shape)}")
        return (shape[0], *inside(self.layer, "layer", (shape[1:],)))

    def of_whole_numbers(self) -> Whole:
        return self.layer.of_whole_numbers()

    def weight_shapes(self, shapes: tuple[Shape, ...]) -> tuple[Weight, ...] | None:
        return within(self.layer.key, self.layer.weight_shapes((shapes[0][1:],)))


class SpectralNormalization(Layer):
    """A layer whose kernel is scaled to spectral norm 1 in training (Miyato et al., 2018)."""

    key: ClassVar[str] = "spectral_normalization"
    whole: ClassVar[Whole] = "refused"

    layer: Annotated[Layer, Keyed(WITH_KERNEL), Field(examples=["{dense: 64}"])]
    """The layer."""
    power_iterations: Positive = 1
    """Power iterations that estimate the norm in each training step."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        return inside(self.layer, "layer", shapes)

    def weight_shapes(self, shapes: tuple[Shape, ...]) -> tuple[Weight, ...]:
        kernel, *others = within(self.layer.key, self.layer.weight_shapes(shapes)) or ()
        return (kernel, *others, Weight("vector_u", (1, kernel.shape[-1]), trainable=False))


def inside(layer: Layer, field: str, shapes: tuple[Shape, ...]) -> Shape:
    """Return an inner layer's output shape; errors name the field that contains the layer."""
    try:
        return layer.output_shape(shapes)
    except ShapeError as error:
        raise ShapeError(error.message, field, error.help) from error
