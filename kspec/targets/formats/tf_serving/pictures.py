"""Decoding of pictures in TensorFlow ops, with the values of `kspec.features.steps`.

JPEG and PNG are supported; inputs with an alpha channel take PNG only. Differences: the EXIF
orientation is ignored, of 16-bit channels the upper eight bits are used where the reference refuses
them, and a PNG without an alpha channel that declares a transparent colour is opaque. Resampling is
`kspec.features.steps.resample` in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import tensorflow as tf

from kspec.targets.formats.tf_serving.options import Picture
from kspec.targets.formats.tf_serving.rules.loop import within_the_graph

Tensor = Any
FULL = 255
RED, GREEN, BLUE, HALF, SHIFT = 19595, 38470, 7471, 1 << 15, 16
"""Pillow's conversion to grey: the weighted sum, rounded, without its lower 16 bits."""


@within_the_graph()
def read_pictures(files: Tensor, shape: list[int], picture: Picture) -> Tensor:
    """Convert string[batch] to float32[batch, height, width, channels]; ``shape`` is one
    picture's."""
    count = tf.shape(files)[0]
    pictures = tf.TensorArray(tf.float32, count, element_shape=shape)

    def body(done: Tensor, pictures: Any) -> Any:
        return done + 1, pictures.write(done, _read(files[done], shape, picture))

    _, pictures = tf.while_loop(
        lambda done, _: done < count, body, (tf.constant(0), pictures), parallel_iterations=1
    )
    return pictures.stack()


def _read(file: Tensor, shape: list[int], picture: Picture) -> Tensor:
    height, width, channels = shape
    pixels = _CHANNELS[channels](file)
    if picture.resize is None:
        right = tf.reduce_all(tf.equal(tf.shape(pixels)[:2], [height, width]))
        wanted = f"the picture is not {width} x {height} pixels"
        with tf.control_dependencies([tf.debugging.Assert(right, [wanted])]):
            pixels = tf.cast(pixels, tf.float64)
    else:
        sample = _SAMPLERS[picture.resize]
        pixels = sample(sample(tf.cast(pixels, tf.float64), height, 0), width, 1)
    scaled = pixels * tf.constant(picture.maximum / FULL, tf.float64)
    return tf.reshape(tf.cast(scaled, tf.float32), shape)


def _colour(file: Tensor) -> Tensor:
    """Decode JPEG or PNG. Only DecodeJpeg, which also reads PNG, has an option for exact values."""
    return tf.raw_ops.DecodeJpeg(contents=file, channels=3, dct_method="INTEGER_ACCURATE")


def _with_alpha(file: Tensor) -> Tensor:
    """Decode PNG with the channels of the file: with a requested alpha channel, DecodePng makes
    palettes of few colours nearly transparent."""
    pixels = tf.raw_ops.DecodePng(contents=file, channels=0)
    count = tf.shape(pixels)[2]
    colours = [tf.minimum(each, (count - 1) // 2 * 2) for each in (0, 1, 2)]
    opaque = tf.fill(tf.concat([tf.shape(pixels)[:2], [1]], axis=0), tf.constant(FULL, tf.uint8))
    alpha = tf.where(tf.equal(count % 2, 0), pixels[..., count - 1 :], opaque)
    return tf.concat([tf.gather(pixels, colours, axis=2), alpha], axis=2)


def _grey(colour: Tensor) -> Tensor:
    parts = tf.cast(colour[..., :3], tf.int32) * tf.constant([RED, GREEN, BLUE])
    total = tf.reduce_sum(parts, axis=-1, keepdims=True) + HALF
    return tf.cast(tf.bitwise.right_shift(total, SHIFT), tf.uint8)


def _grey_with_alpha(file: Tensor) -> Tensor:
    pixels = _with_alpha(file)
    return tf.concat([_grey(pixels), pixels[..., 3:]], axis=-1)


_CHANNELS: Mapping[int, Callable[[Tensor], Tensor]] = MappingProxyType(
    {
        1: lambda file: _grey(_colour(file)),
        2: _grey_with_alpha,
        3: _colour,
        4: _with_alpha,
    }
)


def _places(wanted: int, size: Tensor) -> Tensor:
    """Return the centres of the output pixels, in pixels of the picture."""
    centres = tf.constant([each + 0.5 for each in range(wanted)], tf.float64)
    return centres * (tf.cast(size, tf.float64) / tf.constant(wanted, tf.float64))


def _nearest(pixels: Tensor, wanted: int, axis: int) -> Tensor:
    size = tf.shape(pixels)[axis]
    places = tf.cast(tf.floor(_places(wanted, size)), tf.int32)
    return tf.gather(pixels, tf.minimum(places, size - 1), axis=axis)


def _bilinear(pixels: Tensor, wanted: int, axis: int) -> Tensor:
    size = tf.shape(pixels)[axis]
    last = tf.cast(size - 1, tf.float64)
    places = tf.minimum(tf.maximum(_places(wanted, size) - 0.5, 0.0), last)
    before = tf.cast(tf.floor(places), tf.int32)
    after = tf.minimum(before + 1, size - 1)
    share = places - tf.floor(places)
    share = tf.reshape(share, [-1 if each == axis else 1 for each in range(3)])
    low, high = tf.gather(pixels, before, axis=axis), tf.gather(pixels, after, axis=axis)
    return low + (high - low) * share


_SAMPLERS: Mapping[str, Callable[[Tensor, int, int], Tensor]] = MappingProxyType(
    {"nearest": _nearest, "bilinear": _bilinear}
)
