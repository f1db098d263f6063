"""The bytes of a picture file as pixels."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Literal

from pydantic import Field, model_validator

from kspec.features.pictures import golden_picture
from kspec.features.steps.step import Array, HostStep
from kspec.schemas.base import located

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 64 << 20
"""The most pixels of a picture, unless the step says otherwise."""

_ORIENTATION = 0x0112
_TURNED = frozenset({5, 6, 7, 8})
"""Orientations of EXIF that exchange width and height."""
_FORMATS = ("BMP", "JPEG", "PNG", "WEBP")
_KNOWN = "BMP, JPEG, PNG or WebP"
_MODES: Mapping[int, str] = MappingProxyType({1: "L", 2: "LA", 3: "RGB", 4: "RGBA"})
_NARROW = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA"})
"""Modes with eight bits a channel; Pillow clips the others, 16 bits of grey among them."""


class DecodeImage(HostStep):
    """Decode a picture file to 8 bits a channel, upright as its EXIF data says. BMP, JPEG, PNG and
    WebP are read. Colour becomes grey as Pillow has it, (19595 R + 38470 G + 7471 B + 32768) >> 16;
    transparency is dropped where the input has no channel for it."""

    step: Literal["decode_image"] = "decode_image"
    place: Literal["host"] = "host"
    channels: Annotated[int, Field(ge=1, le=4)]
    """1 grey, 2 grey and alpha, 3 red, green and blue, 4 with alpha."""
    height: Annotated[int, Field(ge=1)] | None = None
    """The rows of pixels that the picture must have; null where a later step resamples it."""
    width: Annotated[int, Field(ge=1)] | None = None
    """The pixels in a row that the picture must have; null where a later step resamples it."""
    max_pixels: Annotated[int, Field(ge=1)] = MAX_PIXELS
    """The most pixels of a picture; a picture with more is not decoded."""

    @model_validator(mode="after")
    def consistent(self) -> DecodeImage:
        """A size has two sides."""
        if (self.height is None) != (self.width is None):
            raise located(("height",), "height and width are given together")
        return self

    def apply(self, value: bytes | BinaryIO) -> Array:
        """uint8[height, width, channels] from a file or its bytes. Raises ValueError with the
        reason: an unknown format, damage, too many pixels, more than 8 bits a channel, or another
        size than the step's."""
        import numpy as np
        from PIL import ImageOps

        with _opened(value) as image:
            self._check(image)
            self._check_size(_upright_size(image))  # before the pixels are decoded
            upright: Any = ImageOps.exif_transpose(image)
            found = (upright.height, upright.width)
            self._check_size(found)
            pixels = np.asarray(upright.convert(_MODES[self.channels]))
        return pixels.reshape(*found, self.channels)

    def golden(self) -> tuple[str, bytes]:
        """A PNG of the step's size, or of another where a later step resamples it."""
        return ".png", golden_picture(self.height, self.width)

    def look(self, value: bytes | BinaryIO) -> None:
        """Raise ValueError for what `apply` would refuse by the header of the file alone."""
        with _opened(value) as image:
            self._check(image)
            self._check_size(_upright_size(image))

    def spell(self) -> str:
        return f"decoded to {self.channels} channels of 8 bits"

    def _check(self, image: Image) -> None:
        if image.width * image.height > self.max_pixels:
            raise ValueError(
                f"{image.width} × {image.height} pixels, more than {self.max_pixels:,}"
            )
        if image.mode not in _NARROW:
            raise ValueError(f"pixels of the mode {image.mode}, not of eight bits a channel")

    def _check_size(self, found: tuple[int, int]) -> None:
        if self.height is not None and found != (self.height, self.width):
            raise ValueError(
                f"{found[1]} × {found[0]} pixels, the spec says {self.width} × {self.height}"
            )


def _upright_size(image: Image) -> tuple[int, int]:
    """Height and width after the turn that EXIF asks for."""
    turned = image.getexif().get(_ORIENTATION) in _TURNED
    return (image.width, image.height) if turned else (image.height, image.width)


@contextmanager
def _opened(value: bytes | BinaryIO) -> Iterator[Image]:
    """An image whose header was read; raises ValueError for what cannot be used as one."""
    from PIL import Image, UnidentifiedImageError

    stream = BytesIO(value) if isinstance(value, bytes) else value
    try:
        # Pillow's own warning about decompression bombs comes after our bound.
        with (
            warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning),
            Image.open(stream, formats=_FORMATS) as image,
        ):
            yield image
    except UnidentifiedImageError:  # its text has the address of the stream
        raise ValueError(f"cannot be decoded: not a file of {_KNOWN}") from None
    except (Image.DecompressionBombError, OSError, SyntaxError) as error:
        raise ValueError(f"cannot be decoded: {error}") from None
