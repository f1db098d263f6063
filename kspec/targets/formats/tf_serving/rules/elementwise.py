"""Elementwise operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kspec.compiler import ops
from kspec.compiler.table import Table
from kspec.targets.formats.tf_serving import lazy as tf

rules: Table[Callable[..., Any]] = Table("tf_serving")

OPERATORS: dict[type[ops.Op], str] = {
    ops.Abs: "Abs",
    ops.Negative: "Neg",
    ops.Sign: "Sign",
    ops.Floor: "Floor",
    ops.Ceil: "Ceil",
    ops.Round: "Round",
    ops.Exp: "Exp",
    ops.Expm1: "Expm1",
    ops.Log: "Log",
    ops.Log1p: "Log1p",
    ops.Sqrt: "Sqrt",
    ops.Rsqrt: "Rsqrt",
    ops.Reciprocal: "Reciprocal",
    ops.Square: "Square",
    ops.Sin: "Sin",
    ops.Cos: "Cos",
    ops.Tan: "Tan",
    ops.Asin: "Asin",
    ops.Acos: "Acos",
    ops.Atan: "Atan",
    ops.Sinh: "Sinh",
    ops.Cosh: "Cosh",
    ops.Tanh: "Tanh",
    ops.Erf: "Erf",
    ops.LogicalNot: "LogicalNot",
    ops.IsNan: "IsNan",
    ops.Sigmoid: "Sigmoid",
    ops.Add: "AddV2",
    ops.Subtract: "Sub",
    ops.Multiply: "Mul",
    ops.Divide: "RealDiv",
    ops.FloorDivide: "FloorDiv",
    ops.Remainder: "FloorMod",
    ops.Pow: "Pow",
    ops.Maximum: "Maximum",
    ops.Minimum: "Minimum",
    ops.LogicalAnd: "LogicalAnd",
    ops.LogicalOr: "LogicalOr",
    ops.Equal: "Equal",
    ops.NotEqual: "NotEqual",
    ops.Less: "Less",
    ops.LessEqual: "LessEqual",
    ops.Greater: "Greater",
    ops.GreaterEqual: "GreaterEqual",
}
"""TensorFlow functions with the definition of the op."""


@rules(*OPERATORS)
def direct(op: ops.Op, *inputs: Any) -> Any:
    return getattr(tf.raw_ops, OPERATORS[type(op)])(**dict(zip("xy", inputs, strict=False)))


@rules(ops.Identity)
def identity(_op: ops.Identity, x: Any) -> Any:
    return tf.identity(x)


@rules(ops.Cast)
def cast(op: ops.Cast, x: Any) -> Any:
    return tf.cast(x, op.dtype.value)


@rules(ops.Relu)
def relu(_op: ops.Relu, x: Any) -> Any:
    return tf.nn.relu(x)


@rules(ops.Silu)
def silu(_op: ops.Silu, x: Any) -> Any:
    return x * tf.sigmoid(x)


@rules(ops.Softplus)
def softplus(_op: ops.Softplus, x: Any) -> Any:
    return tf.math.softplus(x)


@rules(ops.Softsign)
def softsign(_op: ops.Softsign, x: Any) -> Any:
    return tf.nn.softsign(x)


@rules(ops.HardSwish)
def hard_swish(_op: ops.HardSwish, x: Any) -> Any:
    return x * (tf.nn.relu6(x + 3) * (1 / 6))


@rules(ops.Mish)
def mish(_op: ops.Mish, x: Any) -> Any:
    return x * tf.tanh(tf.math.softplus(x))


@rules(ops.Selu)
def selu(_op: ops.Selu, x: Any) -> Any:
    return tf.nn.selu(x)


@rules(ops.Elu)
def elu(op: ops.Elu, x: Any) -> Any:
    if op.alpha == 1:
        return tf.nn.elu(x)
    return tf.nn.relu(x) + op.alpha * tf.math.expm1(tf.minimum(x, 0))


@rules(ops.LeakyRelu)
def leaky_relu(op: ops.LeakyRelu, x: Any) -> Any:
    return tf.nn.leaky_relu(x, op.negative_slope)


@rules(ops.HardSigmoid)
def hard_sigmoid(op: ops.HardSigmoid, x: Any) -> Any:
    return tf.clip_by_value(op.alpha * x + op.beta, 0, 1)


@rules(ops.Gelu)
def gelu(op: ops.Gelu, x: Any) -> Any:
    return tf.nn.gelu(x, approximate=op.approximate)


@rules(ops.Clip)
def clip(op: ops.Clip, x: Any) -> Any:
    match op.minimum, op.maximum:
        case (0, None):
            return tf.nn.relu(x)
        case (0, 6):
            return tf.nn.relu6(x)
    if op.minimum is not None:
        x = tf.maximum(x, tf.constant(op.minimum, x.dtype))
    return x if op.maximum is None else tf.minimum(x, tf.constant(op.maximum, x.dtype))


@rules(ops.LogicalXor)
def logical_xor(_op: ops.LogicalXor, x: Any, y: Any) -> Any:
    return tf.not_equal(x, y)


@rules(ops.Where)
def where(_op: ops.Where, condition: Any, x: Any, y: Any) -> Any:
    return tf.where(condition, x, y)
