"""A picture as the tensor that the model was trained on, number for number."""

import warnings
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from .description import Picture
from .errors import InputError

PictureLike: TypeAlias = "str | Path | bytes | Image.Image | NDArray[Any]"
"""A file, its content, an open picture, or raw values of the input's own shape."""

MAX_PIXELS = 64 << 20
"""A larger picture is not decoded."""

_FORMATS = ("BMP", "JPEG", "PNG", "WEBP")
_MODES: Mapping[int, str] = MappingProxyType({1: "L", 2: "LA", 3: "RGB", 4: "RGBA"})
_NARROW = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA"})
"""Modes of eight bits a channel."""


def decode(
    given: "str | Path | bytes | Image.Image", rule: Picture, shape: tuple[int, int, int]
) -> NDArray[np.float32]:
    """float32[height, width, channels], from 0 to the rule's maximum.

    Turned upright by EXIF; grey is (19595 R + 38470 G + 7471 B + 32768) >> 16; transparency is
    dropped where there is no channel for it. Raises InputError for what is no such picture.
    """
    if isinstance(given, Image.Image):
        return _sampled(given, rule, shape)
    source = BytesIO(given) if isinstance(given, bytes) else Path(given)
    try:
        # Pillow warns of decompression bombs later than the bound here.
        with (
            warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning),
            Image.open(source, formats=_FORMATS) as image,
        ):
            return _sampled(image, rule, shape)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError) as error:
        raise InputError(f"not a picture that can be read: {error}") from None


def _sampled(image: Image.Image, rule: Picture, shape: tuple[int, int, int]) -> NDArray[np.float32]:
    height, width, channels = shape
    if image.width * image.height > MAX_PIXELS:
        raise InputError(f"{image.width} × {image.height} pixels, more than {MAX_PIXELS:,}")
    if image.mode not in _NARROW:
        raise InputError(f"pixels of the mode {image.mode}, not of eight bits a channel")
    upright = ImageOps.exif_transpose(image)
    if rule.resize is None and upright.size != (width, height):
        found = f"{upright.width} × {upright.height}"
        raise InputError(f"{found} pixels, the model takes {width} × {height}")
    pixels = np.asarray(upright.convert(_MODES[channels]), np.float64)
    pixels = pixels.reshape(upright.height, upright.width, channels)
    if rule.resize is not None:
        sample = _SAMPLERS[rule.resize]
        pixels = sample(sample(pixels, height, 0), width, 1)
    return (pixels * (rule.maximum / 255)).astype(np.float32)


def _nearest(pixels: NDArray[np.float64], wanted: int, axis: int) -> NDArray[np.float64]:
    size = pixels.shape[axis]
    places = np.floor((np.arange(wanted) + 0.5) * (size / wanted)).astype(np.int64)
    found: NDArray[np.float64] = pixels.take(np.minimum(places, size - 1), axis)
    return found


def _bilinear(pixels: NDArray[np.float64], wanted: int, axis: int) -> NDArray[np.float64]:
    """The centre of pixel i lies at i + ½, as in TensorFlow's ``image.resize``."""
    size = pixels.shape[axis]
    places = np.clip((np.arange(wanted) + 0.5) * (size / wanted) - 0.5, 0, size - 1)
    before = np.floor(places).astype(np.int64)
    after = np.minimum(before + 1, size - 1)
    share: NDArray[np.float64] = (places - before).reshape(
        [-1 if each == axis else 1 for each in range(3)]
    )
    low: NDArray[np.float64] = pixels.take(before, axis)
    high: NDArray[np.float64] = pixels.take(after, axis)
    return low + (high - low) * share


_SAMPLERS: Mapping[str, Callable[[NDArray[np.float64], int, int], NDArray[np.float64]]] = (
    MappingProxyType({"nearest": _nearest, "bilinear": _bilinear})
)
