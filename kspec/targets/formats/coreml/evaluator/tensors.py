"""Declared types and literal values of a MIL program, decoded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from kspec.compiler.ir import Array, DType
from kspec.targets.formats.coreml.evaluator.errors import PackageError
from kspec.targets.formats.coreml.evaluator.weights import WeightFile

_STRING = 2
_TYPES = {1: DType.boolean, 10: DType.float16, 11: DType.float32, 23: DType.int32}
"""`DataType` of MIL.proto."""
_BLOB = "@model_path/weights/weight.bin"


@dataclass(frozen=True, slots=True)
class Declared:
    """The declared type of a value; a variable dimension is None."""

    dtype: DType
    shape: tuple[int | None, ...]

    def admits(self, array: Array) -> bool:
        return (
            array.dtype == self.dtype.numpy
            and array.ndim == len(self.shape)
            and all(n in (None, m) for n, m in zip(self.shape, array.shape, strict=True))
        )

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join('?' if n is None else str(n) for n in self.shape)}]"


def declared_type(message: Any) -> Declared:
    """Return the declared type of a ValueType that is a tensor."""
    tensor = message.tensorType
    if message.WhichOneof("type") != "tensorType" or tensor.dataType not in _TYPES:
        raise PackageError(f"a value has a type that is not evaluated: {message}")
    if tensor.rank != len(tensor.dimensions):
        raise PackageError(f"a tensor of rank {tensor.rank} has {len(tensor.dimensions)} axes")
    shape = tuple(
        int(each.constant.size) if each.WhichOneof("dimension") == "constant" else None
        for each in tensor.dimensions
    )
    return Declared(_TYPES[tensor.dataType], shape)


def literal(message: Any, weights: WeightFile | None) -> Array | str:
    """Return the content of a Value: a string, or an array of exactly the declared type."""
    tensor = message.immediateValue.tensor
    if message.type.tensorType.dataType == _STRING:
        (text,) = tensor.strings.values
        return str(text)
    declared = declared_type(message.type)
    shape = [n for n in declared.shape if n is not None]
    if len(shape) != len(declared.shape):
        raise PackageError("a constant has a dimension that varies")
    if message.WhichOneof("value") == "blobFileValue":
        flat = _blob(message.blobFileValue, weights)
    elif declared.dtype is DType.float16:
        flat = np.frombuffer(tensor.bytes.values, "<f2")
    else:
        field = tensor.WhichOneof("value")
        flat = np.array(getattr(tensor, field).values, declared.dtype.numpy)
    if flat.dtype != declared.dtype.numpy or flat.size != math.prod(shape):
        raise PackageError(f"a constant of type {declared} has {flat.size} of {flat.dtype}")
    return flat.reshape(shape)


def _blob(message: Any, weights: WeightFile | None) -> Array:
    if message.fileName != _BLOB or weights is None:
        raise PackageError(f"a constant is in {message.fileName}, which is not in the package")
    return weights.read(message.offset)
