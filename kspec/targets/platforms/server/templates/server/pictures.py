"""Files of pictures as tensors, as in training: decoded, turned upright, resized, scaled."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from .errors import RequestError
from .signature import Input

FORMATS: Final = ("BMP", "JPEG", "PNG", "WEBP")
_MODES: Final[Mapping[int, str]] = MappingProxyType({1: "L", 2: "LA", 3: "RGB", 4: "RGBA"})
_NARROW: Final = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA"})
"""Modes with eight bits a channel."""
_FULL: Final = 255


def decode(content: bytes, wanted: Input, pixels: int) -> np.ndarray:
    """float32[height, width, channels] of a file. Raises RequestError 400 for one that is damaged,
    has more than so many pixels or eight bits a channel, or another size than the input where that
    does not say how to resize."""
    picture, (height, width, channels) = wanted.picture, wanted.shape
    assert picture is not None
    assert isinstance(height, int)
    assert isinstance(width, int)
    assert isinstance(channels, int)
    try:
        # Pillow's own warning of pictures that are too large comes after our bound.
        with (
            warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning),
            Image.open(io.BytesIO(content), formats=FORMATS) as image,
        ):
            if image.width * image.height > pixels:
                raise RequestError(400, f"the picture has more than {pixels} pixels")
            if image.mode not in _NARROW:
                raise RequestError(400, "the picture has more than eight bits a channel")
            upright = ImageOps.exif_transpose(image).convert(_MODES[channels])
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        OSError,
        SyntaxError,
        ValueError,
    ):
        raise RequestError(400, f"not a picture: {', '.join(FORMATS)} are read") from None
    values = np.asarray(upright).reshape(upright.height, upright.width, channels)
    found = values.shape[:2]
    if picture.resize is not None:
        sample = _SAMPLERS[picture.resize]
        values = sample(sample(values.astype(np.float64), height, 0), width, 1)
    elif found != (height, width):
        raise RequestError(
            400, f"the picture has {found[1]} × {found[0]} pixels, not {width} × {height}"
        )
    return (values * (picture.maximum / _FULL)).astype(np.float32)


def _nearest(values: np.ndarray, wanted: int, axis: int) -> np.ndarray:
    size = values.shape[axis]
    places = np.floor((np.arange(wanted) + 0.5) * (size / wanted)).astype(np.int64)
    found: np.ndarray = np.take(values, np.minimum(places, size - 1), axis)
    return found


def _bilinear(values: np.ndarray, wanted: int, axis: int) -> np.ndarray:
    size = values.shape[axis]
    places = np.clip((np.arange(wanted) + 0.5) * (size / wanted) - 0.5, 0, size - 1)
    before = np.floor(places).astype(np.int64)
    after = np.minimum(before + 1, size - 1)
    share = (places - before).reshape([-1 if each == axis else 1 for each in range(3)])
    low, high = np.take(values, before, axis), np.take(values, after, axis)
    found: np.ndarray = low + (high - low) * share
    return found


_SAMPLERS: Final[Mapping[str, Callable[[np.ndarray, int, int], np.ndarray]]] = MappingProxyType(
    {"nearest": _nearest, "bilinear": _bilinear}
)
