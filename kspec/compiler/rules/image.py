"""Rules for images: colours, sampling, cropping, filters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import layers
from keras import ops as kops
from keras.src.ops import image

from kspec.compiler import ops
from kspec.compiler.ir import Array, Value
from kspec.compiler.rules.arithmetic import as_float, cast
from kspec.compiler.rules.creation import known_array
from kspec.compiler.rules.einsum import merged
from kspec.compiler.rules.neural import last
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: pictures")


def axes_of_pictures(op: Any, value: Value) -> tuple[int, int]:
    """Return the axes of height and width, of one image or of a batch."""
    first = value.type.rank - (2 if op.data_format == "channels_first" else 3)
    return first, first + 1


@rules(image.Resize)
def resize(tracer: Tracer, op: Any, images: Any) -> Value:
    """Emit Resize if it samples as Keras does, otherwise one matrix product per axis with Keras'
    weights."""
    value = tracer.value(images)
    axes = axes_of_pictures(op, value)
    wanted = (int(op.size[0]), int(op.size[1]))
    sizes = tuple(
        known(tracer, value.shape[axis]) if _adapts(op) else value.shape[axis] for axis in axes
    )
    x = as_float(tracer, value)
    if op.crop_to_aspect_ratio:
        x = _cropped(tracer, x, axes, sizes, wanted)
    elif op.pad_to_aspect_ratio:
        x = _padded(tracer, x, axes, sizes, wanted, float(op.fill_value))
    native = op.interpolation in ("nearest", "bilinear") and not op.antialias
    if native:
        result = _native(tracer, op, x, wanted)
    else:
        result = _sampled(tracer, x, axes, wanted, op.interpolation, antialias=op.antialias)
    return cast(tracer, result, value.dtype) if op.interpolation == "nearest" else result


def _adapts(op: Any) -> bool:
    return bool(op.crop_to_aspect_ratio or op.pad_to_aspect_ratio)


def known(tracer: Tracer, dim: Any) -> int:
    if isinstance(dim, str):
        raise tracer.error(f"the size {dim} of the images must be known")
    return int(dim)


def _native(tracer: Tracer, op: Any, x: Value, wanted: tuple[int, int]) -> Value:
    made = ops.Resize(wanted, op.interpolation, "last")
    single = x.type.rank == 3
    if single:
        x = tracer.emit(ops.Reshape((1, *x.shape)), x)
    result = last(tracer, op, x, lambda each: tracer.emit(made, each))
    return tracer.emit(ops.Reshape(result.shape[1:]), result) if single else result


def _sampled(
    tracer: Tracer,
    x: Value,
    axes: tuple[int, int],
    wanted: tuple[int, int],
    interpolation: str,
    *,
    antialias: bool,
) -> Value:
    for axis, size in zip(axes, wanted, strict=True):
        before = known(tracer, x.shape[axis])
        if before != size:
            weights = sampling(before, size, interpolation, antialias=antialias)
            x = along_axis(tracer, x, axis, weights)
    return x


def sampling(before: int, after: int, interpolation: str, *, antialias: bool) -> Array:
    """Return the weights (after, before) of the old positions in each new one, measured by
    resampling the identity matrix with Keras."""
    identity = np.eye(before, dtype=np.float32).reshape(before, 1, before)
    rows = kops.image.resize(
        identity,
        (after, 1),
        interpolation=interpolation,
        antialias=antialias,
        data_format="channels_last",
    )
    return np.asarray(rows, np.float32).reshape(after, before)


def along_axis(tracer: Tracer, x: Value, axis: int, weights: Array) -> Value:
    """Multiply an axis by a matrix (after, before)."""
    rank = x.type.rank
    if axis == rank - 1:
        return tracer.emit(
            ops.MatMul(), x, tracer.value(np.ascontiguousarray(weights.T), "sampling")
        )
    if axis == rank - 2:
        return tracer.emit(ops.MatMul(), tracer.value(weights, "sampling"), x)
    perm = (*(each for each in range(rank) if each != axis), axis)
    back = tuple(perm.index(each) for each in range(rank))
    moved = tracer.emit(ops.Transpose(perm), x)
    product = tracer.emit(
        ops.MatMul(), moved, tracer.value(np.ascontiguousarray(weights.T), "sampling")
    )
    return tracer.emit(ops.Transpose(back), product)


def _cropped(
    tracer: Tracer, x: Value, axes: tuple[int, int], sizes: Any, wanted: tuple[int, int]
) -> Value:
    """Crop the centre of an image to the target's aspect ratio."""
    height, width = sizes
    crop = (
        max(min(height, int(float(width * wanted[0]) / wanted[1])), 1),
        max(min(width, int(float(height * wanted[1]) / wanted[0])), 1),
    )
    starts = [int(float(size - kept) / 2) for size, kept in zip(sizes, crop, strict=True)]
    stops = tuple(start + kept for start, kept in zip(starts, crop, strict=True))
    return tracer.emit(ops.Slice(axes, tuple(starts), stops, (1, 1)), x)


