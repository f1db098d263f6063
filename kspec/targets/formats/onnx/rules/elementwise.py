"""Elementwise operations."""

from __future__ import annotations

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array, Node, Value
from kspec.compiler.table import Table
from kspec.targets.formats.onnx.emission import Emission, Rule

rules: Table[Rule] = Table("onnx")

OPERATORS: dict[type[ops.Op], str] = {
    ops.Identity: "Identity",
    ops.Abs: "Abs",
    ops.Negative: "Neg",
    ops.Sign: "Sign",
    ops.Floor: "Floor",
    ops.Ceil: "Ceil",
    ops.Round: "Round",
    ops.Exp: "Exp",
    ops.Log: "Log",
    ops.Sqrt: "Sqrt",
    ops.Reciprocal: "Reciprocal",
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
    ops.LogicalNot: "Not",
    ops.IsNan: "IsNaN",
    ops.Relu: "Relu",
    ops.Sigmoid: "Sigmoid",
    ops.Softplus: "Softplus",
    ops.Softsign: "Softsign",
    ops.HardSwish: "HardSwish",
    ops.Mish: "Mish",
    ops.Add: "Add",
    ops.Subtract: "Sub",
    ops.Multiply: "Mul",
    ops.Divide: "Div",
    ops.Pow: "Pow",
    ops.Maximum: "Max",
    ops.Minimum: "Min",
    ops.LogicalAnd: "And",
    ops.LogicalOr: "Or",
    ops.LogicalXor: "Xor",
    ops.Equal: "Equal",
    ops.Less: "Less",
    ops.LessEqual: "LessOrEqual",
    ops.Greater: "Greater",
    ops.GreaterEqual: "GreaterOrEqual",
    ops.Where: "Where",
}
"""ONNX operators with the definition of the op."""


@rules(*OPERATORS)
def direct(op: ops.Op, node: Node, emit: Emission) -> None:
    inputs = node.inputs
    emit.result(OPERATORS[type(op)], *inputs)


@rules(ops.Cast)
def cast(op: ops.Cast, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    emit.result("Cast", x, to=op.dtype)


@rules(ops.Square)
def square(_op: ops.Square, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    emit.result("Mul", x, x)


@rules(ops.Rsqrt)
def rsqrt(_op: ops.Rsqrt, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    emit.result("Reciprocal", emit("Sqrt", x))


@rules(ops.Expm1)
def expm1(_op: ops.Expm1, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    emit.result("Sub", emit("Exp", x), scalar(1, x))


@rules(ops.Log1p)
def log1p(_op: ops.Log1p, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    emit.result("Log", emit("Add", x, scalar(1, x)))


@rules(ops.Silu)
def silu(_op: ops.Silu, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    emit.result("Mul", x, emit("Sigmoid", x))


@rules(ops.Selu)
def selu(op: ops.Selu, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    emit.result("Selu", x, alpha=op.alpha, gamma=op.scale)


@rules(ops.Elu)
def elu(op: ops.Elu, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    emit.result("Elu", x, alpha=op.alpha)


@rules(ops.LeakyRelu)
def leaky_relu(op: ops.LeakyRelu, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    emit.result("LeakyRelu", x, alpha=op.negative_slope)


@rules(ops.HardSigmoid)
def hard_sigmoid(op: ops.HardSigmoid, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    emit.result("HardSigmoid", x, alpha=op.alpha, beta=op.beta)


@rules(ops.Gelu)
def gelu(op: ops.Gelu, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    emit.result("Gelu", x, approximate="tanh" if op.approximate else "none")


@rules(ops.Clip)
def clip(op: ops.Clip, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    bounds = (op.minimum, op.maximum)
    emit.result("Clip", x, *(None if bound is None else scalar(bound, x) for bound in bounds))


@rules(ops.NotEqual)
def not_equal(_op: ops.NotEqual, node: Node, emit: Emission) -> None:
    x, y = node.inputs
    emit.result("Not", emit("Equal", x, y))


@rules(ops.FloorDivide)
def floor_divide(_op: ops.FloorDivide, node: Node, emit: Emission) -> None:
    x, y = node.inputs
    if x.dtype.is_float:
        emit.result("Floor", emit("Div", x, y))
    else:
        # Div of integers truncates, but x - x mod y is a multiple of y.
        emit.result("Div", emit("Sub", x, emit("Mod", x, y, fmod=0)), y)


@rules(ops.Remainder)
def remainder(_op: ops.Remainder, node: Node, emit: Emission) -> None:
    x, y = node.inputs
    if not x.dtype.is_float:
        emit.result("Mod", x, y, fmod=0)
        return
    # For floats ONNX has C's fmod only, with the sign of x.
    rest = emit("Mod", x, y, fmod=1)
    opposite = emit("Less", emit("Mul", rest, emit("Sign", y)), scalar(0, x))
    emit.result("Where", opposite, emit("Add", rest, y), rest)


def scalar(number: float, like: Value) -> Array:
    """A rank-0 constant of the element type of ``like``."""
    return np.array(number, like.dtype.numpy)
