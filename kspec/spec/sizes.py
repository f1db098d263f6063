"""Shapes, element types, weights and memory of the steps of a network."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from kspec.schemas.layers import Shape
from kspec.schemas.layers.base import DType, Weight

BYTES = 4
"""Bytes of a float32 or int32."""
LARGEST_TENSOR = 2**31 - 1
"""Maximum elements of a tensor for one row, and of a weight: runtimes count with an int32."""
COPIES = 4
"""Number of values in memory for each weight during training."""


@dataclass(frozen=True, slots=True)
class Value:
    """The shape, without the batch, and element type of the tensor of an input or a step."""

    shape: Shape
    dtype: DType = "float32"

    @property
    def elements(self) -> int:
        """Number of elements of one row; a named dimension counts as 1."""
        return math.prod(size for size in self.shape if isinstance(size, int))


@dataclass(frozen=True, slots=True)
class Sizes:
    """The size of a network."""

    values: Mapping[str, Value | None] = field(default_factory=dict)
    """The tensor of each input and step; None if it is unknown."""
    weights: Mapping[str, tuple[Weight, ...] | None] = field(default_factory=dict)
    """The weights of each step, except steps that share a layer, and of each normalised input as
    ``NAME.normalize``; None if a third-party layer or a backbone does not list them."""
    parameters: int = 0
    """Elements of all weights, except weights of third-party layers."""
    row: int = 0
    """Elements of the tensors of all inputs and steps for one row."""

    @property
    def weight_bytes(self) -> int:
        """Bytes of all weights in float32."""
        return BYTES * self.parameters

    @property
    def artifact_bytes(self) -> int:
        """Minimum bytes of weights in an artifact. Vectors are left out, since passes fold biases
        and normalizations into kernels."""
        listed = sum(weight.size for each in self.weights.values() for weight in each or ())
        kernels = sum(
            weight.size
            for each in self.weights.values()
            for weight in each or ()
            if weight.trainable and len(weight.shape) > 1
        )
        return BYTES * (self.parameters - listed + kernels)

    def training_bytes(self, batch: int) -> int:
        """Return an estimate of the memory of training, in bytes: the weights, their gradients and
        moments, and the tensors of all steps for a batch."""
        return COPIES * self.weight_bytes + BYTES * self.row * batch

    def shapes(self) -> dict[str, Shape | None]:
        """Return the shape of each input and step."""
        return {
            name: value.shape if value is not None else None for name, value in self.values.items()
        }
