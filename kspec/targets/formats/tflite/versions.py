"""The version of each operator, and the oldest runtime that supports it.

The version of an operator states which of its features a model uses; a runtime that lacks the
version refuses the model. Source: TensorFlow's ``tflite/tools/versioning``, ``op_version.cc`` and
``runtime_version.cc``; for the types that this project writes, few versions are above 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from kspec.compiler.ir import DType
from kspec.targets.formats.tflite.builtins import (
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    GatherOptions,
)
from kspec.targets.formats.tflite.program import Operator

Condition = Callable[[Operator], bool]


def version(operator: Operator) -> int:
    """Return the version that the operator requires."""
    rows = _VERSIONS.get(operator.code, ())
    return next((number for number, holds in rows if holds(operator)), 1)


def minimum_runtime(operators: Iterable[Operator]) -> str:
    """Return the oldest runtime that supports all operators, such as ``2.9.0``."""
    keys = {(each.code, version(each)) for each in operators}
    return max((_RUNTIMES.get(key, _OLDEST) for key in keys), key=_numbers, default=_OLDEST)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def _always(_operator: Operator) -> bool:
    return True


def _of(*dtypes: DType) -> Condition:
    """Return a condition: the first input has one of these element types."""
    return lambda operator: operator.inputs[0].dtype in dtypes


def _above(rank: int) -> Condition:
    return lambda operator: operator.inputs[0].type.rank > rank


def _with_inputs(count: int) -> Condition:
    return lambda operator: len(operator.inputs) == count


def _broadcasts_above(rank: int) -> Condition:
    return lambda operator: (
        operator.inputs[0].shape != operator.inputs[1].shape
        and max(value.type.rank for value in operator.inputs) > rank
    )


def _casts(*dtypes: DType) -> Condition:
    return lambda operator: bool({operator.inputs[0].dtype, operator.output.dtype} & set(dtypes))


def _is_grouped(operator: Operator) -> bool:
    x, kernel = operator.inputs[:2]
    return x.shape[-1] != kernel.shape[-1]


def _is_dilated(operator: Operator) -> bool:
    options = operator.options
    return isinstance(options, DepthwiseConv2DOptions) and (
        options.dilation_h_factor > 1 or options.dilation_w_factor > 1
    )


def _gathers_in_rows(operator: Operator) -> bool:
    options = operator.options
    return isinstance(options, GatherOptions) and options.batch_dims > 0


def _keeps_dimensions(operator: Operator) -> bool:
    options = operator.options
    return isinstance(options, FullyConnectedOptions) and options.keep_num_dims


_VERSIONS: Mapping[str, tuple[tuple[int, Condition], ...]] = {
    "ABS": ((5, _of(DType.int32)),),
    "ADD": ((4, _of(DType.int64)),),
    "ARG_MAX": ((3, _of(DType.boolean)),),
    "ARG_MIN": ((3, _of(DType.boolean)),),
    "BROADCAST_TO": ((2, _always),),
    "CAST": ((5, _casts(DType.float16, DType.float64)), (3, _casts(DType.int8))),
    "CONV_2D": ((6, _is_grouped),),
    "DEPTHWISE_CONV_2D": ((2, _is_dilated),),
    "DIV": ((2, _broadcasts_above(4)),),
    "FLOOR_DIV": ((2, _of(DType.float32)),),
    "FULLY_CONNECTED": ((6, _with_inputs(2)), (5, _keeps_dimensions)),
    "GATHER": (
        (5, _gathers_in_rows),
        (3, _of(DType.boolean)),
    ),
    "MAXIMUM": ((3, _broadcasts_above(4)),),
    "MINIMUM": ((3, _broadcasts_above(4)),),
    "MUL": ((5, _of(DType.int64)),),
    "PAD": ((5, _of(DType.boolean)), (4, _above(4))),
    "PADV2": ((5, _of(DType.boolean)), (4, _above(4))),
    "RESIZE_BILINEAR": ((3, _always),),
    "RESIZE_NEAREST_NEIGHBOR": ((3, _always),),
    "REVERSE_V2": ((2, _of(DType.boolean)),),
    "SIGN": ((2, _of(DType.int32)),),
    "SLICE": ((5, _above(4)),),
    "STRIDED_SLICE": ((4, _above(4)), (3, _of(DType.boolean))),
    "SUB": ((4, _of(DType.int64)), (3, _broadcasts_above(4))),
    "TRANSPOSE": ((6, _above(5)), (4, _above(4)), (3, _of(DType.boolean))),
    "TRANSPOSE_CONV": ((3, _with_inputs(4)),),
}
"""The versions above 1 of each operator; the first one whose condition holds applies."""

_OLDEST = "1.15.0"
"""The runtime for operators that are not listed below."""

_RUNTIMES: Mapping[tuple[str, int], str] = {
    ("ABS", 5): "2.12.0",
    ("ADD", 4): "2.6.0",
    ("ARG_MAX", 3): "2.9.0",
    ("ARG_MIN", 3): "2.9.0",
    ("ATAN2", 1): "2.10.0",
    ("BATCH_MATMUL", 1): "2.3.0",
    ("BROADCAST_TO", 2): "2.5.0",
    ("CAST", 3): "2.8.0",
    ("CAST", 5): "2.12.0",
    ("CONV_2D", 6): "2.9.0",
    ("CONV_3D", 1): "2.5.0",
    ("CONV_3D_TRANSPOSE", 1): "2.6.0",
    ("CUMSUM", 1): "2.4.0",
    ("DYNAMIC_UPDATE_SLICE", 1): "2.9.0",
    ("DIV", 2): "2.3.0",
    ("FULLY_CONNECTED", 5): "2.0.0",
    ("FULLY_CONNECTED", 6): "2.1.0",
    ("GATHER", 5): "2.5.0",
    ("GELU", 1): "2.9.0",
    ("MAXIMUM", 3): "2.3.0",
    ("MINIMUM", 3): "2.3.0",
    ("MUL", 5): "2.6.0",
    ("PAD", 4): "2.6.0",
    ("PAD", 5): "2.20.0",
    ("PADV2", 4): "2.6.0",
    ("PADV2", 5): "2.20.0",
    ("REDUCE_ALL", 1): "2.6.0",
    ("RELU_0_TO_1", 1): "2.10.0",
    ("RESIZE_BILINEAR", 3): "2.2.0",
    ("RESIZE_NEAREST_NEIGHBOR", 3): "2.3.0",
    ("REVERSE_V2", 2): "2.2.0",
    ("SELECT_V2", 1): "2.2.0",
    ("SIGN", 1): "2.11.0",
    ("SIGN", 2): "2.12.0",
    ("SLICE", 5): "2.5.0",
    ("STRIDED_SLICE", 3): "2.1.0",
    ("STRIDED_SLICE", 4): "2.2.0",
    ("SUB", 3): "2.3.0",
    ("SUB", 4): "2.4.0",
    ("TRANSPOSE", 4): "2.3.0",
    ("TRANSPOSE", 6): "2.12.0",
    ("TRANSPOSE_CONV", 1): "1.9.0",
    ("TRANSPOSE_CONV", 3): "2.3.0",
}
"""The first runtime with each version of each operator."""
