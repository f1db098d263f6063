"""Elementwise operations."""

from __future__ import annotations

from kspec.compiler import ops
from kspec.compiler.ir import DType, Node
from kspec.compiler.table import Table
from kspec.targets.formats.coreml.emission import Emission, Rule, Var

RULES: Table[Rule] = Table("coreml")

_UNARY: dict[type[ops.Op], str] = {
    ops.Identity: "identity",
    ops.Abs: "abs",
    ops.Sign: "sign",
    ops.Floor: "floor",
    ops.Ceil: "ceil",
    ops.Round: "round",
    ops.Exp: "exp",
    ops.Sqrt: "sqrt",
    ops.Sin: "sin",
    ops.Cos: "cos",
    ops.Tan: "tan",
    ops.Asin: "asin",
    ops.Acos: "acos",
    ops.Atan: "atan",
    ops.Sinh: "sinh",
    ops.Cosh: "cosh",
    ops.Tanh: "tanh",
    ops.Erf: "erf",
    ops.LogicalNot: "logical_not",
    ops.Sigmoid: "sigmoid",
    ops.Silu: "silu",
    ops.Softplus: "softplus",
    ops.Softsign: "softsign",
}

_BINARY: dict[type[ops.Op], str] = {
    ops.Add: "add",
    ops.Subtract: "sub",
    ops.Multiply: "mul",
    ops.Divide: "real_div",
    ops.FloorDivide: "floor_div",
    ops.Remainder: "mod",
    ops.Pow: "pow",
    ops.Maximum: "maximum",
    ops.Minimum: "minimum",
    ops.LogicalAnd: "logical_and",
    ops.LogicalOr: "logical_or",
    ops.LogicalXor: "logical_xor",
}

_COMPARISONS: dict[type[ops.Op], str] = {
    ops.Equal: "equal",
    ops.NotEqual: "not_equal",
    ops.Less: "less",
    ops.LessEqual: "less_equal",
    ops.Greater: "greater",
    ops.GreaterEqual: "greater_equal",
}


@RULES(*_UNARY)
def unary(op: ops.Op, node: Node, emit: Emission) -> Var:
    return emit(_UNARY[type(op)], node.name, x=emit[node.inputs[0]])


@RULES(*_BINARY)
def binary(op: ops.Op, node: Node, emit: Emission) -> Var:
    x, y = node.inputs
    return emit(_BINARY[type(op)], node.name, x=emit[x], y=emit[y])


@RULES(*_COMPARISONS)
def comparison(op: ops.Op, node: Node, emit: Emission) -> Var:
    """Write a comparison. MIL compares numbers only, so booleans are cast to 0 and 1."""
    x, y = (emit[each] for each in node.inputs)
    if node.inputs[0].dtype is DType.boolean:
        x = emit.cast(x, DType.int32, f"{node.name}/x")
        y = emit.cast(y, DType.int32, f"{node.name}/y")
    return emit(_COMPARISONS[type(op)], node.name, x=x, y=y)


@RULES(ops.Cast)
def cast(_op: ops.Cast, node: Node, emit: Emission) -> Var:
    (x,) = node.inputs
    if emit.computed_as(x.dtype) is emit.computed_as(node.output.dtype):
        return emit("identity", node.name, x=emit[x])
    return emit.cast(emit[x], node.output.dtype, node.name)


@RULES(ops.Negative)
def negative(_op: ops.Negative, node: Node, emit: Emission) -> Var:
    (x,) = node.inputs
    return emit("mul", node.name, x=emit[x], y=emit.scalar(-1, x.dtype))


@RULES(ops.Square)
def square(_op: ops.Square, node: Node, emit: Emission) -> Var:
    x = emit[node.inputs[0]]
    return emit("mul", node.name, x=x, y=x)


@RULES(ops.Reciprocal)
def reciprocal(_op: ops.Reciprocal, node: Node, emit: Emission) -> Var:
    """Write a division: MIL's `inverse` adds an epsilon to x."""
    return emit("real_div", node.name, x=emit.scalar(1), y=emit[node.inputs[0]])


@RULES(ops.Rsqrt)
def rsqrt(_op: ops.Rsqrt, node: Node, emit: Emission) -> Var:
    root = emit("sqrt", f"{node.name}/root", x=emit[node.inputs[0]])
    return emit("real_div", node.name, x=emit.scalar(1), y=root)


@RULES(ops.Log)
def log(_op: ops.Log, node: Node, emit: Emission) -> Var:
    return emit("log", node.name, x=emit[node.inputs[0]], epsilon=emit.scalar(0))


@RULES(ops.Log1p)
def log1p(_op: ops.Log1p, node: Node, emit: Emission) -> Var:
    return emit("log", node.name, x=emit[node.inputs[0]], epsilon=emit.scalar(1))


@RULES(ops.Expm1)
def expm1(_op: ops.Expm1, node: Node, emit: Emission) -> Var:
    power = emit("exp", f"{node.name}/exp", x=emit[node.inputs[0]])
    return emit("sub", node.name, x=power, y=emit.scalar(1))


