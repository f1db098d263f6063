"""Element types of the IR for element types of Keras that the IR lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import numpy as np
from keras.src.ops import core, nn
from keras.src.ops import numpy as knp

from kspec.compiler.ir import Array, DType

WIDER: Mapping[str, DType] = MappingProxyType(
    {
        "int16": DType.int32,
        "uint16": DType.int32,
        "uint32": DType.int64,
        "bfloat16": DType.float32,
    }
)
"""The wider IR type for each Keras type that the IR lacks; it represents every value exactly."""

EXACT = frozenset(
    {
        core.Cast, core.Slice, core.StopGradient, core.Unstack,
        knp.BroadcastTo, knp.Clip, knp.Concatenate, knp.Diagonal, knp.Equal, knp.ExpandDims,
        knp.Flip, knp.GetItem, knp.Greater, knp.GreaterEqual, knp.Less, knp.LessEqual,
        knp.LogicalNot, knp.Max, knp.Maximum, knp.Min, knp.Minimum, knp.Moveaxis, knp.NotEqual,
        knp.Ravel, knp.Repeat, knp.Reshape, knp.Roll, knp.Sign, knp.Split, knp.Squeeze, knp.Stack,
        knp.Swapaxes, knp.Take, knp.TakeAlongAxis, knp.Tile, knp.Transpose, knp.Where,
        nn.MultiHot, nn.OneHot,
    }
)  # fmt: skip
"""Operations that neither round nor overflow: the wider type yields the same numbers."""

_LOW = frozenset({"float16", "bfloat16"})


def element_type(name: str) -> tuple[DType, str | None]:
    """Return the IR type for a Keras element type, and the Keras name if that type is narrower.
    Raises ElementTypeError if no IR type represents all its values."""
    wider = WIDER.get(name)
    return (DType(name), None) if wider is None else (wider, name)


def as_constant(array: Array) -> Array:
    """Convert an array to an element type of the IR without changing its values; float64 becomes
    float32. Raises ElementTypeError."""
    name = array.dtype.name
    if name == "float64":
        return array.astype(np.float32)
    if name == "uint64" and (array <= np.iinfo(np.int64).max).all():
        return array.astype(np.int64)
    return array.astype(element_type(name)[0].numpy, copy=False)


@contextmanager
def in_float32(model: Any) -> Iterator[None]:
    """Make every 16-bit layer compute in float32 while the block runs, with its own variables:
    mixed precision is for training, and artifacts compute in float32."""
    found = [
        each
        for each in model._flatten_layers()  # noqa: SLF001
        if each.compute_dtype in _LOW
        and each.dtype_policy.quantization_mode is None
        and not any(str(variable.dtype) in _LOW for variable in each.variables)
    ]
    before = [each.dtype_policy for each in found]
    for each in found:
        each.dtype_policy = "float32"
    try:
        yield
    finally:
        for each, policy in zip(found, before, strict=True):
            each.dtype_policy = policy
