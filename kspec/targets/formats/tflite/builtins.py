"""The options of the runtime's builtin operators that the rules use.

Class and field names are from the schema, where the writer looks them up, with fields in
snake_case. Operators that are not listed have no options.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Padding(IntEnum):
    """The padding of a window; TensorFlow's two kinds."""

    same = 0
    valid = 1


class Fused(IntEnum):
    """The activation that an operator applies to its own result."""

    none = 0
    relu = 1
    relu_n1_to_1 = 2
    relu6 = 3
    tanh = 4


class Mirror(IntEnum):
    """Whether MIRROR_PAD omits the border element (reflect) or repeats it (symmetric)."""

    reflect = 0
    symmetric = 1


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fusing(Options):
    """The options of an operator that applies an activation to its result."""

    fused_activation_function: Fused = Fused.none


@dataclass(frozen=True, slots=True)
class Conv2DOptions(Fusing):
    padding: Padding
    stride_h: int
    stride_w: int
    dilation_h_factor: int
    dilation_w_factor: int


@dataclass(frozen=True, slots=True)
class DepthwiseConv2DOptions(Fusing):
    padding: Padding
    stride_h: int
    stride_w: int
    dilation_h_factor: int
    dilation_w_factor: int
    depth_multiplier: int


@dataclass(frozen=True, slots=True)
class Conv3DOptions(Fusing):
    padding: Padding
    stride_d: int
    stride_h: int
    stride_w: int
    dilation_d_factor: int
    dilation_h_factor: int
    dilation_w_factor: int


@dataclass(frozen=True, slots=True)
class TransposeConvOptions(Options):
    padding: Padding
    stride_h: int
    stride_w: int


@dataclass(frozen=True, slots=True)
class Pool2DOptions(Fusing):
    padding: Padding
    stride_h: int
    stride_w: int
    filter_height: int
    filter_width: int


@dataclass(frozen=True, slots=True)
class FullyConnectedOptions(Fusing):
    keep_num_dims: bool


@dataclass(frozen=True, slots=True)
class BatchMatMulOptions(Options):
    adj_x: bool = False
    adj_y: bool = False


@dataclass(frozen=True, slots=True)
class AddOptions(Fusing):
    """The activation only."""


@dataclass(frozen=True, slots=True)
class SubOptions(Fusing):
    """The activation only."""


@dataclass(frozen=True, slots=True)
class MulOptions(Fusing):
    """The activation only."""


@dataclass(frozen=True, slots=True)
class DivOptions(Fusing):
    """The activation only."""


@dataclass(frozen=True, slots=True)
class SoftmaxOptions(Options):
    beta: float = 1.0


@dataclass(frozen=True, slots=True)
class LeakyReluOptions(Options):
    alpha: float


@dataclass(frozen=True, slots=True)
class GeluOptions(Options):
    approximate: bool


@dataclass(frozen=True, slots=True)
class ReshapeOptions(Options):
    new_shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ConcatenationOptions(Options):
    axis: int


@dataclass(frozen=True, slots=True)
class StridedSliceOptions(Options):
    begin_mask: int = 0
    end_mask: int = 0


@dataclass(frozen=True, slots=True)
class MirrorPadOptions(Options):
    mode: Mirror


@dataclass(frozen=True, slots=True)
class GatherOptions(Options):
    axis: int
    batch_dims: int = 0


@dataclass(frozen=True, slots=True)
class ReducerOptions(Options):
    keep_dims: bool


@dataclass(frozen=True, slots=True)
class ArgMaxOptions(Options):
    output_type: int


@dataclass(frozen=True, slots=True)
class ArgMinOptions(Options):
    output_type: int


@dataclass(frozen=True, slots=True)
class CumsumOptions(Options):
    exclusive: bool = False
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class ResizeBilinearOptions(Options):
    half_pixel_centers: bool = True


@dataclass(frozen=True, slots=True)
class ResizeNearestNeighborOptions(Options):
    half_pixel_centers: bool = True


@dataclass(frozen=True, slots=True)
class CastOptions(Options):
    in_data_type: int
    out_data_type: int


@dataclass(frozen=True, slots=True)
class SequenceRNNOptions(Options):
    fused_activation_function: Fused
    time_major: bool = False


@dataclass(frozen=True, slots=True)
class UnidirectionalSequenceLSTMOptions(Options):
    fused_activation_function: Fused
    time_major: bool = False


@dataclass(frozen=True, slots=True)
class WhileOptions(Options):
    cond_subgraph_index: int
    body_subgraph_index: int
