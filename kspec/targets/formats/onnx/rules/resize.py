"""Resampling. Scales and sizes of Resize have full rank: with the attribute ``axes`` (opset 18),
the optimizer of ONNX Runtime 1.31 moves transposes through Resize incorrectly."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Node, Value
from kspec.compiler.table import Table
from kspec.targets.formats.onnx.emission import Attribute, Emission, Operand, Rule
from kspec.targets.formats.onnx.rules.shape import COPIES, extents

rules: Table[Rule] = Table("onnx")

NEAREST: dict[str, Attribute] = {"mode": "nearest"}
HALF_PIXEL = NEAREST | {
    "coordinate_transformation_mode": "half_pixel",
    "nearest_mode": "round_prefer_ceil",
}
"""Pixel i is input pixel ⌊(i + 0.5) / scale⌋; ONNX computes it as round(half_pixel(i) - 0.5)."""
LINEAR: dict[str, Attribute] = {
    "mode": "linear",
    "coordinate_transformation_mode": "half_pixel",
}


@rules(ops.Resize)
def resize(op: ops.Resize, node: Node, emit: Emission) -> None:
    (x,) = node.inputs
    first = 2 if op.channels == "first" else 1
    spatial = x.shape[first : first + len(op.size)]
    sizes = [size for size in spatial if isinstance(size, int)]
    if len(sizes) < len(spatial):
        shape = (*x.shape[:first], *op.size, *x.shape[first + len(op.size) :])
        mode = LINEAR if op.interpolation == "bilinear" else HALF_PIXEL
        emit.result("Resize", x, None, None, extents(shape, emit), **mode)
        return
    scales = np.ones(x.type.rank, np.float32)
    scales[first : first + len(op.size)] = list(map(_scale, sizes, op.size))
    if op.interpolation == "bilinear":
        emit.result("Resize", x, None, scales, **LINEAR)
    elif (scales == np.floor(scales)).all():
        emit.result("Resize", x, None, scales, **COPIES)
    else:
        _pick(emit, x, {first + i: row for i, row in enumerate(zip(sizes, op.size, strict=True))})


def _scale(size: int, new: int) -> np.float32:
    """Return the factor in float32. ONNX' shape inference computes the new size ⌊size · factor⌋ in
    float64, ONNX Runtime in float32; a factor that yields too small a size is raised by one ulp."""
    factor = np.float32(new / size)
    while math.floor(float(factor) * size) < new:
        factor = np.nextafter(factor, np.float32(np.inf))
    return factor


def _pick(emit: Emission, x: Value, sizes: Mapping[int, tuple[int, int]]) -> None:
    """Gather nearest pixels for fractional factors: float coordinates would round ties wrongly."""
    *axes, last = (axis for axis, (size, new) in sizes.items() if size != new)
    picks = {
        axis: (2 * np.arange(new) + 1) * size // (2 * new) for axis, (size, new) in sizes.items()
    }
    result: Operand = x
    for axis in axes:
        result = emit("Gather", result, picks[axis], axis=axis)
    emit.result("Gather", result, picks[last], axis=last)
