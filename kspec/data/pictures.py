"""A folder of images: one subfolder per label, or a `labels.csv` beside them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from kspec.data.delimited import CsvFiles
from kspec.data.faults import ROUTE, bounded
from kspec.data.files import LABELS, Folder, is_picture
from kspec.data.resampling import resize
from kspec.data.table import (
    Array,
    Request,
    Table,
    Text,
    check_bytes,
    check_rows,
    refuse,
)
from kspec.schemas.features import Image as Picture
from kspec.spec.diagnostics import Diagnostic

if TYPE_CHECKING:
    from PIL.Image import Image

IMAGE, LABEL, FILE = "image", "label", "file"
"""The columns: pixels, the subfolder's name, and in `labels.csv` the path of each image."""

MAX_PIXELS = 64 << 20
"""Bound on the pixels of one image; a larger one is not decoded."""

SAMPLE_FILES = 100
"""Images whose headers `check` reads at most."""

_FULL = 255
_ORIENTATION = 0x0112
_TURNED = frozenset({5, 6, 7, 8})
"""Orientations of EXIF that exchange width and height."""
_FORMATS = ("BMP", "JPEG", "PNG", "WEBP")
_MODES: Mapping[int, str] = MappingProxyType({1: "L", 2: "LA", 3: "RGB", 4: "RGBA"})
_NARROW = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA"})
"""Modes with eight bits a channel; Pillow clips the others, 16 bits of grey among them."""


@dataclass(frozen=True, slots=True)
class PictureFolder:
    """Images, decoded with Pillow, turned upright as their EXIF says, and brought to one size."""

    folder: Folder
    files: tuple[str, ...]
    """Paths below the folder, one a row."""
    labels: CsvFiles | None
    """The columns of `labels.csv`, row by row those of `files`."""

    @classmethod
    def open(cls, folder: Folder) -> PictureFolder:
        """List the images; raises KspecError KS501, KS502, KS505 or KS506."""
        listed = folder.names()
        if LABELS not in listed:
            files = [name for name in listed if is_picture(name) and "/" in name]
            check_rows(len(files), f"{folder.name}/*/")
            return cls(folder, tuple(files), None)
        labels = CsvFiles.open([folder.file(LABELS)])
        if FILE not in labels.names:
            raise refuse("KS506", f"{folder.name}/{LABELS} has no column {FILE!r}")
        table = labels.read(Request({}, frozenset({FILE})))
        text = table.texts[FILE]
        names = [text.values[code] for code in text.codes]
        for name in names:
            folder.file(name)
        return cls(folder, tuple(names), labels)

    @property
    def names(self) -> tuple[str, ...]:
        """`image`, then `label` or the columns of `labels.csv`."""
        return (IMAGE, *(self.labels.names if self.labels else (LABEL,)))

    def read(self, request: Request) -> Table:
        """Decode the images and read the labels; raises KspecError KS504, KS520 or KS540."""
        numbers = {k: v for k, v in request.numbers.items() if k != IMAGE}
        beside = self._beside(Request(numbers, request.texts))
        columns, problems = dict(beside.numbers), list[Diagnostic]()
        if IMAGE in request.numbers:
            columns[IMAGE] = self._decode(_image(request.numbers[IMAGE]), problems)
        return replace(beside, numbers=columns, problems=(*beside.problems, *problems))

    def sample(self, request: Request) -> Table:
        """The labels of all images, and the size and mode that the first SAMPLE_FILES say of
        themselves; no pixel is decoded. Raises as `read` does."""
        numbers = {k: v for k, v in request.numbers.items() if k != IMAGE}
        beside = self._beside(Request(numbers, request.texts))
        if IMAGE not in request.numbers:
            return beside
        wanted = _image(request.numbers[IMAGE])
        problems = list(beside.problems)
        for name in self.files[:SAMPLE_FILES]:
            try:
                with self.folder.file(name).open() as stream:
                    _look_at(stream, wanted)
            except ValueError as error:
                problems.append(Diagnostic("KS540", f"{name}: {error}", ROUTE))
        shape = (len(self.files), wanted.height, wanted.width, wanted.channels)
        pixels = np.broadcast_to(np.zeros((), np.uint8), shape)
        columns = {**beside.numbers, IMAGE: pixels}
        return replace(beside, numbers=columns, problems=bounded(problems), is_whole=False)

    def _beside(self, request: Request) -> Table:
        if self.labels is not None and (request.numbers or request.texts):
            return self.labels.read(request)
        if request.numbers:
            raise refuse("KS520", f"the column {LABEL!r} holds names of folders, not numbers")
        folders = np.array([Path(name).parts[0] for name in self.files])
        texts = {name: Text.of(folders) for name in request.texts if name == LABEL}
        return Table(len(self.files), {}, texts, self.files.__getitem__)

    def _decode(self, wanted: Picture, problems: list[Diagnostic]) -> Array:
        """uint8 or float32 [images, height, width, channels]; zeros where one is unusable."""
        shape = (len(self.files), wanted.height, wanted.width, wanted.channels)
        dtype = np.dtype(np.uint8 if _as_stored(wanted) else np.float32)
        check_bytes(math.prod(shape) * dtype.itemsize, self.folder.name)
        pixels, found = np.zeros(shape, dtype), list[Diagnostic]()
        for row, name in enumerate(self.files):
            try:
                with self.folder.file(name).open() as stream:
                    pixels[row] = decode(stream, wanted)
            except ValueError as error:
                found.append(Diagnostic("KS540", f"{name}: {error}", ROUTE))
        problems += bounded(found)
        return pixels


