"""Operations that only move elements."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Array, Dim, DType, Node, Shape
from kspec.compiler.table import Table
from kspec.targets.formats.coreml.emission import Emission, Rule, Var

RULES: Table[Rule] = Table("coreml")


@RULES(ops.Reshape)
def reshape(_op: ops.Reshape, node: Node, emit: Emission) -> Var:
    if not node.output.shape:
        return emit("squeeze", node.name, x=emit[node.inputs[0]])
    shape = sizes(node, emit, node.output.shape)
    return emit("reshape", node.name, x=emit[node.inputs[0]], shape=shape)


def sizes(node: Node, emit: Emission, shape: Shape, part: str = "shape") -> Array | Var:
    """Return a shape for `reshape`. The dimension that no input has, or else the first symbolic
    dimension, is -1; the others are measured."""
    unknown = [axis for axis, dim in enumerate(shape) if isinstance(dim, str)]
    untold = [axis for axis in unknown if not emit.measurable(str(shape[axis]))]
    inferred = (untold or unknown or [-1])[0]
    written = [-1 if axis == inferred else dim for axis, dim in enumerate(shape)]
    return vector(node, emit, written, part)


def vector(node: Node, emit: Emission, sizes: Sequence[Dim], part: str) -> Array | Var:
    """Return the sizes as one int32 tensor, constant if all are numbers."""
    if all(isinstance(dim, int) for dim in sizes):
        return np.array(sizes, np.int32)
    values = [
        emit.measure(dim) if isinstance(dim, str) else emit.parameter(np.array([dim], np.int32))
        for dim in sizes
    ]
    return emit("concat", f"{node.name}/{part}", values=values, axis=0, interleave=False)


@RULES(ops.Transpose)
def transpose(op: ops.Transpose, node: Node, emit: Emission) -> Var:
    return emit("transpose", node.name, x=emit[node.inputs[0]], perm=op.perm)


@RULES(ops.Concat)
def concat(op: ops.Concat, node: Node, emit: Emission) -> Var:
    values = [emit[value] for value in node.inputs]
    return emit("concat", node.name, values=values, axis=op.axis, interleave=False)


@RULES(ops.Slice)
def slice_(op: ops.Slice, node: Node, emit: Emission) -> Var:
    rank = node.output.type.rank
    begin, end, stride, open_end = [0] * rank, [0] * rank, [1] * rank, [True] * rank
    for axis, start, stop, step in zip(op.axes, op.starts, op.stops, op.steps, strict=True):
        begin[axis], stride[axis] = start, step
        end[axis], open_end[axis] = stop or 0, stop is None
        size = node.inputs[0].shape[axis]
        if isinstance(size, int):
            begin[axis], end[axis], _ = slice(start, stop, step).indices(size)
            open_end[axis] = end[axis] == size
    x, masks = emit[node.inputs[0]], {"begin_mask": [False] * rank, "end_mask": open_end}
    return emit("slice_by_index", node.name, x=x, begin=begin, end=end, stride=stride, **masks)


@RULES(ops.Pad)
def pad(op: ops.Pad, node: Node, emit: Emission) -> Var:
    """Write padding. Core ML reflects or replicates along the last two axes only, and has no
    symmetric mode; otherwise elements are gathered."""
    x, rank = emit[node.inputs[0]], node.output.type.rank
    pairs = list(zip(op.low, op.high, strict=True))
    flat = [each for pair in pairs for each in pair]
    if not any(flat):
        return emit("identity", node.name, x=x)
    if op.mode == "constant":
        value = emit.scalar(op.value)
        return emit("pad", node.name, x=x, pad=flat, mode="constant", constant_val=value)
    padded = [axis for axis, pair in enumerate(pairs) if any(pair)]
    if op.mode != "symmetric" and padded[0] >= rank - 2:
        mode = "reflect" if op.mode == "reflect" else "replicate"
        value = emit.scalar(0)
        return emit("pad", node.name, x=x, pad=flat, mode=mode, constant_val=value)
    for axis in padded:
        size = node.inputs[0].shape[axis]
        assert isinstance(size, int)
        source = np.pad(np.arange(size, dtype=np.int32), pairs[axis], mode=op.mode)
        name = node.name if axis == padded[-1] else f"{node.name}/{axis}"
        x = emit("gather", name, x=x, indices=source, axis=axis)
    return x


@RULES(ops.BroadcastTo)
def broadcast_to(_op: ops.BroadcastTo, node: Node, emit: Emission) -> Var:
    (value,), shape = node.inputs, node.output.shape
    leading = len(shape) - value.type.rank
    aligned = (1,) * leading + value.shape
    repeats = [1 if had == dim else dim for had, dim in zip(aligned, shape, strict=True)]
    x = emit[value]
    if leading:
        x = emit("expand_dims", f"{node.name}/expanded", x=x, axes=list(range(leading)))
    return emit("tile", node.name, x=x, reps=vector(node, emit, repeats, "repeats"))


@RULES(ops.Tile)
def tile(op: ops.Tile, node: Node, emit: Emission) -> Var:
    return emit("tile", node.name, x=emit[node.inputs[0]], reps=op.repeats)


@RULES(ops.Repeat)
def repeat(op: ops.Repeat, node: Node, emit: Emission) -> Var:
    """Gather repeated elements. Along an axis of unknown size, upsample floats of rank 3 or more;
    otherwise tile a new axis and merge it."""
    (value,), axis = node.inputs, op.axis % node.output.type.rank
    size = value.shape[axis]
    if isinstance(size, int):
        source = np.repeat(np.arange(size, dtype=np.int32), op.times)
        return _pick(node, emit, source, axis)
    if value.dtype.is_float and value.type.rank > 2:
        return _upsampled(node, emit, axis)
    repeats = [1] * (value.type.rank + 1)
    repeats[axis + 1] = op.times
    x = emit("expand_dims", f"{node.name}/expanded", x=emit[value], axes=[axis + 1])
    tiled = emit("tile", f"{node.name}/tiled", x=x, reps=repeats)
    return emit("reshape", node.name, x=tiled, shape=sizes(node, emit, node.output.shape))


def _upsampled(node: Node, emit: Emission, axis: int) -> Var:
    """Upsample along an axis; an axis before the last two is swapped with the height."""
    assert isinstance(node.op, ops.Repeat)
    x, rank, times = emit[node.inputs[0]], node.output.type.rank, node.op.times
    width = times if axis == rank - 1 else 1
    factors = {"scale_factor_height": times // width, "scale_factor_width": width}
    if axis >= rank - 2:
        return emit("upsample_nearest_neighbor", node.name, x=x, **factors)
    perm = list(range(rank))
    perm[axis], perm[rank - 2] = rank - 2, axis
    moved = emit("transpose", f"{node.name}/moved", x=x, perm=perm)
    larger = emit("upsample_nearest_neighbor", f"{node.name}/larger", x=moved, **factors)
    return emit("transpose", node.name, x=larger, perm=perm)


@RULES(ops.Gather)
def gather(op: ops.Gather, node: Node, emit: Emission) -> Var:
    return _pick(node, emit, emit[node.inputs[1]], op.axis)


def _pick(node: Node, emit: Emission, indices: Array | Var, axis: int) -> Var:
    """Gather slices by index; booleans are cast, since MIL's `gather` takes numbers only."""
    (value, *_), x = node.inputs, emit[node.inputs[0]]
    if value.dtype is not DType.boolean:
        return emit("gather", node.name, x=x, indices=indices, axis=axis)
    numbers = emit.cast(x, DType.int32, f"{node.name}/numbers")
    picked = emit("gather", f"{node.name}/picked", x=numbers, indices=indices, axis=axis)
    return emit.cast(picked, DType.boolean, node.name)


@RULES(ops.Reverse)
def reverse(op: ops.Reverse, node: Node, emit: Emission) -> Var:
    return emit("reverse", node.name, x=emit[node.inputs[0]], axes=op.axes)
