"""All of ``keras.ops``: its operations, and functions that call them."""

from __future__ import annotations

import inspect

import keras
from keras import ops
from keras.src.ops import core, einops, image, linalg, math, nn, numpy

MODULES = (core, einops, image, linalg, math, nn, numpy)
OPERATIONS = tuple(
    each
    for module in MODULES
    for each in vars(module).values()
    if inspect.isclass(each)
    and issubclass(each, keras.Operation)
    and each is not keras.Operation
    and each.__module__ == module.__name__
)

WITHOUT_A_CLASS = {
    **dict.fromkeys(
        ("bartlett", "blackman", "hamming", "hanning", "kaiser"), "a window of numbers: a constant"
    ),
    **dict.fromkeys(("empty", "eye", "identity", "ones", "tri", "zeros"), "a constant"),
    **dict.fromkeys(("dtype", "is_tensor", "shape"), "a question of types, answered at once"),
    **dict.fromkeys(
        ("batch_normalization", "layer_normalization", "rms_normalization", "hard_swish", "swish"),
        "another name",
    ),
    **dict.fromkeys(("image", "linalg", "nn", "numpy"), "a module of the same functions"),
    "vectorize": "made of vectorized_map",
    "convert_to_numpy": "it needs values, which symbols do not have",
    "custom_gradient": "a decorator; at inference the function itself",
}


def name_of(operation: type) -> str:
    """The public function that makes an operation, as in ``keras.ops``; else its class."""
    wanted = operation.__name__.lower()
    for module, prefix in ((ops, ""), (ops.image, "image.")):
        for name in dir(module):
            if name.replace("_", "") == wanted:
                return prefix + name
    return operation.__name__
