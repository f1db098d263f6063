"""Every operation in TensorFlow, eager and in float64, for comparison with the reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kspec.compiler import ops
from kspec.compiler.ir import Array, DType, Graph, Op, TensorType
from kspec.compiler.ops.neural import same_padding
from kspec.compiler.table import Table

rules: Table[Callable[..., Any]] = Table("referee")


def tolerance(graph: Graph) -> float:
    """Return the tolerance: some TensorFlow functions compute in float32 for any input, or have
    float32 coefficients."""
    narrow = any(
        isinstance(node.op, ops.LeakyRelu | ops.Gelu | ops.Resize)
        or (isinstance(node.op, ops.Pooling) and len(node.op.window) == 3)
        for node in graph.nodes
    )
    return 1e-6 if narrow else 1e-12


def judge(graph: Graph, inputs: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    """Return the outputs expected of ``evaluate`` in float64; ``sizes`` binds symbolic sizes."""
    values = {name: _widen(array) for name, array in (graph.constants | inputs).items()}
    for node in graph.nodes:
        op = node.op
        arguments = [values[value.name] for value in node.inputs]
        if isinstance(op, ops.Reshape | ops.BroadcastTo):
            shape = [sizes.get(str(dim), dim) for dim in op.shape]
            move = tf.reshape if isinstance(op, ops.Reshape) else tf.broadcast_to
            values[node.name] = move(*arguments, shape)
        else:
            values[node.name] = rules[type(op)](op, *arguments)
    return {value.name: values[value.name].numpy() for value in graph.outputs}


def _widen(array: Array) -> Any:
    return tf.constant(array.astype(np.float64) if array.dtype == np.float32 else array)


_FUNCTIONS: Mapping[type, Callable[..., Any]] = {
    ops.Identity: tf.identity,
    ops.Abs: tf.abs,
    ops.Negative: tf.negative,
    ops.Sign: tf.sign,
    ops.Floor: tf.floor,
    ops.Ceil: tf.math.ceil,
    ops.Round: tf.round,
    ops.Exp: tf.exp,
    ops.Expm1: tf.math.expm1,
    ops.Log: tf.math.log,
    ops.Log1p: tf.math.log1p,
    ops.Sqrt: tf.sqrt,
    ops.Rsqrt: tf.math.rsqrt,
    ops.Reciprocal: tf.math.reciprocal,
    ops.Square: tf.square,
    ops.Sin: tf.sin,
    ops.Cos: tf.cos,
    ops.Tan: tf.tan,
    ops.Asin: tf.asin,
    ops.Acos: tf.acos,
    ops.Atan: tf.atan,
    ops.Sinh: tf.sinh,
    ops.Cosh: tf.cosh,
    ops.Tanh: tf.tanh,
    ops.Erf: tf.math.erf,
    ops.LogicalNot: tf.logical_not,
    ops.IsNan: tf.math.is_nan,
    ops.Relu: tf.nn.relu,
    ops.Sigmoid: tf.sigmoid,
    ops.Silu: tf.nn.silu,
    ops.Softplus: tf.math.softplus,
    ops.Softsign: tf.nn.softsign,
    ops.HardSwish: keras.ops.hard_silu,
    ops.Mish: keras.activations.mish,
    ops.Selu: tf.nn.selu,
    ops.Add: tf.add,
    ops.Subtract: tf.subtract,
    ops.Multiply: tf.multiply,
    ops.Divide: tf.divide,
    ops.FloorDivide: tf.math.floordiv,
    ops.Remainder: tf.math.floormod,
    ops.Pow: tf.pow,
    ops.Maximum: tf.maximum,
    ops.Minimum: tf.minimum,
    ops.LogicalAnd: tf.logical_and,
    ops.LogicalOr: tf.logical_or,
    ops.LogicalXor: tf.math.logical_xor,
    ops.Equal: tf.equal,
    ops.NotEqual: tf.not_equal,
    ops.Less: tf.less,
    ops.LessEqual: tf.less_equal,
    ops.Greater: tf.greater,
    ops.GreaterEqual: tf.greater_equal,
    ops.Where: tf.where,
    ops.MatMul: tf.matmul,
}
_BY_FIELDS: Mapping[type, Callable[..., Any]] = {
    ops.Elu: lambda op, x: keras.ops.elu(x, op.alpha),
    ops.LeakyRelu: lambda op, x: tf.nn.leaky_relu(x, op.negative_slope),
    ops.HardSigmoid: lambda op, x: tf.clip_by_value(op.alpha * x + op.beta, 0, 1),
    ops.Gelu: lambda op, x: tf.nn.gelu(x, op.approximate),
    ops.Softmax: lambda op, x: tf.nn.softmax(x, op.axis),
    ops.LogSoftmax: lambda op, x: tf.nn.log_softmax(x, op.axis),
    ops.Sum: lambda op, x: tf.reduce_sum(x, op.axes, op.keepdims),
    ops.Mean: lambda op, x: tf.reduce_mean(x, op.axes, op.keepdims),
    ops.Max: lambda op, x: tf.reduce_max(x, op.axes, op.keepdims),
    ops.Min: lambda op, x: tf.reduce_min(x, op.axes, op.keepdims),
    ops.Prod: lambda op, x: tf.reduce_prod(x, op.axes, op.keepdims),
    ops.All: lambda op, x: tf.reduce_all(x, op.axes, op.keepdims),
    ops.Any: lambda op, x: tf.reduce_any(x, op.axes, op.keepdims),
    ops.ArgMax: lambda op, x: keras.ops.argmax(x, op.axis, op.keepdims),
    ops.ArgMin: lambda op, x: keras.ops.argmin(x, op.axis, op.keepdims),
    ops.CumSum: lambda op, x: tf.cumsum(x, op.axis),
    ops.Transpose: lambda op, x: tf.transpose(x, op.perm),
    ops.Concat: lambda op, *xs: tf.concat(xs, op.axis),
    ops.Tile: lambda op, x: tf.tile(x, op.repeats),
    ops.Repeat: lambda op, x: tf.repeat(x, op.times, op.axis),
    ops.Gather: lambda op, x, indices: tf.gather(x, indices, axis=op.axis),
    ops.Reverse: lambda op, x: tf.reverse(x, op.axes),
    ops.TopK: lambda op, x: tf.math.top_k(x, op.k).values,
    ops.ArgTopK: lambda op, x: tf.math.top_k(x, op.k).indices,
    ops.TakeAlongAxis: lambda op, x, indices: keras.ops.take_along_axis(x, indices, op.axis),
    ops.BatchNorm: lambda op, x, scale, offset, mean, variance: tf.nn.batch_normalization(
        *_channels_to(op.axis, x, mean, variance, offset, scale), op.epsilon
    ),
}


@rules(*_FUNCTIONS)
def function(op: Op, *xs: Any) -> Any:
    return _FUNCTIONS[type(op)](*xs)


@rules(*_BY_FIELDS)
def by_fields(op: Op, *xs: Any) -> Any:
    return _BY_FIELDS[type(op)](op, *xs)


def _channels_to(axis: int, x: Any, *statistics: Any) -> tuple[Any, ...]:
    shape = [1] * len(x.shape)
    shape[axis] = -1
    return (x, *(tf.reshape(each, shape) for each in statistics))


@rules(ops.Cast)
def cast(op: ops.Cast, x: Any) -> Any:
    return tf.cast(x, "float64" if op.dtype is DType.float32 else op.dtype.value)


@rules(ops.Clip)
def clip(op: ops.Clip, x: Any) -> Any:
    low = -np.inf if op.minimum is None else op.minimum
    return tf.clip_by_value(x, low, np.inf if op.maximum is None else op.maximum)


@rules(ops.LayerNorm)
def layer_norm(op: ops.LayerNorm, x: Any, scale: Any, offset: Any) -> Any:
    mean, variance = tf.nn.moments(x, -1, keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, offset, scale, op.epsilon)


@rules(ops.Linear)
def linear(op: ops.Linear, x: Any, kernel: Any, bias: Any = 0.0) -> Any:
    return _activate(op.activation, tf.tensordot(x, kernel, 1) + bias)


@rules(ops.Slice)
def slice_axes(op: ops.Slice, x: Any) -> Any:
    index = [slice(None)] * len(x.shape)
    for axis, *bounds in zip(op.axes, op.starts, op.stops, op.steps, strict=True):
        index[axis] = slice(*bounds)
    return x[tuple(index)]


@rules(ops.Pad)
def pad(op: ops.Pad, x: Any) -> Any:
    if op.mode != "edge":
        value = op.value if op.mode == "constant" else 0
        return tf.pad(x, list(zip(op.low, op.high, strict=True)), op.mode, value)
    for axis, (low, high) in enumerate(zip(op.low, op.high, strict=True)):
        size = x.shape[axis]
        x = tf.gather(x, tf.clip_by_value(tf.range(-low, size + high), 0, size - 1), axis=axis)
    return x


@rules(ops.Conv)
def conv(op: ops.Conv, x: Any, kernel: Any, bias: Any = 0.0) -> Any:
    x, kernel = _last(op, x), _kernel_last(op, kernel)
    op = _explicit(op, x, tuple(kernel.shape[:-2]), op.dilations)
    if op.groups == x.shape[-1] and len(op.strides) == 2 and len(set(op.strides)) == 1:
        shape = (*kernel.shape[:2], op.groups, -1)
        out = tf.nn.depthwise_conv2d(
            tf.pad(x, [(0, 0), *op.padding, (0, 0)]),
            tf.reshape(kernel, shape),
            (1, *op.strides, 1),
            "VALID",
            dilations=op.dilations,
        )
    else:
        pairs = zip(tf.split(x, op.groups, -1), tf.split(kernel, op.groups, -1), strict=True)
        out = tf.concat([_convolve(op, *pair) for pair in pairs], -1)
    return _first(op, _activate(op.activation, out + bias))


@rules(ops.ConvTranspose)
def conv_transpose(op: ops.ConvTranspose, x: Any, kernel: Any, bias: Any = 0.0) -> Any:
    """Compute the gradient of the convolution with the same kernel, its definition."""
    types = (TensorType(DType.float64, tuple(each.shape)) for each in (x, kernel))
    (inferred,) = op.infer(*types)
    x, kernel = _last(op, x), _kernel_last(op, kernel)
    with tf.GradientTape() as tape:
        image = _last(op, tf.zeros(inferred.shape, tf.float64))
        tape.watch(image)
        out = _convolve(op, image, kernel)
    return _first(op, tape.gradient(out, image, output_gradients=x) + bias)


@rules(ops.MaxPool)
def max_pool(op: ops.MaxPool, x: Any) -> Any:
    x = _last(op, x)
    pads = [(0, 0), *_explicit(op, x, op.window).padding, (0, 0)]
    return _first(op, _pool(op, tf.pad(x, pads, constant_values=-np.inf), "MAX"))


@rules(ops.AveragePool)
def average_pool(op: ops.AveragePool, x: Any) -> Any:
    x = _last(op, x)
    still = (1,) * len(op.window)
    op = _explicit(op, x, op.window)
    if op.padding == same_padding(tuple(x.shape[1:-1]), op.window, op.strides, still):
        return _first(op, _pool(op, x, "AVG", "SAME"))
    pads = [(0, 0), *op.padding, (0, 0)]
    inside = _pool(op, tf.pad(tf.ones_like(x), pads), "AVG")
    return _first(op, _pool(op, tf.pad(x, pads), "AVG") / inside)


@rules(ops.Resize)
def resize(op: ops.Resize, x: Any) -> Any:
    resized = tf.image.resize(_last(op, x), op.size, op.interpolation)
    return _first(op, tf.cast(resized, tf.float64))


def _explicit(op: Any, x: Any, window: tuple[int, ...], dilations: tuple[int, ...] = ()) -> Any:
    """Run the operation with explicit padding."""
    return replace(op, padding=op.pads(tuple(x.shape[1:-1]), window, dilations))


def _pool(op: ops.Pooling, x: Any, kind: str, padding: str = "VALID") -> Any:
    narrow = tf.cast(x, tf.float32 if len(op.window) == 3 else x.dtype)
    return tf.cast(tf.nn.pool(narrow, op.window, kind, op.strides, padding), x.dtype)


def _convolve(op: ops.Conv | ops.ConvTranspose, x: Any, kernel: Any) -> Any:
    padded = tf.pad(x, [(0, 0), *op.padding, (0, 0)])
    layout = ["NWC", "NHWC", "NDHWC"][len(op.strides) - 1]  # the 3D gradient requires the layout
    return tf.nn.convolution(padded, kernel, op.strides, "VALID", layout, op.dilations)


def _activate(activation: str, x: Any) -> Any:
    return {"linear": tf.identity, "relu": tf.nn.relu, "relu6": tf.nn.relu6}[activation](x)


def _last(op: ops.Windowed | ops.Resize, x: Any) -> Any:
    return x if op.channels == "last" else keras.ops.moveaxis(x, 1, -1)


def _first(op: ops.Windowed | ops.Resize, x: Any) -> Any:
    return x if op.channels == "last" else keras.ops.moveaxis(x, -1, 1)


def _kernel_last(op: ops.Windowed, kernel: Any) -> Any:
    return kernel if op.channels == "last" else keras.ops.moveaxis(kernel, (0, 1), (-1, -2))
