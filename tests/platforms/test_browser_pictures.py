"""Inputs of the browser's client: pictures become what they are in training; others are refused."""

from __future__ import annotations

import base64
import io
import json
import re
import struct
import zlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from kspec.features.cells import read_cell
from kspec.features.kinds import host_steps
from kspec.schemas.features import Image as Picture
from tests.platforms import web

pytestmark = web.needed(web.missing())


@pytest.fixture
def platform() -> str:
    return "browser"


@pytest.fixture
def example() -> str:
    return "digits"


def png(mode: str, *, size: tuple[int, int] = (13, 7), **options: Any) -> bytes:
    """A picture of noise."""
    drawn = np.random.default_rng(3)
    pixels = drawn.integers(0, 256, (*size[::-1], 4), np.uint8)
    image = Image.fromarray(pixels, "RGBA")
    image = image.quantize(11) if mode == "P" else image.convert(mode)
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def interlaced() -> bytes:
    """A grey picture in seven passes, which Pillow reads but does not write."""
    pixels = np.random.default_rng(4).integers(0, 256, (9, 11), np.uint8)
    passes = (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    )
    lines = b"".join(
        b"\0" + line.tobytes()
        for left, top, right, down in passes
        for line in pixels[top::down, left::right]
        if line.size
    )
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", 11, 9, 8, 0, 0, 0, 1)),
        (b"IDAT", zlib.compress(lines)),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def turned(orientation: int) -> bytes:
    """A picture that EXIF says is to be turned."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return png("RGB", exif=exif)


PICTURES = {
    "bits": lambda: png("1"),
    "grey": lambda: png("L"),
    "grey with alpha": lambda: png("LA"),
    "palette of 4 bits": lambda: png("P", bits=4),
    "palette, transparent": lambda: png("P", transparency=bytes(range(0, 110, 10))),
    "colour": lambda: png("RGB"),
    "colour, one transparent": lambda: png("RGB", transparency=(1, 2, 3)),
    "colour with alpha": lambda: png("RGBA"),
    "interlaced": interlaced,
    **{f"turned, {each}": partial(turned, each) for each in range(1, 9)},
}
WANTED = (
    Picture(height=7, width=13, channels=1, maximum=16.0, resize="bilinear"),
    Picture(height=5, width=29, channels=3, resize="bilinear"),
    Picture(height=17, width=6, channels=4, maximum=1.0, resize="nearest"),
    Picture(height=1, width=1, channels=2, resize="bilinear"),
)


def described(wanted: Picture) -> dict[str, Any]:
    return {
        "name": "x",
        "dtype": "float32",
        "shape": ["batch", wanted.height, wanted.width, wanted.channels],
        "columns": [],
        "steps": [each.model_dump() for each in host_steps(wanted)],
    }


@pytest.mark.filterwarnings("ignore:Palette images with Transparency:UserWarning")
def test_pictures_become_what_they_are_in_training(bundle: Path) -> None:
    pairs = [(content(), wanted) for content in PICTURES.values() for wanted in WANTED]
    cases = [
        {"input": described(wanted), "base64": base64.b64encode(content).decode()}
        for content, wanted in pairs
    ]
    results = web.drive("prepare.mjs", bundle=str(bundle), cases=cases)
    for (content, wanted), found in zip(pairs, results, strict=True):
        expected = read_cell(io.BytesIO(content), wanted).astype(np.float32)
        np.testing.assert_array_equal(np.float32(found["data"]), expected.reshape(-1))


def test_what_is_no_input_is_refused(bundle: Path) -> None:
    strict = described(Picture(height=7, width=13, channels=1))
    row = {"name": "x", "dtype": "float32", "shape": ["batch", 2],
           "columns": ["__proto__", "b"], "steps": []}  # fmt: skip
    array = {**row, "shape": ["batch", "time", 2], "columns": []}
    small = {**strict, "steps": [{**strict["steps"][0], "max_pixels": 90}]}
    good = png("L")
    refused: list[tuple[dict[str, Any], Any, str]] = [
        (strict, png("L", size=(12, 7)), "12 × 7 pixels, the model takes 13 × 7"),
        (small, good, "x: 13 × 7 pixels, more than 90"),
        (strict, good[:60], "damaged PNG"),
        (strict, good[:-30] + good[-12:], "damaged PNG"),
        (strict, b"GIF89a", "outside of a browser"),
        (row, {"b": 1}, "__proto__ is missing"),
        (row, json.loads('{"__proto__": 1, "b": 2, "c": 3}'), "no column c"),
        (row, json.loads('{"__proto__": 1, "b": "2"}'), "b is not a number"),
        (row, [1, 2, 3], "3 values, not 2"),
        (row, 7, "an object by column"),
        (array, [[1, 2], [3, 4]], "not time × 2"),
        (array, {"data": [1, 2, 3], "shape": [1, 3]}, "not time × 2"),
        (array, {"data": [1, 2, 3], "shape": [1, 2]}, "3 values, not 2"),
    ]
    deep = io.BytesIO()
    Image.fromarray(np.zeros((7, 13), np.uint16)).save(deep, "PNG")
    refused.append((strict, deep.getvalue(), "more than eight bits"))
    cases = [
        {"input": given, "base64": base64.b64encode(value).decode()}
        if isinstance(value, bytes)
        else {"input": given, "value": value}
        for given, value, _ in refused
    ]
    results = web.drive("prepare.mjs", bundle=str(bundle), cases=cases)
    for (_, value, problem), found in zip(refused, results, strict=True):
        assert re.match("(TypeError|RangeError): ", found["error"]), found
        assert problem in found["error"], value
