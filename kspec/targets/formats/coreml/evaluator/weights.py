"""The reader of `weights/weight.bin`, Core ML's blob storage since iOS 15.

The layout is that of `mlmodel/src/MILBlob/Blob/StorageFormat.hpp` and `BlobDataType.hpp` in
coremltools' repository, all little-endian, every entry at a multiple of 64 bytes:

    header    u32 number of blobs, u32 version (2), 56 bytes reserved
    then for each blob
    metadata  u32 sentinel 0xDEADBEEF, u32 element type, u64 size in bytes, u64 offset of the data
              from the start of the file, 40 bytes reserved
    data

A program refers to a blob by the offset of its metadata.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from kspec.compiler.ir import Array
from kspec.targets.formats.coreml.evaluator.errors import PackageError

_HEADER = struct.Struct("<II56x")
_METADATA = struct.Struct("<IIQQ40x")
_VERSION = 2
_SENTINEL = 0xDEADBEEF
_ALIGNMENT = 64
_TYPES = {1: np.float16, 2: np.float32, 14: np.int32}


class WeightFile:
    """An open blob storage file. Raises PackageError if it is malformed."""

    def __init__(self, path: Path) -> None:
        self._content = path.read_bytes()
        if len(self._content) < _HEADER.size:
            raise PackageError(f"{path.name} is shorter than its header")
        self.count, version = _HEADER.unpack_from(self._content)
        if version != _VERSION:
            raise PackageError(f"{path.name} has version {version}, not {_VERSION}")

    def read(self, offset: int) -> Array:
        """Return the elements of the blob with metadata at ``offset``, as a vector."""
        if offset % _ALIGNMENT or offset + _METADATA.size > len(self._content):
            raise PackageError(f"no blob can be at offset {offset}")
        sentinel, code, size, start = _METADATA.unpack_from(self._content, offset)
        if sentinel != _SENTINEL or code not in _TYPES:
            raise PackageError(f"no blob of a known type is at offset {offset}")
        if start % _ALIGNMENT or start + size > len(self._content):
            raise PackageError(f"the data of the blob at {offset} lies outside the file")
        dtype = np.dtype(_TYPES[code]).newbyteorder("<")
        if size % dtype.itemsize:
            raise PackageError(f"the blob at {offset} has a size of {size} bytes")
        return np.frombuffer(self._content, dtype, size // dtype.itemsize, start)
