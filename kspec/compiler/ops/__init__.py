"""The operations of the IR; the imports below are the complete list. Other modules write
``ops.Conv``."""

# ruff: noqa: F401

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from types import MappingProxyType

from kspec.compiler.ir import Op
from kspec.compiler.ops.activation import (
    Clip,
    Elu,
    Gelu,
    HardSigmoid,
    HardSwish,
    LeakyRelu,
    Mish,
    Relu,
    Selu,
    Sigmoid,
    Silu,
    Softplus,
    Softsign,
)
from kspec.compiler.ops.base import OpError
from kspec.compiler.ops.elementwise import (
    Abs,
    Acos,
    Add,
    Asin,
    Atan,
    Binary,
    Cast,
    Ceil,
    Cos,
    Cosh,
    Divide,
    Equal,
    Erf,
    Exp,
    Expm1,
    Floor,
    FloorDivide,
    Greater,
    GreaterEqual,
    Identity,
    IsNan,
    Less,
    LessEqual,
    Log,
    Log1p,
    LogicalAnd,
    LogicalNot,
    LogicalOr,
    LogicalXor,
    Maximum,
    Minimum,
    Multiply,
    Negative,
    NotEqual,
    Pow,
    Reciprocal,
    Remainder,
    Round,
    Rsqrt,
    Sign,
    Sin,
    Sinh,
    Sqrt,
    Square,
    Subtract,
    Tan,
    Tanh,
    Where,
)
from kspec.compiler.ops.neural import (
    AveragePool,
    Conv,
    ConvTranspose,
    MaxPool,
    Pooling,
    Resize,
    Windowed,
    same_padding,
)
from kspec.compiler.ops.product import (
    BatchNorm,
    LayerNorm,
    Linear,
    LogSoftmax,
    MatMul,
    Softmax,
)
from kspec.compiler.ops.recurrent import Gru, Lstm, Recurrent, Rnn, Scan
from kspec.compiler.ops.reduction import (
    All,
    Any,
    ArgMax,
    ArgMin,
    CumSum,
    Max,
    Mean,
    Min,
    Prod,
    Reduction,
    Sum,
)
from kspec.compiler.ops.shape import (
    BroadcastTo,
    Concat,
    Gather,
    Pad,
    Repeat,
    Reshape,
    Reverse,
    Slice,
    Tile,
    Transpose,
)
from kspec.compiler.ops.sorting import ArgTopK, TakeAlongAxis, TopK

OPS: Mapping[str, type[Op]] = MappingProxyType(
    {
        name: each
        for name, each in vars().items()
        if isinstance(each, type) and issubclass(each, Op) and ABC not in each.__bases__
    }
)
"""Every operation by its name in the text and file forms, without base classes (bases list ABC)."""
