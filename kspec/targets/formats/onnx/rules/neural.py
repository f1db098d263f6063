"""Operations of neural networks: convolutions, pooling, normalisation, products."""

from __future__ import annotations

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Value
from kspec.compiler.table import Table
from kspec.targets.formats.onnx.emission import Attribute, Emission, Operand, Rule

rules: Table[Rule] = Table("onnx")

POOLS: dict[type[ops.Op], str] = {ops.MaxPool: "MaxPool", ops.AveragePool: "AveragePool"}


@rules(ops.Conv)
def conv(op: ops.Conv, emit: Emission, x: Value, kernel: Value, *bias: Value) -> None:
    attributes = window(op, op.window(kernel.shape))
    attributes |= {"dilations": op.dilations, "group": op.groups}
    with_activation(op, emit, "Conv", x, kernel, *bias, **attributes)


@rules(ops.ConvTranspose)
def conv_transpose(
    op: ops.ConvTranspose, emit: Emission, x: Value, kernel: Value, *bias: Value
) -> None:
    attributes = window(op, op.window(kernel.shape))
    attributes |= {"dilations": op.dilations, "output_padding": op.output_padding}
    emit.result("ConvTranspose", x, kernel, *bias, **attributes)


@rules(*POOLS)
def pool(op: ops.Pooling, emit: Emission, x: Value) -> None:
    emit.result(POOLS[type(op)], x, **window(op, op.window))


@rules(ops.BatchNorm)
def batch_norm(op: ops.BatchNorm, emit: Emission, x: Value, *statistics: Value) -> None:
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
def layer_norm(op: ops.LayerNorm, emit: Emission, x: Value, scale: Value, offset: Value) -> None:
    emit.result("LayerNormalization", x, scale, offset, axis=-1, epsilon=op.epsilon)


@rules(ops.Softmax)
def softmax(op: ops.Softmax, emit: Emission, x: Value) -> None:
    emit.result("Softmax", x, axis=op.axis)


@rules(ops.LogSoftmax)
def log_softmax(op: ops.LogSoftmax, emit: Emission, x: Value) -> None:
    emit.result("LogSoftmax", x, axis=op.axis)


@rules(ops.MatMul)
def matmul(_op: ops.MatMul, emit: Emission, x: Value, y: Value) -> None:
    emit.result("MatMul", x, y)


@rules(ops.Linear)
def linear(op: ops.Linear, emit: Emission, x: Value, kernel: Value, *bias: Value) -> None:
    if x.type.rank == 2 and x.dtype.is_float:
        with_activation(op, emit, "Gemm", x, kernel, *bias)
    elif bias:
        with_activation(op, emit, "Add", emit("MatMul", x, kernel), *bias)
    else:
        with_activation(op, emit, "MatMul", x, kernel)


@rules(ops.Einsum)
def einsum(op: ops.Einsum, emit: Emission, *inputs: Value) -> None:
    emit.result("Einsum", *inputs, equation=op.equation)


def window(op: ops.Windowed, size: tuple[int, ...]) -> dict[str, Attribute]:
    """The attributes of everything that slides; pads are all befores, then all afters, or what
    the runtime finds for TensorFlow's SAME."""
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
    """The operator as the result, with the activation that the op carries after it."""
    if op.activation == "linear":
        emit.result(operator, *inputs, **attributes)
    elif op.activation == "relu":
        emit.result("Relu", emit(operator, *inputs, **attributes))
    else:
        zero, six = np.array(0, np.float32), np.array(6, np.float32)
        emit.result("Clip", emit(operator, *inputs, **attributes), zero, six)
