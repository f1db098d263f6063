"""The activations that layers take as an argument, by name.

Two of Keras' activations are left out: `threshold` has arguments that Keras cannot pass by name,
and `glu` halves its last axis while Keras' layers promise to keep it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Activation = Literal[
    "celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish",
    "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign",
    "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink",
]  # fmt: skip
"""A built-in activation of Keras, by its name."""

WHOLE: Mapping[str, Literal["float32", "kept"]] = MappingProxyType(
    {
        "linear": "kept",
        "relu": "kept",
        "relu6": "kept",
        "exponential": "float32",
        "leaky_relu": "float32",
        "tanh": "float32",
    }
)
"""Output element type of an activation for int32 inputs: float32, or int32 again. Keras refuses
int32 for all other activations."""
