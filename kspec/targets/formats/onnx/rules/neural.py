"""Neural network operations: convolutions, pooling, normalisation, products."""

from __future__ import annotations

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Node
from kspec.compiler.table import Table
from kspec.targets.formats.onnx.emission import Attribute, Emission, Operand, Rule

rules: Table[Rule] = Table("onnx")

POOLS: dict[type[ops.Op], str] = {ops.MaxPool: "MaxPool", ops.AveragePool: "AveragePool"}


@rules(ops.Conv)
def conv(op: ops.Conv, node: Node, emit: Emission) -> None:
    x, kernel, *bias = node.inputs
    attributes = window(op, op.window(kernel.shape))
    attributes |= {"dilations": op.dilations, "group": op.groups}
    with_activation(op, emit, "Conv", x, kernel, *bias, **attributes)


@rules(ops.ConvTranspose)
def conv_transpose(op: ops.ConvTranspose, node: Node, emit: Emission) -> None:
    x, kernel, *bias = node.inputs
    attributes = window(op, op.window(kernel.shape))
    attributes |= {"dilations": op.dilations, "output_padding": op.output_padding}
    emit.result("ConvTranspose", x, kernel, *bias, **attributes)


@rules(*POOLS)
def pool(op: ops.Pooling, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    emit.result(POOLS[type(op)], x, **window(op, op.window))


@rules(ops.BatchNorm)
def batch_norm(op: ops.BatchNorm, node: Node, emit: Emission) -> None:
    x, *statistics = node.inputs
    if op.axis == 1:
        emit.result("BatchNormalization", x, *statistics, epsilon=op.epsilon)
        return
    scale, offset, mean, variance = statistics
    epsilon = np.array(op.epsilon, x.dtype.numpy)
    factor = emit("Div", scale, emit("Sqrt", emit("Add", variance, epsilon)))
    axes = np.arange(1, x.type.rank - op.axis)
    mean_, factor_, offset_ = (emit("Unsqueeze", each, axes) for each in (mean, factor, offset))
    emit.result("Add", emit("Mul", emit("Sub", x, mean_), factor_), offset_)


@rules(ops.LayerNorm)
def layer_norm(op: ops.LayerNorm, node: Node, emit: Emission) -> None:
    x, scale, offset = node.inputs
    emit.result("LayerNormalization", x, scale, offset, axis=-1, epsilon=op.epsilon)


@rules(ops.Softmax)
def softmax(op: ops.Softmax, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    emit.result("Softmax", x, axis=op.axis)


@rules(ops.LogSoftmax)
def log_softmax(op: ops.LogSoftmax, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    emit.result("LogSoftmax", x, axis=op.axis)


@rules(ops.MatMul)
def matmul(_op: ops.MatMul, node: Node, emit: Emission) -> None:
    x, y = node.inputs
    emit.result("MatMul", x, y)


@rules(ops.Linear)
def linear(op: ops.Linear, node: Node, emit: Emission) -> None:
    x, kernel, *bias = node.inputs
    if x.type.rank == 2 and x.dtype.is_float:
        with_activation(op, emit, "Gemm", x, kernel, *bias)
    elif bias:
        with_activation(op, emit, "Add", emit("MatMul", x, kernel), *bias)
    else:
        with_activation(op, emit, "MatMul", x, kernel)


def window(op: ops.Windowed, size: tuple[int, ...]) -> dict[str, Attribute]:
    """Return the attributes of convolutions and pooling. Pads are all leading, then all trailing
    amounts; for TensorFlow's SAME the runtime computes them."""
    if op.channels != "first":
        raise ValueError(f"{op}: ONNX wants channels first, the pass channels_first has not run")
    if op.padding == "same":
        return {"kernel_shape": size, "strides": op.strides, "auto_pad": "SAME_UPPER"}
    before, after = zip(*op.padding, strict=True)
    return {"kernel_shape": size, "strides": op.strides, "pads": (*before, *after)}


def with_activation(
    op: ops.Conv | ops.Linear,
    emit: Emission,
    operator: str,
    *inputs: Operand,
    **attributes: Attribute,
) -> None:
    """Write the operator as the result, followed by the op's activation."""
    if op.activation == "linear":
        emit.result(operator, *inputs, **attributes)
    elif op.activation == "relu":
        emit.result("Relu", emit(operator, *inputs, **attributes))
    else:
        zero, six = np.array(0, np.float32), np.array(6, np.float32)
        emit.result("Clip", emit(operator, *inputs, **attributes), zero, six)
