"""Sorting operations, and the gather that uses their indices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kspec.compiler import ops
from kspec.compiler.table import Table
from kspec.targets.formats.tf_serving import lazy as tf

rules: Table[Callable[..., Any]] = Table("tf_serving")


@rules(ops.TopK)
def top_k(op: ops.TopK, x: Any) -> Any:
    return tf.math.top_k(x, op.k).values


@rules(ops.ArgTopK)
def arg_top_k(op: ops.ArgTopK, x: Any) -> Any:
    return tf.math.top_k(x, op.k).indices


@rules(ops.TakeAlongAxis)
def take_along_axis(op: ops.TakeAlongAxis, x: Any, indices: Any) -> Any:
    """Gather in each row of the last axis; the axis is moved there."""
    rank = x.shape.rank
    axis = op.axis % rank
    perm = [*(each for each in range(rank) if each != axis), axis]
    back = [perm.index(each) for each in range(rank)]
    moved = perm != back or axis != rank - 1
    rows = [tf.transpose(each, perm) if moved else each for each in (x, indices)]
    picked = tf.gather(*rows, axis=rank - 1, batch_dims=rank - 1)
    return tf.transpose(picked, back) if moved else picked
