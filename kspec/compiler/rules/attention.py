"""Rules for attention: two matrix products with a softmax between them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import layers
from keras.src.backend import set_keras_mask
from keras.src.ops import nn

from kspec.compiler import ops
from kspec.compiler.ir import Dim, DType, Value
from kspec.compiler.rules.arithmetic import as_float, cast, promoted, scalar
from kspec.compiler.rules.einsum import summed_product
from kspec.compiler.stand_ins import Band
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: attention")
calls: Table[Callable[..., Any]] = Table("trace: calls of attention layers")

_HIDDEN = -0.7 * 3.38953e38
"""Keras' float32 value for a masked score."""


@rules(nn.DotProductAttention)
def dot_product_attention(
    tracer: Tracer,
    op: Any,
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
) -> Value:
    """softmax(query · keyᵀ · scale + bias) · value per head, of (batch, time, heads, size); masked
    scores act as -∞ (Vaswani et al. 2017). Several heads may share one key (Ainslie et al.
    2023)."""
    q, k, v = promoted(tracer, query, key, value)
    k, v = (_per_head(tracer, each, q.shape[2]) for each in (k, v))
    factor = 1 / math.sqrt(int(k.shape[3])) if scale is None else float(scale)
    q = tracer.emit(ops.Multiply(), q, scalar(tracer, factor, q))
    scores = summed_product(tracer, "btnh,bsnh->bnts", (q, k))
    if bias is not None:
        scores = tracer.emit(ops.Add(), scores, as_float(tracer, bias))
    shown = None if mask is None else cast(tracer, tracer.value(mask, "mask"), DType.boolean)
    if op.is_causal:
        past = causal(tracer, scores.shape[2], scores.shape[3])
        shown = past if shown is None else tracer.emit(ops.LogicalAnd(), shown, past)
    if shown is not None:
        hidden = scalar(tracer, _HIDDEN, scores)
        scores = tracer.emit(ops.Where(), shown, scores, hidden)
    weights = tracer.emit(ops.Softmax(3), scores)
    return summed_product(tracer, "bnts,bsnh->btnh", (weights, v))


@calls(layers.MultiHeadAttention)
def attend(
    tracer: Tracer, layer: Any, query: Any, value: Any, key: Any = None, **arguments: Any
) -> Any:
    """MultiHeadAttention uses the mask attached to the query, not a passed one, and clears the
    masks of query, value and key, so that layers that read these later see no mask."""
    arguments["query_mask"] = tracer.masks(query)

    def call(query: Any, value: Any, key: Any, query_mask: Any, **rest: Any) -> Any:
        set_keras_mask(query, query_mask)
        return layer.call(query, value, key, **rest)

    result = tracer.record(call, query, value, key, **arguments)
    tracer.masks.drop(query, value, key)
    return result


@rules(Band)
def band(tracer: Tracer, op: Any, rows: Any, columns: Any) -> Value:
    """Lower the mask of a diagonal band, or of the whole triangle below it."""
    height, width = rows.shape[op.row_axis], columns.shape[op.column_axis]
    if op.before is None and op.after == 0:
        shown = causal(tracer, height, width)
    else:
        shown = near(tracer, height, width, op.before, op.after)
    return tracer.emit(ops.Reshape((1, height, width)), shown)


def near(tracer: Tracer, rows: Dim, columns: Dim, before: int, after: int) -> Value:
    """Return whether row - before ≤ column ≤ row + after, of shape (rows, columns)."""
    down = tracer.emit(ops.Reshape((rows, 1)), positions(tracer, rows))
    ahead = tracer.emit(ops.Subtract(), positions(tracer, columns), down)
    low, high = (scalar(tracer, number, ahead) for number in (-before, after))
    not_before = tracer.emit(ops.GreaterEqual(), ahead, low)
    return tracer.emit(ops.LogicalAnd(), not_before, tracer.emit(ops.LessEqual(), ahead, high))


def causal(tracer: Tracer, rows: Dim, columns: Dim) -> Value:
    """Return whether column ≤ row, of shape (rows, columns); the sizes may be symbolic."""
    if isinstance(rows, int) and isinstance(columns, int):
        return tracer.value(np.tri(rows, columns, dtype=bool), "causal")
    down = tracer.emit(ops.Reshape((rows, 1)), positions(tracer, rows))
    return tracer.emit(ops.GreaterEqual(), down, positions(tracer, columns))


def positions(tracer: Tracer, size: Dim) -> Value:
    """Return 1, 2, … size in float32."""
    one = tracer.value(np.ones(1, np.float32), "one")
    return tracer.emit(ops.CumSum(0), tracer.emit(ops.BroadcastTo((size,)), one))


def _per_head(tracer: Tracer, value: Value, heads: Dim) -> Value:
    """Repeat keys or values, one for each head."""
    own = int(value.shape[2])
    times = int(heads) // own
    return tracer.emit(ops.Repeat(times, 2), value) if own > 1 and times > 1 else value