def _image(wanted: Picture | None) -> Picture:
    if wanted is None:
        raise refuse(
            "KS511", "images can only be read by an input of the kind image", help="image: …"
        )
    return wanted


def decode(path: Path | BinaryIO, wanted: Picture) -> Array:
    """The pixels of an image file as [height, width, channels]: float32 from 0 to the input's
    maximum, or uint8 where neither that nor a resize asks for more.

    Colour becomes grey as Pillow has it, (19595 R + 38470 G + 7471 B + 32768) >> 16; transparency
    is dropped where the input has no channel for it. Raises ValueError with the reason: unknown
    format, damaged, too many pixels, more than eight bits a channel, or another size than the
    input's where it says no `resize`.
    """
    from PIL import ImageOps

    with _opened(path) as image:
        upright: Any = ImageOps.exif_transpose(image)
        found = (upright.width, upright.height)
        _check_size(found, wanted)
        pixels = np.asarray(upright.convert(_MODES[wanted.channels]))
    pixels = pixels.reshape(*found[::-1], wanted.channels)
    if wanted.resize is not None:
        pixels = resize(pixels, wanted.height, wanted.width, wanted.resize)
    return pixels if _as_stored(wanted) else (pixels * (wanted.maximum / 255)).astype(np.float32)


def _look_at(file: BinaryIO, wanted: Picture) -> None:
    """Raise ValueError for what `decode` would refuse by the header of the file alone."""
    with _opened(file) as image:
        turned = image.getexif().get(_ORIENTATION) in _TURNED
        found = (image.height, image.width) if turned else (image.width, image.height)
        _check_size(found, wanted)


@contextmanager
def _opened(path: Path | BinaryIO) -> Iterator[Image]:
    """An image whose header was read; raises ValueError for what is not usable as one."""
    from PIL import Image, UnidentifiedImageError

    try:
        # Pillow's own warning about decompression bombs comes after our bound.
        with (
            warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning),
            Image.open(path, formats=_FORMATS) as image,
        ):
            _check(image)
            yield image
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError) as error:
        raise ValueError(f"cannot be decoded: {error}") from None


def _check_size(found: tuple[int, int], wanted: Picture) -> None:
    if wanted.resize is None and found != (wanted.width, wanted.height):
        raise ValueError(
            f"{found[0]} × {found[1]} pixels, the spec says {wanted.width} × {wanted.height}"
        )


def _as_stored(wanted: Picture) -> bool:
    return wanted.resize is None and wanted.maximum == _FULL


def _check(image: Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise ValueError(f"{image.width} × {image.height} pixels, more than {MAX_PIXELS:,}")
    if image.mode not in _NARROW:
        raise ValueError(f"pixels of the mode {image.mode}, not of eight bits a channel")
