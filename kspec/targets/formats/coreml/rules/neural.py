"""Neural network operations. Convolutions and pooling have channels first."""

from __future__ import annotations

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Node
from kspec.compiler.table import Table
from kspec.targets.formats.coreml.emission import Emission, Rule, Var

RULES: Table[Rule] = Table("coreml")

_ACTIVATIONS = {"relu": "relu", "relu6": "relu6"}


def _activated(node: Node, emit: Emission, activation: str, kind: str, **parameters: object) -> Var:
    """Write the operation under the node's name, or under an inner name if an activation
    follows."""
    if activation == "linear":
        return emit(kind, node.name, **parameters)
    inner = emit(kind, f"{node.name}/linear", **parameters)
    return emit(_ACTIVATIONS[activation], node.name, x=inner)


@RULES(ops.Conv)
def conv(op: ops.Conv, node: Node, emit: Emission) -> Var:
    parameters = {
        "x": emit[node.inputs[0]],
        "weight": emit[node.inputs[1]],
        "strides": op.strides,
        **_padding(op),
        "dilations": op.dilations,
        "groups": op.groups,
    }
    if len(node.inputs) == 3:
        parameters["bias"] = emit[node.inputs[2]]
    return _activated(node, emit, op.activation, "conv", **parameters)


@RULES(ops.ConvTranspose)
def conv_transpose(op: ops.ConvTranspose, node: Node, emit: Emission) -> Var:
    """Write a transposed convolution. `output_padding` reduces the cropping at the end; positions
    beyond the full result are zeros."""
    cuts = [
        (low, high - extra)
        for (low, high), extra in zip(op.padding, op.output_padding, strict=True)
    ]
    missing = [max(-high, 0) for _, high in cuts]
    parameters = {
        "x": emit[node.inputs[0]],
        "weight": emit[node.inputs[1]],
        "strides": op.strides,
        "pad_type": "custom",
        "pad": _flat([(low, max(high, 0)) for low, high in cuts]),
        "dilations": op.dilations,
        "groups": 1,
    }
    bias = node.inputs[2] if len(node.inputs) == 3 else None
    if not any(missing):
        if bias is not None:
            parameters["bias"] = emit[bias]
        return emit("conv_transpose", node.name, **parameters)
    full = emit("conv_transpose", f"{node.name}/full", **parameters)
    name = node.name if bias is None else f"{node.name}/padded"
    pads = _flat([(0, 0), (0, 0), *((0, each) for each in missing)])
    padded = emit("pad", name, x=full, pad=pads, mode="constant", constant_val=emit.scalar(0))
    if bias is None:
        return padded
    column = emit.graph.constants[bias.name].reshape(-1, *[1] * len(missing))
    return emit("add", node.name, x=padded, y=emit.constant(f"{node.name}/bias", column))


@RULES(ops.MaxPool)
def max_pool(_op: ops.MaxPool, node: Node, emit: Emission) -> Var:
    return emit("max_pool", node.name, **_pooling(node, emit))


@RULES(ops.AveragePool)
def average_pool(_op: ops.AveragePool, node: Node, emit: Emission) -> Var:
    parameters = _pooling(node, emit)
    return emit("avg_pool", node.name, exclude_padding_from_average=True, **parameters)


def _pooling(node: Node, emit: Emission) -> dict[str, object]:
    assert isinstance(node.op, ops.Pooling)
    return {
        "x": emit[node.inputs[0]],
        "kernel_sizes": node.op.window,
        "strides": node.op.strides,
        **_padding(node.op),
        "ceil_mode": False,
    }


@RULES(ops.BatchNorm)
def batch_norm(op: ops.BatchNorm, node: Node, emit: Emission) -> Var:
    """Write one product and one sum, with statistics folded in float64. MIL's `batch_norm`
    requires channels on axis 1 and a rank of at least 3."""
    arrays = (emit.graph.constants[value.name] for value in node.inputs[1:])
    scale, offset, mean, variance = (array.astype(np.float64) for array in arrays)
    factor = scale / np.sqrt(variance + op.epsilon)
    trailing = node.output.type.rank - 1 - op.axis % node.output.type.rank
    shape = (-1, *[1] * trailing)
    y = emit.constant(f"{node.name}/factor", factor.astype(np.float32).reshape(shape))
    shift = (offset - mean * factor).astype(np.float32).reshape(shape)
    product = emit("mul", f"{node.name}/product", x=emit[node.inputs[0]], y=y)
    return emit("add", node.name, x=product, y=emit.constant(f"{node.name}/shift", shift))


