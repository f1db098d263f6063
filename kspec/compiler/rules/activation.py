"""Rules for activations: IR operations, and formulas in simpler ``keras.ops``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from keras import ops as kops
from keras.src.ops import nn

from kspec.compiler import ops
from kspec.compiler.ir import Value
from kspec.compiler.rules.arithmetic import as_float
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: activations")

_NATIVE: Mapping[type, Callable[[Any], ops.Op]] = {
    nn.Elu: lambda op: ops.Elu(float(op.alpha)),
    nn.Gelu: lambda op: ops.Gelu(approximate=bool(op.approximate)),
    nn.HardSigmoid: lambda _: ops.HardSigmoid(),
    nn.HardSilu: lambda _: ops.HardSwish(),
    nn.HardTanh: lambda _: ops.Clip(-1.0, 1.0),
    nn.LeakyRelu: lambda op: ops.LeakyRelu(float(op.negative_slope)),
    nn.Relu: lambda _: ops.Relu(),
    nn.Relu6: lambda _: ops.Clip(0.0, 6.0),
    nn.Selu: lambda _: ops.Selu(),
    nn.Sigmoid: lambda _: ops.Sigmoid(),
    nn.Silu: lambda _: ops.Silu(),
    nn.Softplus: lambda _: ops.Softplus(),
    nn.Softsign: lambda _: ops.Softsign(),
}

_COMPOSED: Mapping[type, Callable[[Any, Any], Any]] = {
    nn.Celu: lambda op, x: kops.relu(x) + op.alpha * kops.expm1(kops.minimum(x, 0.0) / op.alpha),
    nn.HardShrink: lambda op, x: kops.where(kops.abs(x) > op.threshold, x, 0.0 * x),
    nn.LogSigmoid: lambda _, x: -kops.softplus(-x),
    nn.SoftShrink: lambda op, x: kops.relu(x - op.threshold) - kops.relu(-x - op.threshold),
    nn.SparsePlus: lambda _, x: kops.where(x < 1, 0.25 * kops.square(kops.relu(x + 1)), x),
    nn.SparseSigmoid: lambda _, x: kops.clip(0.5 * (x + 1), 0.0, 1.0),
    nn.Squareplus: lambda op, x: (x + kops.sqrt(kops.square(x) + op.b)) / 2,
    nn.TanhShrink: lambda _, x: x - kops.tanh(x),
    nn.Threshold: lambda op, x: kops.where(x > op.threshold, x, float(op.default_value)),
}
"""Formulas of Keras' backend, in operations that have rules."""


@rules(*_NATIVE)
def native(tracer: Tracer, op: Any, x: Any) -> Value:
    return tracer.emit(_NATIVE[type(op)](op), as_float(tracer, x))


@rules(*_COMPOSED)
def composed(tracer: Tracer, op: Any, x: Any) -> Any:
    return tracer.record(_COMPOSED[type(op)], op, as_float(tracer, x))


@rules(nn.Glu)
def glu(tracer: Tracer, op: Any, x: Any) -> Any:
    def halves(x: Any) -> Any:
        value, gate = kops.split(x, 2, axis=op.axis)
        return value * kops.sigmoid(gate)

    return tracer.record(halves, as_float(tracer, x))


@rules(nn.Softmax, nn.LogSoftmax)
def softmax(tracer: Tracer, op: Any, x: Any) -> Value:
    made = ops.Softmax if isinstance(op, nn.Softmax) else ops.LogSoftmax
    value = as_float(tracer, x)
    if op.axis is not None:
        return tracer.emit(made(op.axis % value.type.rank), value)
    if any(isinstance(dim, str) for dim in value.shape):
        raise tracer.error("a softmax over all axes would mix the rows of a batch")
    flat = tracer.record(lambda x: kops.reshape(x, (-1,)), value)
    return tracer.emit(ops.Reshape(value.shape), tracer.emit(made(0), flat))
