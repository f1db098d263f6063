"""Protobuf messages with large fields, written without copies of these fields.

A message is a list of consecutive parts of the file. The bytes equal protobuf's own: fields are in
the order of their numbers, lengths are the shortest varints.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from kspec.compiler.ir import Array

_DELIMITED = 2
"""The wire type of text, bytes and messages: a length, then the content."""

Part = bytes | Array
"""Bytes, or a contiguous array in the byte order of the file."""
Parts = list[Part]


def delimited(number: int, content: Iterable[Part]) -> Parts:
    """Return a field of text, bytes or a message: tag and length, then the parts of the content."""
    parts = list(content)
    length = sum(part.nbytes if isinstance(part, np.ndarray) else len(part) for part in parts)
    return [_varint(number << 3 | _DELIMITED) + _varint(length), *parts]


def write_parts(path: Path, parts: Iterable[Part]) -> None:
    """Write a message to a file."""
    with path.open("wb") as file:
        for part in parts:
            file.write(part.data if isinstance(part, np.ndarray) else part)


def _varint(number: int) -> bytes:
    content = bytearray()
    while number > 0x7F:
        content.append(number & 0x7F | 0x80)
        number >>= 7
    content.append(number)
    return bytes(content)