@RULES(ops.LayerNorm)
def layer_norm(op: ops.LayerNorm, node: Node, emit: Emission) -> Var:
    x, gamma, beta = (emit[value] for value in node.inputs)
    epsilon = emit.scalar(op.epsilon)
    return emit("layer_norm", node.name, x=x, axes=[-1], gamma=gamma, beta=beta, epsilon=epsilon)


@RULES(ops.Softmax)
def softmax(op: ops.Softmax, node: Node, emit: Emission) -> Var:
    return emit("softmax", node.name, x=emit[node.inputs[0]], axis=op.axis)


@RULES(ops.LogSoftmax)
def log_softmax(op: ops.LogSoftmax, node: Node, emit: Emission) -> Var:
    name, axes = node.name, [op.axis]
    x = emit[node.inputs[0]]
    top = emit("reduce_max", f"{name}/top", x=x, axes=axes, keep_dims=True)
    below = emit("sub", f"{name}/below", x=x, y=top)
    powers = emit("exp", f"{name}/exp", x=below)
    total = emit("reduce_sum", f"{name}/total", x=powers, axes=axes, keep_dims=True)
    log = emit("log", f"{name}/log", x=total, epsilon=emit.scalar(0))
    return emit("sub", name, x=below, y=log)


@RULES(ops.MatMul)
def matmul(_op: ops.MatMul, node: Node, emit: Emission) -> Var:
    x, y = (emit[value] for value in node.inputs)
    return emit("matmul", node.name, x=x, y=y, transpose_x=False, transpose_y=False)


@RULES(ops.Linear)
def linear(op: ops.Linear, node: Node, emit: Emission) -> Var:
    """Write `linear`, which takes a constant kernel (units, inputs) and tensors up to rank 3."""
    x, kernel = node.inputs[:2]
    array = emit.graph.constant(kernel)
    if array is None or x.type.rank > 3:
        return _product(node, emit, op.activation)
    weight = emit.constant(f"{kernel.name}/{node.name}", array.T)
    parameters = {"x": emit[x], "weight": weight}
    if len(node.inputs) == 3:
        parameters["bias"] = emit[node.inputs[2]]
    return _activated(node, emit, op.activation, "linear", **parameters)


def _product(node: Node, emit: Emission, activation: str) -> Var:
    x, y = emit[node.inputs[0]], emit[node.inputs[1]]
    product = {"x": x, "y": y, "transpose_x": False, "transpose_y": False}
    if len(node.inputs) == 2:
        return _activated(node, emit, activation, "matmul", **product)
    inner = emit("matmul", f"{node.name}/product", **product)
    return _activated(node, emit, activation, "add", x=inner, y=emit[node.inputs[2]])


@RULES(ops.Resize)
def resize(op: ops.Resize, node: Node, emit: Emission) -> Var:
    """Write a resize. `resize_bilinear` calls half-pixel centres UNALIGN_CORNERS. MIL does not
    specify the rounding of nearest neighbours for fractional factors: pixels are gathered then."""
    x, (value,) = emit[node.inputs[0]], node.inputs
    if op.interpolation == "bilinear":
        height, width = _plane(op.size, value.shape[1])
        sizes = {"target_size_height": height, "target_size_width": width}
        return emit("resize_bilinear", node.name, x=x, sampling_mode="UNALIGN_CORNERS", **sizes)
    before = [int(dim) for dim in value.shape[2:]]
    if len(before) <= 2 and all(n % m == 0 for n, m in zip(op.size, before, strict=True)):
        height, width = _plane([n // m for n, m in zip(op.size, before, strict=True)], 1)
        factors = {"scale_factor_height": height, "scale_factor_width": width}
        return emit("upsample_nearest_neighbor", node.name, x=x, **factors)
    for axis, (n, m) in enumerate(zip(op.size, before, strict=True), 2):
        name = node.name if axis == value.type.rank - 1 else f"{node.name}/{axis}"
        picked = np.minimum((2 * np.arange(n) + 1) * m // (2 * n), m - 1).astype(np.int32)
        x = emit("gather", name, x=x, indices=picked, axis=axis)
    return x


def _plane(sizes: tuple[int, ...] | list[int], above: object) -> tuple[int, int]:
    """Return height and width for MIL, which resizes the last two axes; for one axis, ``above`` is
    the height."""
    height, width = (above, *sizes)[-2:]
    assert isinstance(height, int)
    assert isinstance(width, int)
    return height, width


def _padding(op: ops.Windowed) -> dict[str, object]:
    """Return the padding parameters. MIL's `same`, like TensorFlow's, adds the odd element
    after."""
    if op.padding == "same":
        return {"pad_type": "same"}
    return {"pad_type": "custom", "pad": _flat(op.padding)}


def _flat(pairs: object) -> list[int]:
    return [each for pair in pairs for each in pair]  # type: ignore[attr-defined]
