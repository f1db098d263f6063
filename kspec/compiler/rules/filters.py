"""Rules for colours and filters of pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops as kops
from keras.src.ops import image

from kspec.compiler import ops
from kspec.compiler.ir import Array
from kspec.compiler.rules.arithmetic import as_float, cast
from kspec.compiler.rules.neural import last
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: filters")


@rules(image.RGBToGrayscale)
def rgb_to_grayscale(tracer: Tracer, op: Any, images: Any) -> Any:
    """0.2989 R + 0.5870 G + 0.1140 B"""
    value = tracer.value(images)
    axis = -3 if op.data_format == "channels_first" else -1
    if value.shape[axis] == 1:
        return value
    weights = np.array([0.2989, 0.5870, 0.1140], np.float32)

    def formula(x: Any) -> Any:
        shape = [3] + [1] * (-1 - axis)
        return kops.sum(x * weights.reshape(shape), axis=axis, keepdims=True)

    return cast(tracer, tracer.record(formula, as_float(tracer, value)), value.dtype)


@rules(image.RGBToHSV, image.HSVToRGB)
def colours(tracer: Tracer, op: Any, images: Any) -> Any:
    axis = -3 if op.data_format == "channels_first" else -1
    formula = rgb_to_hsv if isinstance(op, image.RGBToHSV) else hsv_to_rgb

    def recorded(x: Any) -> Any:
        parts = [kops.squeeze(each, axis) for each in kops.split(x, 3, axis=axis)]
        return kops.stack(formula(*parts), axis=axis)

    return tracer.record(recorded, as_float(tracer, images))


def rgb_to_hsv(red: Any, green: Any, blue: Any) -> list[Any]:
    """Convert to HSV, with hue as a fraction of the circle; ties of channels are broken as in
    Keras."""
    value = kops.maximum(kops.maximum(red, green), blue)
    spread = value - kops.minimum(kops.minimum(red, green), blue)
    grey = kops.equal(spread, 0.0)
    safe_spread = kops.where(grey, 1.0, spread)
    safe_value = kops.where(value > 0.0, value, 1.0)
    saturation = kops.where(value > 0.0, spread / safe_value, 0.0)
    sixth = 1.0 / (6.0 * safe_spread)
    hue = kops.where(
        kops.equal(red, value),
        sixth * (green - blue),
        kops.where(
            kops.equal(green, value),
            sixth * (blue - red) + 2.0 / 6.0,
            sixth * (red - green) + 4.0 / 6.0,
        ),
    )
    hue = kops.where(grey, 0.0, hue)
    return [kops.where(hue < 0.0, hue + 1.0, hue), saturation, value]


def hsv_to_rgb(hue: Any, saturation: Any, value: Any) -> list[Any]:
    dh = hue * 6.0
    shares = [
        kops.clip(kops.abs(dh - 3.0) - 1.0, 0.0, 1.0),
        kops.clip(2.0 - kops.abs(dh - 2.0), 0.0, 1.0),
        kops.clip(2.0 - kops.abs(dh - 4.0), 0.0, 1.0),
    ]
    return [((1.0 - saturation) + saturation * share) * value for share in shares]


@rules(image.SobelEdges)
def sobel_edges(tracer: Tracer, op: Any, images: Any) -> Any:
    """Differences along height and width, in a last axis of size 2; borders are reflected"""
    weights = np.array(
        [[[-1, -2, -1], [0, 0, 0], [1, 2, 1]], [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]], np.float32
    )

    def formula(x: Any) -> Any:
        _, height, width, channels = x.shape
        kernel = np.broadcast_to(weights.transpose(1, 2, 0)[:, :, None], (3, 3, channels, 2))
        padded = kops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
        found = kops.depthwise_conv(padded, np.ascontiguousarray(kernel), padding="valid")
        return kops.reshape(found, (-1, height, width, channels, 2))

    value = as_float(tracer, images)
    if op.data_format != "channels_first":
        return tracer.record(formula, value)
    moved = tracer.emit(ops.Transpose((0, 2, 3, 1)), value)
    return tracer.emit(ops.Transpose((0, 3, 1, 2, 4)), tracer.record(formula, moved))


@rules(image.GaussianBlur)
def gaussian_blur(tracer: Tracer, op: Any, images: Any) -> Any:
    """A convolution of each channel with exp(-d² / 2σ²), normalised to sum 1, with zero padding"""

    def bell(size: int, sigma: float) -> Array:
        places = np.arange(size, dtype=np.float32) - (size - 1) / 2
        curve = np.exp(-0.5 * (places / sigma) ** 2)
        return np.asarray(curve / curve.sum(), np.float32)

    (height, width), (first, second) = op.kernel_size, op.sigma
    across, down = bell(int(height), float(first)), bell(int(width), float(second))
    kernel = np.outer(down, across).reshape(int(height), int(width))  # Keras' layout

    def formula(x: Any) -> Any:
        single = len(x.shape) == 3
        x = kops.expand_dims(x, 0) if single else x
        channels = x.shape[-1]
        wide = np.broadcast_to(kernel[:, :, None, None], (*kernel.shape, channels, 1))
        result = kops.depthwise_conv(x, np.ascontiguousarray(wide, np.float32), padding="same")
        return kops.squeeze(result, 0) if single else result

    return last(tracer, op, as_float(tracer, images), lambda x: tracer.record(formula, x))
