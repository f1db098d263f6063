"""Decomposition of operations into simpler ones, for formats that lack them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Graph, Node, Value
from kspec.compiler.passes import Pass
from kspec.compiler.passes.rewrite import Rewrite, RewriteRule, rewrite
from kspec.compiler.table import Table

DECOMPOSITIONS: Table[RewriteRule] = Table("decompose")
"""The decomposition of each operation. Its nodes may need decomposition in turn."""


def decompose(*classes: type[ops.Op]) -> Pass:
    """Return a pass that decomposes these operations until none is left."""
    chosen: Table[RewriteRule] = Table(
        "decompose", {each: DECOMPOSITIONS[each] for each in classes}
    )

    def run(graph: Graph) -> Graph:
        while any(type(node.op) in chosen for node in graph.nodes):
            graph = rewrite(graph, chosen)
        return graph

    return run


_ACTIVATIONS: Mapping[str, ops.Op] = {"relu": ops.Relu(), "relu6": ops.Clip(0.0, 6.0)}


def _number(graph: Rewrite, node: Node, number: float) -> Value:
    """Add a scalar constant in the element type of the node."""
    return graph.constant(f"{node.name}/{number:.6g}", node.inputs[0].dtype.numpy.type(number))


def _scalar(node: Node, graph: Rewrite, op: ops.Op, x: Value, number: float, part: str) -> Value:
    return graph.step(node, op, x, _number(graph, node, number), part=part)


@DECOMPOSITIONS(ops.Square)
def square(node: Node, graph: Rewrite) -> Value:
    (x,) = node.inputs
    return graph.result(node, ops.Multiply(), x, x)


@DECOMPOSITIONS(ops.Reciprocal)
def reciprocal(node: Node, graph: Rewrite) -> Value:
    return graph.result(node, ops.Divide(), _number(graph, node, 1), *node.inputs)


@DECOMPOSITIONS(ops.Rsqrt)
def rsqrt(node: Node, graph: Rewrite) -> Value:
    root = graph.step(node, ops.Sqrt(), *node.inputs, part="sqrt")
    return graph.result(node, ops.Divide(), _number(graph, node, 1), root)


@DECOMPOSITIONS(ops.Expm1)
def expm1(node: Node, graph: Rewrite) -> Value:
    """tanh(x/2) · (exp(x) + 1): no cancellation near 0, no overflow for negative x."""
    half = _scalar(node, graph, ops.Multiply(), node.inputs[0], 0.5, "half")
    tanh = graph.step(node, ops.Tanh(), half, part="tanh")
    exp = graph.step(node, ops.Exp(), node.inputs[0], part="exp")
    more = _scalar(node, graph, ops.Add(), exp, 1, "more")
    return graph.result(node, ops.Multiply(), tanh, more)


@DECOMPOSITIONS(ops.Log1p)
def log1p(node: Node, graph: Rewrite) -> Value:
    more = _scalar(node, graph, ops.Add(), node.inputs[0], 1, "more")
    return graph.result(node, ops.Log(), more)


@DECOMPOSITIONS(ops.Tan)
def tan(node: Node, graph: Rewrite) -> Value:
    sin = graph.step(node, ops.Sin(), *node.inputs, part="sin")
    cos = graph.step(node, ops.Cos(), *node.inputs, part="cos")
    return graph.result(node, ops.Divide(), sin, cos)


@DECOMPOSITIONS(ops.Silu)
def silu(node: Node, graph: Rewrite) -> Value:
    (x,) = node.inputs
    gate = graph.step(node, ops.Sigmoid(), x, part="sigmoid")
    return graph.result(node, ops.Multiply(), x, gate)


@DECOMPOSITIONS(ops.Softplus)
def softplus(node: Node, graph: Rewrite) -> Value:
    """max(x, 0) + log(1 + exp(-|x|)), which does not overflow."""
    (x,) = node.inputs
    size = graph.step(node, ops.Abs(), x, part="abs")
    minus = graph.step(node, ops.Negative(), size, part="negative")
    exp = graph.step(node, ops.Exp(), minus, part="exp")
    log = graph.step(node, ops.Log1p(), exp, part="log1p")
    relu = graph.step(node, ops.Relu(), x, part="relu")
    return graph.result(node, ops.Add(), relu, log)


@DECOMPOSITIONS(ops.Softsign)
def softsign(node: Node, graph: Rewrite) -> Value:
    (x,) = node.inputs
    size = graph.step(node, ops.Abs(), x, part="abs")
    more = _scalar(node, graph, ops.Add(), size, 1, "more")
    return graph.result(node, ops.Divide(), x, more)


@DECOMPOSITIONS(ops.Mish)
def mish(node: Node, graph: Rewrite) -> Value:
    (x,) = node.inputs
    plus = graph.step(node, ops.Softplus(), x, part="softplus")
    gate = graph.step(node, ops.Tanh(), plus, part="tanh")
    return graph.result(node, ops.Multiply(), x, gate)


@DECOMPOSITIONS(ops.HardSigmoid)
def hard_sigmoid(node: Node, graph: Rewrite) -> Value:
    op = node.op
    assert isinstance(op, ops.HardSigmoid)
    scaled = _scalar(node, graph, ops.Multiply(), node.inputs[0], op.alpha, "scaled")
    shifted = _scalar(node, graph, ops.Add(), scaled, op.beta, "shifted")
    return graph.result(node, ops.Clip(0.0, 1.0), shifted)


@DECOMPOSITIONS(ops.HardSwish)
def hard_swish(node: Node, graph: Rewrite) -> Value:
    (x,) = node.inputs
    gate = graph.step(node, ops.HardSigmoid(), x, part="hard_sigmoid")
    return graph.result(node, ops.Multiply(), x, gate)


@DECOMPOSITIONS(ops.Elu, ops.Selu)
def elu(node: Node, graph: Rewrite) -> Value:
    """scale · (max(x, 0) + alpha · (exp(min(x, 0)) - 1))"""
    (x,), op = node.inputs, node.op
    assert isinstance(op, ops.Elu | ops.Selu)
    negative = graph.step(node, ops.Clip(maximum=0.0), x, part="negative")
    curve = graph.step(node, ops.Expm1(), negative, part="expm1")
    curve = _scalar(node, graph, ops.Multiply(), curve, op.alpha, "alpha")
    relu = graph.step(node, ops.Relu(), x, part="relu")
    if isinstance(op, ops.Elu):
        return graph.result(node, ops.Add(), relu, curve)
    both = graph.step(node, ops.Add(), relu, curve, part="sum")
    return graph.result(node, ops.Multiply(), both, _number(graph, node, op.scale))


@DECOMPOSITIONS(ops.LeakyRelu)
def leaky_relu(node: Node, graph: Rewrite) -> Value:
    (x,), op = node.inputs, node.op
    assert isinstance(op, ops.LeakyRelu)
    negative = graph.step(node, ops.Clip(maximum=0.0), x, part="negative")
    scaled = _scalar(node, graph, ops.Multiply(), negative, op.negative_slope, "scaled")
    relu = graph.step(node, ops.Relu(), x, part="relu")
    return graph.result(node, ops.Add(), relu, scaled)


@DECOMPOSITIONS(ops.Gelu)
def gelu(node: Node, graph: Rewrite) -> Value:
    """x/2 · (1 + erf(x/√2)), or x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))"""
    (x,), op = node.inputs, node.op
    assert isinstance(op, ops.Gelu)
    half = _scalar(node, graph, ops.Multiply(), x, 0.5, "half")
    if op.approximate:
        cube = graph.step(node, ops.Square(), x, part="square")
        cube = _scalar(node, graph, ops.Multiply(), cube, 0.044715, "scaled")
        more = _scalar(node, graph, ops.Add(), cube, 1, "more")
        inner = graph.step(node, ops.Multiply(), x, more, part="inner")
        inner = _scalar(node, graph, ops.Multiply(), inner, math.sqrt(2 / math.pi), "argument")
        curve = graph.step(node, ops.Tanh(), inner, part="tanh")
    else:
        inner = _scalar(node, graph, ops.Multiply(), x, math.sqrt(0.5), "argument")
        curve = graph.step(node, ops.Erf(), inner, part="erf")
    gate = _scalar(node, graph, ops.Add(), curve, 1, "gate")
    return graph.result(node, ops.Multiply(), half, gate)


@DECOMPOSITIONS(ops.Remainder)
def remainder(node: Node, graph: Rewrite) -> Value:
    x, y = node.inputs
    quotient = graph.step(node, ops.FloorDivide(), x, y, part="quotient")
    product = graph.step(node, ops.Multiply(), quotient, y, part="product")
    return graph.result(node, ops.Subtract(), x, product)


@DECOMPOSITIONS(ops.LogSoftmax)
def log_softmax(node: Node, graph: Rewrite) -> Value:
    """x - max - log Σ exp(x - max)"""
    (x,), op = node.inputs, node.op
    assert isinstance(op, ops.LogSoftmax)
    axes = (op.axis % x.type.rank,)
    top = graph.step(node, ops.Max(axes, keepdims=True), x, part="max")
    shifted = graph.step(node, ops.Subtract(), x, top, part="shifted")
    exp = graph.step(node, ops.Exp(), shifted, part="exp")
    total = graph.step(node, ops.Sum(axes, keepdims=True), exp, part="sum")
    log = graph.step(node, ops.Log(), total, part="log")
    return graph.result(node, ops.Subtract(), shifted, log)


@DECOMPOSITIONS(ops.LayerNorm)
def layer_norm(node: Node, graph: Rewrite) -> Value:
    (x, scale, offset), op = node.inputs, node.op
    assert isinstance(op, ops.LayerNorm)
    axes = (x.type.rank - 1,)
    mean = graph.step(node, ops.Mean(axes, keepdims=True), x, part="mean")
    centred = graph.step(node, ops.Subtract(), x, mean, part="centred")
    square_ = graph.step(node, ops.Square(), centred, part="square")
    variance = graph.step(node, ops.Mean(axes, keepdims=True), square_, part="variance")
    safe = _scalar(node, graph, ops.Add(), variance, op.epsilon, "safe")
    deviation = graph.step(node, ops.Rsqrt(), safe, part="rsqrt")
    normal = graph.step(node, ops.Multiply(), centred, deviation, part="normal")
    scaled = graph.step(node, ops.Multiply(), normal, scale, part="scaled")
    return graph.result(node, ops.Add(), scaled, offset)


@DECOMPOSITIONS(ops.Linear)
def linear(node: Node, graph: Rewrite) -> Value:
    (x, kernel, *bias), op = node.inputs, node.op
    assert isinstance(op, ops.Linear)
    chain: list[tuple[ops.Op, tuple[Value, ...]]] = [(ops.MatMul(), (kernel,))]
    if bias:
        chain.append((ops.Add(), tuple(bias)))
    if op.activation != "linear":
        chain.append((_ACTIVATIONS[op.activation], ()))
    for each, more in chain[:-1]:
        x = graph.step(node, each, x, *more, part=type(each).__name__.lower())
    last, more = chain[-1]
    return graph.result(node, last, x, *more)


@DECOMPOSITIONS(ops.Repeat)
def repeat(node: Node, graph: Rewrite) -> Value:
    """Gather each index ``times`` times; along a symbolic axis, concatenate on a new axis after
    it, because its indices are unknown."""
    op, (x,) = node.op, node.inputs
    assert isinstance(op, ops.Repeat)
    axis = op.axis % x.type.rank
    size = x.shape[axis]
    if isinstance(size, int):
        indices = np.repeat(np.arange(size, dtype=np.int32), op.times)
        places = graph.constant(f"{node.name}/indices", indices)
        return graph.result(node, ops.Gather(axis), x, places)
    wide = ops.Reshape((*x.shape[: axis + 1], 1, *x.shape[axis + 1 :]))
    x = graph.step(node, wide, x, part="widened")
    x = graph.step(node, ops.Concat(axis + 1), *[x] * op.times, part="repeated")
    return graph.result(node, ops.Reshape(node.output.shape), x)


@DECOMPOSITIONS(ops.Tile)
def tile(node: Node, graph: Rewrite) -> Value:
    """Concatenate the input with itself along each axis."""
    op, (x,) = node.op, node.inputs
    assert isinstance(op, ops.Tile)
    axes = [axis for axis, times in enumerate(op.repeats) if times > 1]
    if not axes:
        return x
    for axis in axes[:-1]:
        x = graph.step(node, ops.Concat(axis), *[x] * op.repeats[axis], part=f"axis{axis}")
    last = axes[-1]
    return graph.result(node, ops.Concat(last), *[x] * op.repeats[last])
