"""Valid parameterisations of every layer, each argument varied at least once.

Arguments are as in YAML; shapes are without the batch. The schema's tests compare the shapes
with Keras, the conformance matrix the values with every format.
"""

from dataclasses import dataclass
from typing import Any

from kspec.schemas.layers import Layer, Shape
from kspec.schemas.layers.activation import FUNCTIONS
from kspec.schemas.network import Step


@dataclass(frozen=True, slots=True)
class Case:
    """A layer with arguments, and the shapes that it is given."""

    id: str
    key: str
    arguments: Any
    shapes: tuple[Shape, ...]

    def layer(self) -> Layer:
        """The validated layer."""
        return Step.model_validate({self.key: self.arguments}).layer


def of(key: str, *pairs: tuple[Any, Shape | tuple[Shape, ...]]) -> tuple[Case, ...]:
    """Cases of one layer, from arguments and input shapes."""
    return tuple(
        Case(f"{key}-{place}", key, arguments, _shapes(shapes))
        for place, (arguments, shapes) in enumerate(pairs)
    )


def _shapes(written: Shape | tuple[Shape, ...]) -> tuple[Shape, ...]:
    return written if written and isinstance(written[0], tuple) else (written,)


STEPS, PICTURE, VOLUME = (11, 4), (8, 9, 4), (5, 6, 7, 4)

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
    *(case for cls in FUNCTIONS for case in of(cls.key, (None, (7,)), (None, PICTURE))),
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

CASES: tuple[Case, ...] = (
    *CORE,
    *CONVOLUTION,
    *POOLING,
    *NORMALIZATION,
    *REGULARIZATION,
    *RESHAPING,
    *MERGING,
    *ACTIVATION,
    *PREPROCESSING,
)
