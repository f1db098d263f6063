"""Rules for reductions along axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from keras import ops as kops
from keras.src.ops import numpy as knp

from kspec.compiler import ops
from kspec.compiler.ir import DType, Value
from kspec.compiler.rules.arithmetic import as_float, cast
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: reductions")

_REDUCTIONS: Mapping[type, type[ops.Reduction]] = {
    knp.Sum: ops.Sum,
    knp.Prod: ops.Prod,
    knp.Max: ops.Max,
    knp.Min: ops.Min,
    knp.Amax: ops.Max,
    knp.Amin: ops.Min,
}


def axes_of(given: Any, rank: int) -> tuple[int, ...]:
    """Return sorted non-negative axes; None means all axes."""
    if given is None:
        return tuple(range(rank))
    listed = (given,) if isinstance(given, int) else given
    return tuple(sorted(int(axis) % rank for axis in listed))


@rules(*_REDUCTIONS)
def reduce(tracer: Tracer, op: Any, x: Any) -> Value:
    if getattr(op, "initial", None) is not None:
        raise tracer.error("a reduction with an initial value is not lowered")
    value = tracer.value(x)
    axes = axes_of(op.axis, value.type.rank)
    if not axes:
        return value
    return tracer.emit(_REDUCTIONS[type(op)](axes, bool(op.keepdims)), value)


@rules(knp.Mean)
def mean(tracer: Tracer, op: Any, x: Any) -> Value:
    value = as_float(tracer, x)
    axes = axes_of(op.axis, value.type.rank)
    return tracer.emit(ops.Mean(axes, bool(op.keepdims)), value) if axes else value


@rules(knp.Var, knp.Std)
def variance(tracer: Tracer, op: Any, x: Any) -> Any:
    """The mean of the squared distances from the mean, or its square root"""

    def formula(x: Any) -> Any:
        centred = x - kops.mean(x, axis=op.axis, keepdims=True)
        result = kops.mean(kops.square(centred), axis=op.axis, keepdims=op.keepdims)
        return kops.sqrt(result) if isinstance(op, knp.Std) else result

    return tracer.record(formula, as_float(tracer, x))


@rules(knp.All, knp.Any)
def logical(tracer: Tracer, op: Any, x: Any) -> Value:
    made = ops.All if isinstance(op, knp.All) else ops.Any
    value = cast(tracer, tracer.value(x), DType.boolean)
    return tracer.emit(made(axes_of(op.axis, value.type.rank), bool(op.keepdims)), value)


@rules(knp.Argmax, knp.Argmin)
def arg_extreme(tracer: Tracer, op: Any, x: Any) -> Value:
    value = tracer.value(x)
    made = ops.ArgMax if isinstance(op, knp.Argmax) else ops.ArgMin
    if op.axis is None:
        raise tracer.error("an index over all axes would mix the rows of a batch; give an axis")
    return tracer.emit(made(op.axis % value.type.rank, bool(op.keepdims)), value)


@rules(knp.Cumsum)
def cumsum(tracer: Tracer, op: Any, x: Any) -> Value:
    value = tracer.value(x)
    if op.axis is None:
        raise tracer.error("a running sum over all axes would mix the rows of a batch")
    if op.dtype is not None:
        value = cast(tracer, value, DType(op.dtype))
    return tracer.emit(ops.CumSum(op.axis % value.type.rank), value)
