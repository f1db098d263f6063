"""Elementwise operators."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Node, Value
from kspec.compiler.table import Table
from kspec.targets.formats.tflite.builtins import (
    AddOptions,
    CastOptions,
    DivOptions,
    GeluOptions,
    LeakyReluOptions,
    MulOptions,
    Options,
    SubOptions,
)
from kspec.targets.formats.tflite.program import TENSOR_TYPES, Emitter, Rule
from kspec.targets.formats.tflite.rules.shape import reshape

rules: Table[Rule] = Table("tflite")

DIRECT: Mapping[type[ops.Op], tuple[str, Options | None]] = {
    ops.Abs: ("ABS", None),
    ops.Negative: ("NEG", None),
    ops.Sign: ("SIGN", None),
    ops.Exp: ("EXP", None),
    ops.Log: ("LOG", None),
    ops.Sqrt: ("SQRT", None),
    ops.Rsqrt: ("RSQRT", None),
    ops.Sin: ("SIN", None),
    ops.Cos: ("COS", None),
    ops.Tanh: ("TANH", None),
    ops.Sigmoid: ("LOGISTIC", None),
    ops.HardSwish: ("HARD_SWISH", None),
    ops.LogicalNot: ("LOGICAL_NOT", None),
    ops.Add: ("ADD", AddOptions()),
    ops.Subtract: ("SUB", SubOptions()),
    ops.Multiply: ("MUL", MulOptions()),
    ops.Divide: ("DIV", DivOptions()),
    ops.FloorDivide: ("FLOOR_DIV", None),
    ops.Remainder: ("FLOOR_MOD", None),
    ops.Pow: ("POW", None),
    ops.Maximum: ("MAXIMUM", None),
    ops.Minimum: ("MINIMUM", None),
    ops.LogicalAnd: ("LOGICAL_AND", None),
    ops.LogicalOr: ("LOGICAL_OR", None),
    ops.LogicalXor: ("NOT_EQUAL", None),
    ops.Equal: ("EQUAL", None),
    ops.NotEqual: ("NOT_EQUAL", None),
    ops.Less: ("LESS", None),
    ops.LessEqual: ("LESS_EQUAL", None),
    ops.Greater: ("GREATER", None),
    ops.GreaterEqual: ("GREATER_EQUAL", None),
    ops.Where: ("SELECT_V2", None),
}
"""The operator and options that are equivalent to an operation of the IR."""


def add(out: Emitter, x: Value, y: Value, into: Value | None = None) -> Value:
    return out.emit("ADD", x, y, options=AddOptions(), into=into)


def multiply(out: Emitter, x: Value, y: Value, into: Value | None = None) -> Value:
    return out.emit("MUL", x, y, options=MulOptions(), into=into)


@rules(*DIRECT)
def _direct(op: ops.Op, node: Node, out: Emitter) -> None:
    code, options = DIRECT[type(op)]
    out.emit(code, *node.inputs, options=options, into=node.output)


ROUNDED: Mapping[type[ops.Op], str] = {
    ops.Floor: "FLOOR",
    ops.Ceil: "CEIL",
    ops.Round: "ROUND",
}


@rules(*ROUNDED)
def _round(op: ops.Op, node: Node, out: Emitter) -> None:
    (x,) = node.inputs
    if x.dtype.is_float:
        out.emit(ROUNDED[type(op)], x, into=node.output)
    else:
        reshape(out, x, x.shape, node.output)


@rules(ops.Square)
def _square(_op: ops.Square, node: Node, out: Emitter) -> None:
    (x,) = node.inputs
    if x.dtype.is_float:
        out.emit("SQUARE", x, into=node.output)
    else:
        multiply(out, x, x, node.output)


@rules(ops.Relu)
def _relu(_op: ops.Relu, node: Node, out: Emitter) -> None:
    (x,) = node.inputs
    if x.dtype.is_float:
        out.emit("RELU", x, into=node.output)
    else:
        out.emit("MAXIMUM", x, out.number(0, x), into=node.output)


@rules(ops.Cast)
def _cast(_op: ops.Op, node: Node, out: Emitter) -> None:
    (x,) = node.inputs
    options = CastOptions(TENSOR_TYPES[x.dtype], TENSOR_TYPES[node.output.dtype])
    out.emit("CAST", x, options=options, into=node.output)


@rules(ops.IsNan)
def _is_nan(_op: ops.Op, node: Node, out: Emitter) -> None:
    (x,) = node.inputs
    out.emit("NOT_EQUAL", x, x, into=node.output)


@rules(ops.Atan)
def _atan(_op: ops.Op, node: Node, out: Emitter) -> None:
    (x,) = node.inputs
    out.emit("ATAN2", x, _like(out, x, 1.0), into=node.output)


@rules(ops.Erf)
def _erf(_op: ops.Op, node: Node, out: Emitter) -> None:
    """Write erf with the exact GELU, x/2 · (1 + erf(x/√2)), since the runtime lacks erf: for
    x = √2·|z|, erf|z| = 2·gelu(x)/x - 1. x is clipped to 1e-20, where the quotient is 1, and 10,
    where erf is 1 in float32."""
    (z,) = node.inputs
    x = multiply(out, out.emit("ABS", z), out.number(math.sqrt(2), z))
    x = out.emit("MINIMUM", out.emit("MAXIMUM", x, out.number(1e-20, z)), out.number(10.0, z))
    ratio = out.emit(
        "DIV", out.emit("GELU", x, options=GeluOptions(approximate=False)), x, options=DivOptions()
    )
    size = add(out, multiply(out, ratio, out.number(2.0, z)), out.number(-1.0, z))
    multiply(out, out.emit("SIGN", z), size, node.output)


@rules(ops.Asin)
def _asin(_op: ops.Op, node: Node, out: Emitter) -> None:
    """atan2(x, √((1 - x)(1 + x)))"""
    (x,) = node.inputs
    out.emit("ATAN2", x, _cosine_of_sine(out, x), into=node.output)


@rules(ops.Acos)
def _acos(_op: ops.Op, node: Node, out: Emitter) -> None:
    """atan2(√((1 - x)(1 + x)), x)"""
    (x,) = node.inputs
    out.emit("ATAN2", _cosine_of_sine(out, x), x, into=node.output)


def _cosine_of_sine(out: Emitter, x: Value) -> Value:
    less = out.emit("SUB", out.number(1.0, x), x, options=SubOptions(), type_=x.type)
    return out.emit("SQRT", multiply(out, less, add(out, x, out.number(1.0, x))))


@rules(ops.Sinh, ops.Cosh)
def _hyperbolic(op: ops.Op, node: Node, out: Emitter) -> None:
    """(eˣ ∓ e⁻ˣ) / 2"""
    (x,) = node.inputs
    grows, falls = out.emit("EXP", x), out.emit("EXP", out.emit("NEG", x))
    if isinstance(op, ops.Sinh):
        both = out.emit("SUB", grows, falls, options=SubOptions())
    else:
        both = add(out, grows, falls)
    multiply(out, both, out.number(0.5, x), node.output)


@rules(ops.Expm1)
def _expm1(_op: ops.Op, node: Node, out: Emitter) -> None:
    """Write ELU, which equals expm1 for x < 0, plus eˣ - 1 of max(x, 0)."""
    (x,) = node.inputs
    below = out.emit("ELU", out.emit("MINIMUM", x, out.number(0.0, x)))
    above = add(out, out.emit("EXP", out.emit("RELU", x)), out.number(-1.0, x))
    add(out, below, above, node.output)


@rules(ops.Elu, ops.Selu)
def _elu(op: ops.Elu | ops.Selu, node: Node, out: Emitter) -> None:
    """Write ELU for alpha = 1; otherwise max(scale · x, 0) + scale · alpha · elu(min(x, 0))."""
    (x,) = node.inputs
    scale = op.scale if isinstance(op, ops.Selu) else 1.0
    if op.alpha * scale == 1:
        out.emit("ELU", x, into=node.output)
        return
    below = out.emit("ELU", out.emit("MINIMUM", x, out.number(0.0, x)))
    curve = multiply(out, below, out.number(op.alpha * scale, x))
    line = x if scale == 1 else multiply(out, x, out.number(scale, x))
    add(out, out.emit("RELU", line), curve, node.output)


@rules(ops.LeakyRelu)
def _leaky_relu(op: ops.LeakyRelu, node: Node, out: Emitter) -> None:
    options = LeakyReluOptions(op.negative_slope)
    out.emit("LEAKY_RELU", *node.inputs, options=options, into=node.output)


@rules(ops.HardSigmoid)
def _hard_sigmoid(op: ops.HardSigmoid, node: Node, out: Emitter) -> None:
    """Write relu6(6·alpha·x + 6·beta) / 6; with Keras' alpha of 1/6 the first product is
    omitted."""
    (x,) = node.inputs
    if not math.isclose(op.alpha * 6, 1):
        x = multiply(out, x, out.number(op.alpha * 6, x))
    sixfold = out.emit("RELU6", add(out, x, out.number(op.beta * 6, x)))
    multiply(out, sixfold, out.number(1 / 6, x), node.output)


@rules(ops.Gelu)
def _gelu(op: ops.Gelu, node: Node, out: Emitter) -> None:
    options = GeluOptions(approximate=op.approximate)
    out.emit("GELU", *node.inputs, options=options, into=node.output)


_CLIPS: Mapping[tuple[float | None, float | None], str] = {
    (0.0, None): "RELU",
    (0.0, 6.0): "RELU6",
    (0.0, 1.0): "RELU_0_TO_1",
    (-1.0, 1.0): "RELU_N1_TO_1",
}


@rules(ops.Clip)
def _clip(op: ops.Clip, node: Node, out: Emitter) -> None:
    (x,) = node.inputs
    code = _CLIPS.get((op.minimum, op.maximum))
    if code is not None and x.dtype.is_float:
        out.emit(code, x, into=node.output)
        return
    bounds = [
        (code, bound)
        for code, bound in (("MAXIMUM", op.minimum), ("MINIMUM", op.maximum))
        if bound is not None
    ]
    for code, bound in bounds:
        into = node.output if (code, bound) == bounds[-1] else None
        x = out.emit(code, x, out.number(bound, x), into=into)
    if not bounds:
        reshape(out, x, x.shape, node.output)


def _like(out: Emitter, x: Value, number: float) -> Value:
    """Return a constant with the shape of ``x``, for operators that do not broadcast."""
    return out.constant(np.full(tuple(map(int, x.shape)), number, x.dtype.numpy))
