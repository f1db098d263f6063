"""Valid parameterisations of every layer, each argument varied at least once.

Arguments are as in YAML; shapes are without the batch. The schema's tests compare the shapes
with Keras, the conformance matrix the values with every format.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kspec.schemas.layers import Layer, Shape
from kspec.schemas.layers.registry import MODULES
from kspec.schemas.network import Step


@dataclass(frozen=True, slots=True)
class Case:
    """A layer with arguments, and the shapes that it is given."""

    id: str
    key: str
    arguments: Any
    shapes: tuple[Shape, ...]
    below: int | None = None
    """What it takes are whole numbers from 0 to below it; without it, any numbers."""

    def layer(self) -> Layer:
        """The validated layer."""
        return Step.model_validate({self.key: self.arguments}).layer

    @property
    def dtype(self) -> str:
        """Element type of the inputs."""
        return "float32" if self.below is None else "int32"

    def rows(self, count: int, *, varying: int = 7, seed: int = 0) -> list[np.ndarray[Any, Any]]:
        """Random inputs of so many rows; sizes that vary are `varying`."""
        drawn = np.random.default_rng(seed)
        shapes = [
            (count, *(size if isinstance(size, int) else varying for size in shape))
            for shape in self.shapes
        ]
        if self.below is not None:
            return [drawn.integers(0, self.below, shape).astype("int32") for shape in shapes]
        return [drawn.normal(size=shape).astype("float32") for shape in shapes]


def of(
    key: str, *pairs: tuple[Any, Shape | tuple[Shape, ...]], below: int | None = None
) -> tuple[Case, ...]:
    """Cases of one layer, from arguments and input shapes."""
    return tuple(
        Case(f"{key}-{place}", key, arguments, _shapes(shapes), below)
        for place, (arguments, shapes) in enumerate(pairs)
    )


def _shapes(written: Shape | tuple[Shape, ...]) -> tuple[Shape, ...]:
    return written if written and isinstance(written[0], tuple) else (written,)


STEPS, PICTURE, VOLUME, RGB = (11, 4), (8, 9, 4), (5, 6, 7, 4), (8, 9, 3)

BIAS = {
    "bias_initializer": {"random_normal": {"stddev": 0.1, "seed": 3}},
    "bias_regularizer": {"l1": 0.02},
    "bias_constraint": {"max_norm": 3},
    "activity_regularizer": {"l1_l2": {"l1": 0.01, "l2": 0.02}},
}
KERNEL = {
    "kernel_initializer": {"he_normal": {"seed": 1}},
    "kernel_regularizer": {"l2": 0.01},
    "kernel_constraint": {"max_norm": {"max_value": 2, "axis": [0, 1]}},
}
DEPTHWISE = {
    "depthwise_initializer": {"orthogonal": {"gain": 0.5, "seed": 1}},
    "depthwise_regularizer": "l2",
    "depthwise_constraint": "non_neg",
}
POINTWISE = {
    "pointwise_initializer": {"variance_scaling": {"scale": 2, "mode": "fan_avg"}},
    "pointwise_regularizer": {"l1": 0.01},
    "pointwise_constraint": {"unit_norm": {"axis": [0, 1]}},
}
AFFINE = {
    "beta_initializer": {"constant": 0.5},
    "gamma_initializer": {"random_uniform": {"minval": 0.5, "maxval": 1.5}},
    "beta_regularizer": "l2",
    "gamma_regularizer": {"l1": 0.1},
    "beta_constraint": "non_neg",
    "gamma_constraint": {"min_max_norm": {"min_value": 0.1, "rate": 0.5}},
}

CORE = (
    *of(
        "dense",
        (5, (7,)),
        ({"units": 5, "activation": "relu"}, (3, 7)),
        ({"units": 5, "use_bias": False}, ("time", 7)),
        ({"units": 3, **BIAS, **KERNEL}, (7,)),
        (
            {
                "units": 4,
                "activation": "softmax",
                "kernel_initializer": "identity",
                "kernel_regularizer": {"orthogonal_regularizer": {"mode": "columns"}},
            },
            (4,),
        ),
    ),
    *of("identity", (None, (7,)), (None, ("time", 3))),
    *of(
        "einsum_dense",
        ({"equation": "ab,bc->ac", "output_shape": [5], "bias_axes": "c"}, (7,)),
        ({"equation": "abc,cd->abd", "output_shape": [None, 6], "activation": "relu"}, STEPS),
        ({"equation": "abc,cd->abd", "output_shape": [None, 6]}, ("time", 4)),
        ({"equation": "...x,xy->...y", "output_shape": [5], "bias_axes": "y"}, STEPS),
        ({"equation": "ab...,bc->ac...", "output_shape": [5], "bias_axes": "c"}, STEPS),
        ({"equation": "abc,cde->abde", "output_shape": [None, 2, 3], "bias_axes": "de"}, STEPS),
        (
            {
                "equation": "abc,cd->abd",
                "output_shape": [11, 6],
                "bias_axes": "d",
                "kernel_initializer": "he_normal",
                "bias_initializer": {"constant": 0.1},
                "kernel_regularizer": "l2",
                "bias_regularizer": "l1",
                "kernel_constraint": "unit_norm",
                "bias_constraint": "non_neg",
            },
            STEPS,
        ),
    ),
    *of(
        "embedding",
        ({"input_dim": 9, "output_dim": 5}, (7,)),
        ({"input_dim": 9, "output_dim": 5, "mask_zero": True}, ("time",)),
        (
            {
                "input_dim": 9,
                "output_dim": 5,
                "embeddings_initializer": "glorot_normal",
                "embeddings_regularizer": {"l2": 0.1},
                "embeddings_constraint": "unit_norm",
            },
            (3, 4),
        ),
        below=9,
    ),
    *of(
        "reversible_embedding",
        ({"input_dim": 9, "output_dim": 5}, (7,)),
        (
            {
                "input_dim": 9,
                "output_dim": 5,
                "mask_zero": True,
                "embeddings_initializer": "ones",
                "embeddings_regularizer": "l1",
                "embeddings_constraint": "non_neg",
            },
            ("time",),
        ),
        below=9,
    ),
    *of(
        "reversible_embedding",
        ({"input_dim": 9, "output_dim": 4, "reverse": True, "logit_soft_cap": 2}, STEPS),
        ({"input_dim": 9, "output_dim": 4, "reverse": True, "tie_weights": False}, ("time", 4)),
    )[::-1],
    *of("masking", (None, STEPS), ({"mask_value": 1}, ("time", 4)), (-1, PICTURE)),
)

CONVOLUTION = (
    *of(
        "conv1d",
        ({"filters": 6, "kernel_size": 3}, STEPS),
        ({"filters": 6, "kernel_size": [3], "strides": 2, "padding": "same"}, STEPS),
        ({"filters": 6, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, STEPS),
        ({"filters": 6, "kernel_size": 3, "padding": "causal", "strides": 2}, ("time", 4)),
        ({"filters": 6, "kernel_size": 3, "groups": 2, "activation": "tanh"}, STEPS),
        ({"filters": 6, "kernel_size": 1, "use_bias": False}, ("time", 4)),
        ({"filters": 6, "kernel_size": 3, **BIAS, **KERNEL}, STEPS),
    ),
    *of(
        "conv2d",
        ({"filters": 6, "kernel_size": 3}, PICTURE),
        ({"filters": 6, "kernel_size": [3, 2], "strides": [2, 1], "padding": "same"}, PICTURE),
        ({"filters": 6, "kernel_size": 3, "dilation_rate": [2, 1]}, PICTURE),
        ({"filters": 6, "kernel_size": 2, "dilation_rate": 3, "padding": "same"}, PICTURE),
        ({"filters": 6, "kernel_size": 3, "groups": 2, "activation": "relu"}, PICTURE),
        ({"filters": 6, "kernel_size": 4, "strides": 3}, PICTURE),
        ({"filters": 6, "kernel_size": 3, "padding": "same", "use_bias": False}, (None, "w", 4)),
        ({"filters": 6, "kernel_size": 3, **BIAS, **KERNEL}, PICTURE),
    ),
    *of(
        "conv3d",
        ({"filters": 6, "kernel_size": 3}, VOLUME),
        (
            {"filters": 6, "kernel_size": 2, "dilation_rate": 2, "padding": "same", "groups": 2},
            VOLUME,
        ),
        ({"filters": 6, "kernel_size": [1, 2, 3], "strides": [2, 1, 1], "padding": "same"}, VOLUME),
        ({"filters": 6, "kernel_size": 2, "dilation_rate": 2, "activation": "relu"}, VOLUME),
        ({"filters": 6, "kernel_size": 2, "groups": 2, "use_bias": False}, VOLUME),
        ({"filters": 6, "kernel_size": 2, **BIAS, **KERNEL}, VOLUME),
    ),
    *of(
        "depthwise_conv1d",
        (3, STEPS),
        ({"kernel_size": 2, "strides": 2, "dilation_rate": 2}, STEPS),
        ({"kernel_size": 3, "strides": 2, "padding": "same", "depth_multiplier": 2}, STEPS),
        ({"kernel_size": 3, "dilation_rate": 2, "activation": "relu", "use_bias": False}, STEPS),
        ({"kernel_size": 3, **BIAS, **DEPTHWISE}, STEPS),
    ),
    *of(
        "depthwise_conv2d",
        (3, PICTURE),
        ({"kernel_size": [3, 2], "strides": 2, "padding": "same", "depth_multiplier": 2}, PICTURE),
        ({"kernel_size": 2, "dilation_rate": 2, "activation": "relu6"}, PICTURE),
        ({"kernel_size": 3, "padding": "same", "use_bias": False}, (None, None, 4)),
        ({"kernel_size": 3, "strides": [2, 1]}, PICTURE),
        ({"kernel_size": 2, "strides": 2, "dilation_rate": 2, "padding": "same"}, PICTURE),
        ({"kernel_size": 3, **BIAS, **DEPTHWISE}, PICTURE),
    ),
    *of(
        "separable_conv1d",
        ({"filters": 6, "kernel_size": 3}, STEPS),
        ({"filters": 6, "kernel_size": 3, "strides": 2, "padding": "same"}, STEPS),
        ({"filters": 6, "kernel_size": 3, "dilation_rate": 2, "depth_multiplier": 2}, STEPS),
        ({"filters": 6, "kernel_size": 3, "activation": "relu", "use_bias": False}, STEPS),
        ({"filters": 6, "kernel_size": 3, **BIAS, **DEPTHWISE, **POINTWISE}, STEPS),
    ),
    *of(
        "separable_conv2d",
        ({"filters": 6, "kernel_size": 3}, PICTURE),
        ({"filters": 6, "kernel_size": [3, 2], "strides": 2, "padding": "same"}, PICTURE),
        ({"filters": 6, "kernel_size": 2, "dilation_rate": 2, "depth_multiplier": 2}, PICTURE),
        ({"filters": 6, "kernel_size": 2, "strides": [1, 2]}, PICTURE),
        ({"filters": 6, "kernel_size": 2, "strides": 2, "dilation_rate": 2}, PICTURE),
        ({"filters": 6, "kernel_size": 3, "activation": "relu", "use_bias": False}, PICTURE),
        ({"filters": 6, "kernel_size": 3, **BIAS, **DEPTHWISE, **POINTWISE}, PICTURE),
    ),
    *of(
        "conv1d_transpose",
        ({"filters": 6, "kernel_size": 3}, STEPS),
        ({"filters": 6, "kernel_size": 3, "dilation_rate": 2}, STEPS),
        ({"filters": 6, "kernel_size": 3, "strides": 2, "padding": "same"}, STEPS),
        ({"filters": 6, "kernel_size": 3, "strides": 3, "output_padding": 1}, STEPS),
        ({"filters": 6, "kernel_size": 2, "strides": 4, "activation": "relu"}, STEPS),
        (
            {
                "filters": 6,
                "kernel_size": 4,
                "strides": 3,
                "padding": "same",
                "output_padding": 2,
                "use_bias": False,
            },
            STEPS,
        ),
        ({"filters": 6, "kernel_size": 3, **BIAS, **KERNEL}, STEPS),
    ),
    *of(
        "conv2d_transpose",
        ({"filters": 6, "kernel_size": 3}, PICTURE),
        ({"filters": 6, "kernel_size": 3, "dilation_rate": 2}, PICTURE),
        ({"filters": 6, "kernel_size": [3, 2], "strides": 2, "padding": "same"}, PICTURE),
        ({"filters": 6, "kernel_size": 3, "strides": [2, 3], "output_padding": [1, 2]}, PICTURE),
        ({"filters": 6, "kernel_size": 2, "strides": 3, "activation": "relu"}, PICTURE),
        (
            {
                "filters": 6,
                "kernel_size": 3,
                "strides": 2,
                "padding": "same",
                "output_padding": 1,
                "use_bias": False,
            },
            PICTURE,
        ),
        ({"filters": 6, "kernel_size": 3, "strides": 2, "padding": "same"}, (None, None, 4)),
        ({"filters": 6, "kernel_size": 3, **BIAS, **KERNEL}, PICTURE),
    ),
    *of(
        "conv3d_transpose",
        ({"filters": 6, "kernel_size": 3}, VOLUME),
        ({"filters": 6, "kernel_size": 3, "dilation_rate": 2}, VOLUME),
        ({"filters": 6, "kernel_size": [3, 2, 1], "strides": 2, "padding": "same"}, VOLUME),
        ({"filters": 6, "kernel_size": 3, "strides": 2, "output_padding": 1}, VOLUME),
        ({"filters": 6, "kernel_size": 2, "activation": "relu", "use_bias": False}, VOLUME),
        ({"filters": 6, "kernel_size": 2, **BIAS, **KERNEL}, VOLUME),
    ),
)


def windows(key: str, shape: Shape) -> tuple[Case, ...]:
    """Cases of a pooling over windows."""
    rank = len(shape) - 1
    return of(
        key,
        (2, shape),
        ({"pool_size": 3, "strides": 1, "padding": "same"}, shape),
        ({"pool_size": 3, "strides": 2, "padding": "same"}, shape),
        ({"pool_size": [2, 3, 1][:rank], "strides": [2, 1, 3][:rank]}, shape),
        ({"pool_size": 2, "padding": "same"}, (*(None,) * rank, 4)),
    )


POOLING = (
    *windows("max_pooling1d", STEPS),
    *windows("max_pooling2d", PICTURE),
    *windows("max_pooling3d", VOLUME),
    *windows("average_pooling1d", STEPS),
    *windows("average_pooling2d", PICTURE),
    *windows("average_pooling3d", VOLUME),
    *(
        case
        for kind in ("max", "average")
        for rank, shape in ((1, STEPS), (2, PICTURE), (3, VOLUME))
        for case in of(
            f"global_{kind}_pooling{rank}d",
            (None, shape),
            ({"keepdims": True}, shape),
            (None, ("time", *shape[1:])),
        )
    ),
)

POOLING += tuple(
    case
    for kind in ("max", "average")
    for rank, shape in ((1, STEPS), (2, PICTURE), (3, VOLUME))
    for case in of(
        f"adaptive_{kind}_pooling{rank}d",
        (2, shape),
        ({"output_size": [3, 2, 4][:rank]}, shape),
        ({"output_size": [2, 6, 7][:rank]}, shape),
    )
)

WEIGHTS = {
    "use_bias": True,
    "kernel_initializer": "glorot_normal",
    "recurrent_initializer": {"orthogonal": {"gain": 0.5}},
    "bias_initializer": {"constant": 0.1},
    "kernel_regularizer": "l2",
    "recurrent_regularizer": {"l1": 0.1},
    "bias_regularizer": "l1",
    "kernel_constraint": "max_norm",
    "recurrent_constraint": "non_neg",
    "bias_constraint": "non_neg",
    "dropout": 0.2,
    "recurrent_dropout": 0.1,
    "seed": 3,
}
OUTWARD = {"return_state": False, "stateful": False}
GATES = {"recurrent_activation": "hard_sigmoid"}


def recurrent(key: str, **own: Any) -> tuple[Case, ...]:
    """Cases of a recurrent layer with units."""
    return of(
        key,
        (5, STEPS),
        ({"units": 5, "return_sequences": True}, ("time", 4)),
        ({"units": 5, "go_backwards": True, "return_sequences": True}, STEPS),
        ({"units": 3, "activation": "relu", "use_bias": False, "unroll": True}, (4, 3)),
        ({"units": 5, "activity_regularizer": "l1", **OUTWARD, **WEIGHTS, **own}, STEPS),
    )


def convolving(key: str, shape: Shape) -> tuple[Case, ...]:
    """Cases of a recurrent layer with convolutions."""
    rank = len(shape) - 2
    kernel = {name: value for name, value in WEIGHTS.items() if "constraint" not in name}
    return of(
        key,
        ({"filters": 3, "kernel_size": 2}, shape),
        ({"filters": 3, "kernel_size": 2, "strides": 2, "padding": "same"}, shape),
        ({"filters": 3, "kernel_size": 2, "dilation_rate": 2, "return_sequences": True}, shape),
        ({"filters": 3, "kernel_size": [3, 2, 1][:rank], "go_backwards": True}, shape),
        (
            {"filters": 3, "kernel_size": 1, "use_bias": False, "return_sequences": True},
            ("time", *shape[1:]),
        ),
        (
            {
                "filters": 3,
                "kernel_size": 2,
                "padding": "same",
                "activation": "relu",
                "unit_forget_bias": False,
                "activity_regularizer": "l1",
                "kernel_constraint": {"max_norm": {"axis": [0, 1]}},
                "recurrent_constraint": "non_neg",
                "bias_constraint": "non_neg",
                **GATES,
                **OUTWARD,
                **kernel,
            },
            shape,
        ),
    )


RECURRENT = (
    *recurrent("simple_rnn"),
    *recurrent("lstm", unit_forget_bias=False, **GATES),
    *recurrent("gru", reset_after=False, **GATES),
    *of("gru", ({"units": 5, "reset_after": False}, STEPS)),
    *of(
        "rnn",
        ({"cell": {"lstm_cell": 5}}, STEPS),
        ({"cell": {"simple_rnn_cell": {"units": 3, **WEIGHTS}}}, ("time", 4)),
        ({"cell": {"gru_cell": 3}, "return_sequences": True, "go_backwards": True}, STEPS),
        ({"cell": {"lstm_cell": {"units": 3, **GATES}}, "unroll": True, **OUTWARD}, STEPS),
        (
            {
                "cell": {"stacked_rnn_cells": [{"lstm_cell": 5}, {"gru_cell": 4}]},
                "return_sequences": True,
                "zero_output_for_mask": True,
            },
            ("time", 4),
        ),
    ),
    *convolving("conv_lstm1d", (3, 6, 4)),
    *convolving("conv_lstm2d", (3, 6, 5, 4)),
    *convolving("conv_lstm3d", (3, 4, 5, 6, 2)),
)

HEADS = {
    "use_bias": False,
    "dropout": 0.1,
    "seed": 3,
    "kernel_initializer": "he_normal",
    "bias_initializer": {"constant": 0.1},
    "kernel_regularizer": "l2",
    "bias_regularizer": "l1",
    "activity_regularizer": "l2",
    "kernel_constraint": "max_norm",
    "bias_constraint": "non_neg",
    "use_gate": True,
}
QUERY, VALUE = (5, 8), (7, 8)
ATTENTION = (
    *of(
        "attention",
        (None, (QUERY, VALUE)),
        ({"use_scale": True, "use_causal_mask": True}, (QUERY, VALUE, VALUE)),
        ({"score_mode": "concat", "dropout": 0.1, "seed": 3}, (QUERY, (7, 3), VALUE)),
        ({"use_scale": True, "score_mode": "concat"}, (("time", 8), ("word", 8))),
    ),
    *of(
        "additive_attention",
        (None, (QUERY, VALUE)),
        ({"use_scale": False, "use_causal_mask": True}, (QUERY, VALUE, VALUE)),
        ({"dropout": 0.1}, (("time", 8), ("word", 3), ("word", 8))),
    ),
    *of(
        "multi_head_attention",
        ({"num_heads": 2, "key_dim": 4}, (QUERY, VALUE)),
        ({"num_heads": 2, "key_dim": 4, "value_dim": 3}, (QUERY, (7, 5), (7, 6))),
        ({"num_heads": 2, "key_dim": 4, "use_causal_mask": True}, (("time", 8), ("time", 8))),
        ({"num_heads": 2, "key_dim": 4, "output_shape": 6, "sliding_window": 2}, (VALUE, VALUE)),
        ({"num_heads": 2, "key_dim": 4, "attention_axes": [2]}, ((3, 5, 8), (3, 5, 8))),
        ({"num_heads": 2, "key_dim": 3, **HEADS}, (QUERY, VALUE)),
        (
            {"num_heads": 2, "key_dim": 4, "use_causal_mask": True, "dropout": 0.1},
            (("time", 8), ("word", 8)),
        ),
    ),
    *of(
        "group_query_attention",
        ({"head_dim": 4, "num_query_heads": 4, "num_key_value_heads": 2}, (QUERY, VALUE)),
        (
            {
                "head_dim": 4,
                "num_query_heads": 4,
                "num_key_value_heads": 1,
                "use_causal_mask": True,
                "sliding_window": 2,
            },
            (("time", 8), ("time", 8), ("time", 8)),
        ),
        ({"head_dim": 3, "num_query_heads": 2, "num_key_value_heads": 2, **HEADS}, (QUERY, VALUE)),
    ),
)

WRAPPING = (
    *of(
        "bidirectional",
        ({"layer": {"lstm": 5}}, STEPS),
        ({"layer": {"gru": {"units": 3, "return_sequences": True}}}, ("time", 4)),
        *(
            ({"layer": {kind: {"units": 3, "return_sequences": True}}, "merge_mode": mode}, STEPS)
            for kind, mode in (("lstm", "sum"), ("gru", "ave"), ("simple_rnn", "mul"))
        ),
        (
            {
                "layer": {"lstm": 3},
                "backward_layer": {"gru": {"units": 3, "go_backwards": True}},
                "merge_mode": "concat",
            },
            STEPS,
        ),
        (
            {
                "layer": {
                    "rnn": {"cell": {"stacked_rnn_cells": [{"lstm_cell": 5}, {"gru_cell": 4}]}}
                }
            },
            STEPS,
        ),
        ({"layer": {"conv_lstm2d": {"filters": 2, "kernel_size": 2}}}, (3, 6, 5, 4)),
    ),
    *of(
        "time_distributed",
        ({"layer": {"dense": 5}}, STEPS),
        ({"layer": {"dense": {"units": 5, "activation": "relu"}}}, ("time", 4)),
        ({"layer": {"conv2d": {"filters": 3, "kernel_size": 3}}}, (3, *PICTURE)),
        ({"layer": "flatten"}, (3, 4, 5)),
        ({"layer": {"lstm": 3}}, (3, 5, 4)),
        ({"layer": "batch_normalization"}, (3, 4, 5)),
    ),
    *of(
        "spectral_normalization",
        ({"layer": {"dense": 5}}, (7,)),
        ({"layer": {"conv2d": {"filters": 3, "kernel_size": 3}}, "power_iterations": 2}, PICTURE),
    ),
)

NORMALIZATION = (
    *of(
        "batch_normalization",
        (None, (7,)),
        ({"epsilon": 0.01, "momentum": 0.9}, PICTURE),
        ({"axis": 1, "center": False}, STEPS),
        ({"scale": False}, ("time", 4)),
        ({**AFFINE}, PICTURE),
        (
            {
                "moving_mean_initializer": {"constant": 0.3},
                "moving_variance_initializer": {"constant": 2},
            },
            PICTURE,
        ),
        (
            {
                "renorm": True,
                "renorm_clipping": {"rmin": 0.5, "rmax": 2, "dmax": 3},
                "renorm_momentum": 0.9,
            },
            PICTURE,
        ),
    ),
    *of(
        "layer_normalization",
        (None, (7,)),
        ({"axis": [1, 2], "epsilon": 0.01}, PICTURE),
        ({"axis": [-1, -2], "center": False}, PICTURE),
        ({"axis": 1, "scale": False}, STEPS),
        ({"axis": [1, 3]}, PICTURE),
        ({**AFFINE}, ("time", 4)),
    ),
    *of(
        "rms_normalization",
        (None, (7,)),
        ({"axis": [-2, -1], "epsilon": 0.001}, PICTURE),
        ({"axis": [1, 2]}, STEPS),
    ),
    *of(
        "group_normalization",
        (2, PICTURE),
        ({"groups": -1, "epsilon": 0.01}, STEPS),
        ({"groups": 4, "axis": 2, "center": False}, (6, 8, 3)),
        ({"groups": 1, "scale": False}, (7,)),
        ({"groups": 2, **AFFINE}, VOLUME),
    ),
    *of("unit_normalization", (None, (7,)), (1, STEPS), ({"axis": [1, 2]}, PICTURE)),
)

REGULARIZATION = (
    *of(
        "dropout",
        (0.5, (7,)),
        ({"rate": 0, "seed": 3}, PICTURE),
        ({"rate": 0.3, "noise_shape": [None, 1, 4]}, STEPS),
    ),
    *of("alpha_dropout", (0.5, (7,)), ({"rate": 0.1, "noise_shape": [None, 1], "seed": 3}, (7,))),
    *of("spatial_dropout1d", (0.5, STEPS), ({"rate": 0.1, "seed": 3}, ("time", 4))),
    *of("spatial_dropout2d", (0.5, PICTURE), ({"rate": 0.1, "seed": 3}, PICTURE)),
    *of("spatial_dropout3d", (0.5, VOLUME), ({"rate": 0.1, "seed": 3}, VOLUME)),
    *of("gaussian_dropout", (0.5, (7,)), ({"rate": 0.1, "seed": 3}, PICTURE)),
    *of("gaussian_noise", (0.5, (7,)), ({"stddev": 1, "seed": 3}, PICTURE)),
    *of("activity_regularization", ({"l1": 0.1, "l2": 0.2}, (7,)), (None, PICTURE)),
)

RESHAPING = (
    *of("flatten", (None, PICTURE), (None, (7,)), (None, ("time", 4)), (None, ())),
    *of(
        "reshape",
        ([2, 6], (3, 4)),
        ([-1, 3], (3, 4)),
        ({"target_shape": [2, -1, 2, 3]}, PICTURE),
        ([-1, 2, 2], ("time", 4)),
        ([-1], (6, 5)),
    ),
    *of("permute", ([2, 1], STEPS), ([3, 1, 2], PICTURE), ({"dims": [2, 1]}, ("time", 4))),
    *of("repeat_vector", (5, (7,)), ({"n": 1}, (7,))),
    *of("zero_padding1d", (2, STEPS), ({"padding": [0, 3]}, STEPS), (1, ("time", 4))),
    *of(
        "zero_padding2d",
        (2, PICTURE),
        ([1, 3], PICTURE),
        ({"padding": [[0, 1], [2, 0]]}, PICTURE),
        (None, (None, None, 4)),
    ),
    *of("zero_padding3d", (1, VOLUME), ({"padding": [[0, 1], [2, 0], [1, 1]]}, VOLUME)),
    *of("cropping1d", (2, STEPS), ({"cropping": [0, 3]}, STEPS), (1, ("time", 4))),
    *of(
        "cropping2d",
        (2, PICTURE),
        ([1, 3], PICTURE),
        ({"cropping": [[0, 1], [2, 0]]}, PICTURE),
        ([[1, 0], [0, 2]], (None, None, 4)),
    ),
    *of("cropping3d", (1, VOLUME), ({"cropping": [[0, 1], [2, 0], [1, 1]]}, VOLUME)),
    *of("up_sampling1d", (None, STEPS), ({"size": 3}, STEPS)),
    *of(
        "up_sampling2d",
        (None, PICTURE),
        ([1, 3], PICTURE),
        *(({"size": 2, "interpolation": how}, PICTURE) for how in ("bilinear", "bicubic")),
        *(({"size": [3, 2], "interpolation": f"lanczos{n}"}, PICTURE) for n in (3, 5)),
        (2, (None, "w", 4)),
    ),
    *of("up_sampling3d", (None, VOLUME), ({"size": [1, 2, 3]}, VOLUME)),
)

MERGING = (
    *(
        case
        for key in ("add", "multiply", "average", "maximum", "minimum")
        for case in of(
            key,
            (None, (STEPS, STEPS)),
            (None, (PICTURE, PICTURE, PICTURE)),
            (None, (PICTURE, (1, 1, 4))),
            (None, ((7, 4), (4,))),
            (None, (("time", 4), ("time", 4))),
        )
    ),
    *of("subtract", (None, (STEPS, STEPS)), (None, (PICTURE, (8, 1, 4)))),
    *of(
        "concatenate",
        (None, (STEPS, (11, 2), STEPS)),
        (1, ((3, 4), (5, 4))),
        ({"axis": 2}, ((8, 3, 4), (8, 9, 4))),
        (-2, (("time", 4), ("time", 4))),
    ),
    *of(
        "dot",
        (1, ((7,), (7,))),
        ({"axes": -1, "normalize": True}, ((7,), (7,))),
        ({"axes": [2, 1]}, ((3, 4), (4, 5))),
        ([1, 2], ((4,), (5, 4))),
        ([2, 3], ((3, 4), (5, 6, 4))),
    ),
)

ACTIVATION = (
    *of("activation", ("tanh", (7,)), ("softmax", STEPS), ({"activation": "gelu"}, PICTURE)),
    *of(
        "relu",
        (None, PICTURE),
        ({"max_value": 1}, (7,)),
        ({"negative_slope": 0.1, "threshold": 0.5}, (7,)),
        ({"max_value": 2, "negative_slope": 0.2, "threshold": 1}, STEPS),
    ),
    *of("leaky_relu", (None, (7,)), (0.1, PICTURE), ({"negative_slope": 0}, (7,))),
    *of(
        "prelu",
        (None, (7,)),
        ({"shared_axes": [1, 2], "alpha_initializer": {"constant": 0.25}}, PICTURE),
        ({"shared_axes": 1, "alpha_regularizer": "l2", "alpha_constraint": "non_neg"}, ("time", 4)),
    ),
    *of("elu", (None, (7,)), (0.5, PICTURE), ({"alpha": 2}, (7,))),
    *of("softmax", (None, (7,)), (1, STEPS), ({"axis": [1, 2]}, PICTURE)),
    *(
        case
        for key in MODULES["Activation"]["function"].split()
        for case in of(key, (None, (7,)), (None, PICTURE))
    ),
)

PREPROCESSING = (
    *of(
        "rescaling",
        (2, (7,)),
        ({"scale": 0.5, "offset": -1}, PICTURE),
        ({"scale": [1, 2, 3, 4], "offset": [0, 1, 2, 3]}, PICTURE),
    ),
    *of(
        "normalization",
        (None, (7,)),
        ({"axis": None, "mean": 3, "variance": 2}, PICTURE),
        ({"mean": [1, 2, 3, 4], "variance": [1, 2, 3, 4]}, PICTURE),
        ({"axis": [1, -1], "mean": [1, 2, 3, 4], "variance": [4, 3, 2, 1]}, PICTURE),
        ({"axis": 1, "mean": 0.5, "variance": 0, "invert": True}, STEPS),
    ),
)

PREPROCESSING += (
    *of(
        "category_encoding",
        (9, (7,)),
        ({"num_tokens": 9, "output_mode": "count"}, (7,)),
        ({"num_tokens": 9, "output_mode": "one_hot"}, (1,)),
        ({"num_tokens": 9, "output_mode": "one_hot"}, ("time",)),
        below=9,
    ),
    *of(
        "discretization",
        ([-1, 0, 0.5], (7,)),
        ({"bin_boundaries": [0], "output_mode": "one_hot"}, STEPS),
        ({"bin_boundaries": [-1, 1], "output_mode": "one_hot"}, (1,)),
        ({"bin_boundaries": [-1, 1], "output_mode": "multi_hot"}, (7,)),
        ({"bin_boundaries": [-1, 1], "output_mode": "count"}, (7,)),
    ),
    *of(
        "resizing",
        ({"height": 5, "width": 12}, PICTURE),
        *(
            ({"height": 12, "width": 4, "interpolation": how}, PICTURE)
            for how in ("nearest", "bicubic", "lanczos3", "lanczos5")
        ),
        ({"height": 4, "width": 4, "antialias": True}, PICTURE),
        ({"height": 4, "width": 5, "crop_to_aspect_ratio": True}, PICTURE),
        (
            {
                "height": 4,
                "width": 5,
                "pad_to_aspect_ratio": True,
                "fill_mode": "constant",
                "fill_value": 0.5,
            },
            PICTURE,
        ),
        ({"height": 5, "width": 12}, (None, "w", 4)),
    ),
    *of(
        "center_crop",
        ({"height": 4, "width": 5}, PICTURE),
        ({"height": 3, "width": 4}, PICTURE),
        ({"height": 12, "width": 10}, PICTURE),
    ),
    *of("auto_contrast", (None, PICTURE), ({"value_range": [0, 1]}, PICTURE)),
    *of(
        "mel_spectrogram",
        ({"fft_length": 64, "sequence_stride": 16, "num_mel_bins": 4}, (256,)),
        (
            {
                "fft_length": 64,
                "sequence_length": 48,
                "sequence_stride": 20,
                "window": "hamming",
                "sampling_rate": 8000,
                "num_mel_bins": 5,
                "min_freq": 100,
                "max_freq": 3000,
                "power_to_db": False,
                "mag_exp": 1,
            },
            (250,),
        ),
        (
            {
                "fft_length": 64,
                "sequence_stride": 16,
                "num_mel_bins": 4,
                "top_db": 30,
                "min_power": 1e-5,
                "ref_power": 0.5,
            },
            (256,),
        ),
    ),
)

SCALED = {"value_range": [0, 1], "seed": 3}
AROUND = {"interpolation": "nearest", "fill_mode": "constant", "fill_value": 0.5, "seed": 3}
AUGMENTATION = (
    *of("random_brightness", (0.2, PICTURE), ({"factor": [-0.1, 0.3], **SCALED}, PICTURE)),
    *of("random_contrast", (0.2, PICTURE), ({"factor": [0.1, 0.3], **SCALED}, PICTURE)),
    *of("random_saturation", (0.2, RGB), ({"factor": [0.1, 0.3], **SCALED}, RGB)),
    *of("random_hue", (0.2, RGB), ({"factor": [0.1, 0.3], **SCALED}, RGB)),
    *of("random_color_degeneration", (0.2, RGB), ({"factor": [0.1, 0.3], **SCALED}, RGB)),
    *of(
        "random_color_jitter",
        (None, RGB),
        ({"brightness_factor": 0.1, "contrast_factor": 0.1, **SCALED}, RGB),
        ({"saturation_factor": [0.1, 0.2], "hue_factor": 0.1}, RGB),
    ),
    *of("random_grayscale", (None, RGB), ({"factor": 1, "seed": 3}, RGB)),
    *of("random_invert", (None, RGB), ({"factor": 0.5, **SCALED}, RGB)),
    *of("random_posterization", (4, RGB), ({"factor": [2, 5], **SCALED}, RGB)),
    *of("random_sharpness", (0.2, RGB), ({"factor": [0.1, 0.3], **SCALED}, RGB)),
    *of(
        "solarization",
        (None, RGB),
        ({"addition_factor": 0.1, "threshold_factor": [0.1, 0.5], **SCALED}, RGB),
    ),
    *of(
        "random_gaussian_blur",
        (None, RGB),
        ({"factor": 0.5, "kernel_size": [3, 5], "sigma": 0.5, **SCALED}, RGB),
    ),
    *of(
        "random_erasing",
        (None, RGB),
        ({"factor": 0.5, "scale": 0.1, "fill_value": [0, 1, 2], **SCALED}, RGB),
    ),
    *of("random_flip", (None, PICTURE), ({"mode": "vertical", "seed": 3}, PICTURE)),
    *of("random_rotation", (0.2, PICTURE), ({"factor": [-0.1, 0.2], **AROUND}, PICTURE)),
    *of(
        "random_translation",
        ({"height_factor": 0.1, "width_factor": [-0.1, 0.2], **AROUND}, PICTURE),
    ),
    *of(
        "random_zoom", (0.2, PICTURE), ({"height_factor": 0.1, "width_factor": 0.2, **AROUND}, RGB)
    ),
    *of("random_shear", (None, RGB), ({"x_factor": 0.1, "y_factor": [0, 0.2], **AROUND}, RGB)),
    *of(
        "random_perspective",
        (None, RGB),
        (
            {
                "factor": 0.5,
                "scale": 0.3,
                "interpolation": "nearest",
                "fill_value": 0.5,
                "seed": 3,
            },
            RGB,
        ),
    ),
    *of(
        "random_elastic_transform",
        (None, RGB),
        ({"factor": 0.5, "scale": [0.1, 0.5], **AROUND, **SCALED}, RGB),
    ),
    *of(
        "rand_augment",
        (None, RGB),
        ({"num_ops": 1, "factor": 0.3, "interpolation": "nearest", **SCALED}, RGB),
    ),
    *of(
        "aug_mix",
        (None, RGB),
        (
            {
                "num_chains": 2,
                "chain_depth": 1,
                "factor": 0.2,
                "alpha": 0.5,
                "all_ops": False,
                "interpolation": "nearest",
                **SCALED,
            },
            RGB,
        ),
    ),
)

CASES: tuple[Case, ...] = (
    *CORE,
    *CONVOLUTION,
    *POOLING,
    *RECURRENT,
    *ATTENTION,
    *WRAPPING,
    *NORMALIZATION,
    *REGULARIZATION,
    *RESHAPING,
    *MERGING,
    *ACTIVATION,
    *PREPROCESSING,
    *AUGMENTATION,
)
