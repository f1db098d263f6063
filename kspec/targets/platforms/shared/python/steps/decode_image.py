"""The step that decodes a picture file to pixels."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from .step import Step, StepError

File: TypeAlias = "str | Path | bytes | Image.Image"
"""The path or content of a picture file, or an open picture."""

_FORMATS = ("BMP", "JPEG", "PNG", "WEBP")
_MODES: Mapping[int, str] = MappingProxyType({1: "L", 2: "LA", 3: "RGB", 4: "RGBA"})
_NARROW = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA"})
"""Pillow's modes with eight bits per channel."""
_ORIENTATION = 0x0112
_TURNED = frozenset({5, 6, 7, 8})
"""EXIF orientations that swap width and height."""


@dataclass(frozen=True, slots=True)
class DecodeImage(Step):
    """Decode a BMP, JPEG, PNG or WebP file, upright as its EXIF data says. Grey is
    (19595 R + 38470 G + 7471 B + 32768) >> 16; transparency is dropped if the input has no
    channel for it."""

    takes: ClassVar[tuple[type, ...]] = (str, Path, bytes, Image.Image)

    channels: int
    height: int | None
    width: int | None
    """The size that the picture must have; None if a later step resamples it."""
    max_pixels: int
    """A picture with more pixels is not decoded."""

    def apply(self, value: File) -> NDArray[np.uint8]:
        """Return uint8[height, width, channels]."""
        if isinstance(value, Image.Image):
            return self._pixels(value)
        source = BytesIO(value) if isinstance(value, bytes) else Path(value)
        try:
            # This step has its own limit, so Pillow's warning about decompression bombs is ignored.
            with (
                warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning),
                Image.open(source, formats=_FORMATS) as image,
            ):
                return self._pixels(image)
        except UnidentifiedImageError:  # its text contains the address of the stream
            raise StepError(f"not a picture: {', '.join(_FORMATS)} are read") from None
        except (Image.DecompressionBombError, OSError, SyntaxError) as error:
            raise StepError(f"the picture cannot be read: {error}") from None

    def _pixels(self, image: Image.Image) -> NDArray[np.uint8]:
        if image.width * image.height > self.max_pixels:
            size = f"{image.width} × {image.height}"
            raise StepError(f"{size} pixels, more than {self.max_pixels:,}")
        if image.mode not in _NARROW:
            raise StepError(f"pixels of the mode {image.mode}, not of eight bits a channel")
        turned = image.getexif().get(_ORIENTATION) in _TURNED
        self._check_size(*((image.height, image.width) if turned else (image.width, image.height)))
        upright: Any = ImageOps.exif_transpose(image)
        self._check_size(upright.width, upright.height)
        pixels = np.asarray(upright.convert(_MODES[self.channels]))
        return pixels.reshape(upright.height, upright.width, self.channels)

    def _check_size(self, width: int, height: int) -> None:
        if self.height is not None and (width, height) != (self.width, self.height):
            wanted = f"{self.width} × {self.height}"
            raise StepError(f"{width} × {height} pixels, the model takes {wanted}")