@RULES(ops.IsNan)
def is_nan(_op: ops.IsNan, node: Node, emit: Emission) -> Var:
    x = emit[node.inputs[0]]
    return emit("not_equal", node.name, x=x, y=x)


@RULES(ops.Relu)
def relu(_op: ops.Relu, node: Node, emit: Emission) -> Var:
    (x,) = node.inputs
    if x.dtype.is_float:
        return emit("relu", node.name, x=emit[x])
    return emit("maximum", node.name, x=emit[x], y=emit.scalar(0, x.dtype))


@RULES(ops.Clip)
def clip(op: ops.Clip, node: Node, emit: Emission) -> Var:
    """Write `clip`, which takes floats and different bounds only; otherwise minimum and maximum."""
    (x,), low, high = node.inputs, op.minimum, op.maximum
    if low is not None and high is not None and x.dtype.is_float:
        alpha, beta = emit.scalar(low), emit.scalar(high)
        if alpha < beta:
            return emit("clip", node.name, x=emit[x], alpha=alpha, beta=beta)
    bounds = [("maximum", low), ("minimum", high)]
    steps = [(kind, bound) for kind, bound in bounds if bound is not None]
    var = emit[x]
    for kind, bound in steps[:-1]:
        var = emit(kind, f"{node.name}/{kind}", x=var, y=emit.scalar(bound, x.dtype))
    if not steps:
        return emit("identity", node.name, x=var)
    kind, bound = steps[-1]
    return emit(kind, node.name, x=var, y=emit.scalar(bound, x.dtype))


@RULES(ops.Elu)
def elu(op: ops.Elu, node: Node, emit: Emission) -> Var:
    return emit("elu", node.name, x=emit[node.inputs[0]], alpha=emit.scalar(op.alpha))


@RULES(ops.Selu)
def selu(_op: ops.Selu, node: Node, emit: Emission) -> Var:
    x, alpha = emit[node.inputs[0]], emit.scalar(ops.Selu.alpha)
    inner = emit("elu", f"{node.name}/elu", x=x, alpha=alpha)
    return emit("mul", node.name, x=inner, y=emit.scalar(ops.Selu.scale))


@RULES(ops.LeakyRelu)
def leaky_relu(op: ops.LeakyRelu, node: Node, emit: Emission) -> Var:
    slope = emit.scalar(op.negative_slope)
    return emit("leaky_relu", node.name, x=emit[node.inputs[0]], alpha=slope)


@RULES(ops.HardSigmoid)
def hard_sigmoid(op: ops.HardSigmoid, node: Node, emit: Emission) -> Var:
    alpha, beta = emit.scalar(op.alpha), emit.scalar(op.beta)
    return emit("sigmoid_hard", node.name, x=emit[node.inputs[0]], alpha=alpha, beta=beta)


@RULES(ops.HardSwish)
def hard_swish(_op: ops.HardSwish, node: Node, emit: Emission) -> Var:
    x, alpha, beta = emit[node.inputs[0]], emit.scalar(1 / 6), emit.scalar(0.5)
    gate = emit("sigmoid_hard", f"{node.name}/gate", x=x, alpha=alpha, beta=beta)
    return emit("mul", node.name, x=x, y=gate)


@RULES(ops.Mish)
def mish(_op: ops.Mish, node: Node, emit: Emission) -> Var:
    x = emit[node.inputs[0]]
    soft = emit("softplus", f"{node.name}/softplus", x=x)
    return emit("mul", node.name, x=x, y=emit("tanh", f"{node.name}/tanh", x=soft))


@RULES(ops.Gelu)
def gelu(op: ops.Gelu, node: Node, emit: Emission) -> Var:
    mode = "TANH_APPROXIMATION" if op.approximate else "EXACT"
    return emit("gelu", node.name, x=emit[node.inputs[0]], mode=mode)


@RULES(ops.Where)
def where(_op: ops.Where, node: Node, emit: Emission) -> Var:
    """Broadcast x to the full shape first: `select` infers its shape without the condition."""
    condition, x, y = node.inputs
    dtype = DType.int32 if x.dtype is DType.boolean else x.dtype
    a, b = emit[x], emit[y]
    if x.dtype is DType.boolean:
        a, b = emit.cast(a, dtype, f"{node.name}/a"), emit.cast(b, dtype, f"{node.name}/b")
    if ops.Add().infer(x.type, y.type)[0].shape != node.output.shape:
        ones = emit.cast(emit[condition], dtype, f"{node.name}/ones")
        zeros = emit("mul", f"{node.name}/zeros", x=ones, y=emit.scalar(0, dtype))
        a = emit("add", f"{node.name}/full", x=a, y=zeros)
    if x.dtype is not DType.boolean:
        return emit("select", node.name, cond=emit[condition], a=a, b=b)
    picked = emit("select", f"{node.name}/picked", cond=emit[condition], a=a, b=b)
    return emit.cast(picked, DType.boolean, node.name)
