"""The picture with which clients prove their decoding."""

from __future__ import annotations

import struct
import zlib

ANY_SIZE = (61, 97)
"""Height and width of a picture that clients resample."""


def golden_picture(height: int | None = None, width: int | None = None) -> bytes:
    """Return a PNG in colour, fixed for each size, with which clients prove their decoding."""
    import numpy as np

    if height is None or width is None:
        height, width = ANY_SIZE
    y, x, c = np.indices((height, width, 3))
    pixels = ((7 * y + 13 * x + 50 * c + x * y // (c + 3)) % 256).astype(np.uint8)
    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    # Stored, not deflated, so that the bytes do not depend on the installed zlib.
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))