def _padded(
    tracer: Tracer,
    x: Value,
    axes: tuple[int, int],
    sizes: Any,
    wanted: tuple[int, int],
    fill: float,
) -> Value:
    """Pad an image around its centre to the target's aspect ratio."""
    height, width = sizes
    whole = (
        max(height, int(float(width * wanted[0]) / wanted[1])),
        max(width, int(float(height * wanted[1]) / wanted[0])),
    )
    low, high = [0] * x.type.rank, [0] * x.type.rank
    for axis, size, total in zip(axes, sizes, whole, strict=True):
        low[axis] = high[axis] = int(float(total - size) / 2)
    return tracer.emit(ops.Pad(tuple(low), tuple(high), value=fill), x)


@rules(layers.UpSampling2D)
def up_sampling(tracer: Tracer, layer: Any, inputs: Any) -> Any:
    """Lower without tracing: Keras multiplies the sizes, which fails for symbolic sizes."""
    value = tracer.value(inputs)
    is_open = any(isinstance(value.shape[axis], str) for axis in axes_of_pictures(layer, value))
    if not is_open or layer.interpolation == "nearest":
        return tracer.record(layer.call, value)
    if layer.interpolation != "bilinear":
        for axis in axes_of_pictures(layer, value):
            known(tracer, value.shape[axis])

    def lower(x: Value) -> Value:
        for axis, factor in zip((1, 2), layer.size, strict=True):
            x = _interpolated(tracer, x, axis, int(factor))
        return x

    return last(tracer, layer, as_float(tracer, value), lower)


def _interpolated(tracer: Tracer, x: Value, axis: int, factor: int) -> Value:
    """Upsample an axis ``factor`` times by linear interpolation.

    Element i · factor + k lies at i + (k + 0.5) / factor - 0.5 on the old axis (half-pixel
    centres); the edge element extends beyond the edge.
    """
    if factor == 1:
        return x

    def part(start: int, stop: int | None) -> Value:
        return tracer.emit(ops.Slice((axis,), (start,), (stop,), (1,)), x)

    before = tracer.emit(ops.Concat(axis), part(0, 1), part(0, -1))
    after = tracer.emit(ops.Concat(axis), part(1, None), part(-1, None))
    wide = (*x.shape[: axis + 1], 1, *x.shape[axis + 1 :])
    phases = []
    for k in range(factor):
        offset = (k + 0.5) / factor - 0.5
        own, other = (tracer.value(np.float32(share)) for share in (1 - abs(offset), abs(offset)))
        neighbour = before if offset < 0 else after
        mixed = tracer.emit(
            ops.Add(),
            tracer.emit(ops.Multiply(), x, own),
            tracer.emit(ops.Multiply(), neighbour, other),
        )
        phases.append(tracer.emit(ops.Reshape(wide), mixed))
    joined = tracer.emit(ops.Concat(axis + 1), *phases)
    long = merged("xn", {"x": x.shape[axis], "n": factor})
    return tracer.emit(ops.Reshape((*x.shape[:axis], long, *x.shape[axis + 1 :])), joined)


@rules(image.ScaleAndTranslate)
def scale_and_translate(
    tracer: Tracer, op: Any, images: Any, output_shape: Any, scale: Any, translation: Any
) -> Value:
    """Emit one matrix product per axis, with Keras' weights."""
    x = as_float(tracer, images)
    factors = known_array(tracer, scale, "scale")
    shifts = known_array(tracer, translation, "translation")
    for number, axis in enumerate(op.spatial_dims):
        place = axis % x.type.rank
        before = known(tracer, x.shape[place])
        weights = kops.image.scale_and_translate(
            np.eye(before, dtype=np.float32),
            (int(output_shape[place]), before),
            factors[number : number + 1].astype(np.float32),
            shifts[number : number + 1].astype(np.float32),
            (0,),
            op.method,
            op.antialias,
        )
        x = along_axis(tracer, x, place, np.asarray(weights, np.float32))
    return x


@rules(image.PadImages, image.CropImages)
def frame(tracer: Tracer, op: Any, images: Any) -> Any:
    value = tracer.value(images)
    axes = axes_of_pictures(op, value)
    pads = isinstance(op, image.PadImages)
    word = "padding" if pads else "cropping"
    ends = [("top", "bottom", "height"), ("left", "right", "width")]
    low, high = [0] * value.type.rank, [0] * value.type.rank
    for axis, (first, second, side) in zip(axes, ends, strict=True):
        before, after = getattr(op, f"{first}_{word}"), getattr(op, f"{second}_{word}")
        wanted = getattr(op, f"target_{side}")
        if before is None or after is None:
            size = known(tracer, value.shape[axis])
            change = wanted - size if pads else size - wanted
            before = change - after if before is None else before
            after = change - before
        low[axis], high[axis] = int(before), int(after)
    if pads:
        return tracer.emit(ops.Pad(tuple(low), tuple(high)), value)
    stops = tuple(-high[axis] or None for axis in axes)
    return tracer.emit(ops.Slice(axes, tuple(low[axis] for axis in axes), stops, (1, 1)), value)
