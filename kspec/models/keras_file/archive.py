"""The zip around a `.keras` file, within bounds.

Nothing is extracted by name: the two entries that are read go into memory and into a temporary
file without a name, so that paths in the archive mean nothing.
"""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import IO, BinaryIO

from kspec.models.keras_file.refusal import refused
from kspec.spec.untrusted import PlaceError, located

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
LIMITS: Mapping[str, int] = MappingProxyType(
    {CONFIG: 64 << 20, METADATA: 64 << 10, WEIGHTS: 16 << 30}
)
"""The entries there may be, and the most bytes of each."""
LARGEST = 16 << 30
"""Bound on the bytes of the file itself."""
RATIO = 1100
"""Most bytes for one compressed byte: deflate reaches 1032."""
CHUNK = 1 << 20


@contextmanager
def open_archive(path: Path) -> Iterator[tuple[bytes, IO[bytes]]]:
    """The configuration's bytes and the weights as a file; raises KspecError KS730."""
    with (
        _opened(path) as stream,
        _archive(stream, path.name) as archive,
        tempfile.TemporaryFile() as weights,
    ):
        entries = _entries(archive)
        config = b"".join(_chunks(archive, entries[CONFIG]))
        for chunk in _chunks(archive, entries[WEIGHTS]):
            weights.write(chunk)
        weights.seek(0)
        yield config, weights


def _opened(path: Path) -> BinaryIO:
    try:
        return located(path, limit=LARGEST).open()
    except PlaceError as error:
        raise refused("KS730", f"{path} cannot be read: {error.message}") from None


def _archive(stream: BinaryIO, name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        help_ = "a .keras file is a zip that Keras 3 wrote; convert .h5 files with Keras first"
        raise refused("KS730", f"{name} is not a .keras file: {error}", help_) from error


def _entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The entries by name, each one expected, once, and of a size that it can have."""
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        name = entry.filename
        if name not in LIMITS:
            help_ = "sharded weights and assets, such as vocabularies, are not read"
            raise refused("KS730", f"the file holds an entry {name[:80]!r}", help_)
        if name in found:
            raise refused("KS730", f"the file holds {name} twice")
        if entry.flag_bits & 1 or entry.compress_type not in (
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
        ):
            raise refused("KS730", f"{name} is encrypted or compressed in a way that is not read")
        if entry.file_size > LIMITS[name] or entry.file_size > RATIO * entry.compress_size:
            message = f"{name} claims {entry.file_size:,} bytes from {entry.compress_size:,}"
            raise refused("KS730", message)
        found[name] = entry
    for name in (CONFIG, WEIGHTS):
        if name not in found:
            raise refused("KS730", f"the file has no {name}")
    return found


def _chunks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """What an entry holds, never more than it claims."""
    left = entry.file_size
    try:
        with archive.open(entry) as stream:
            while chunk := stream.read(CHUNK):
                left -= len(chunk)
                if left < 0:
                    break
                yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise refused("KS730", f"{entry.filename} cannot be unpacked: {error}") from error
    if left:
        raise refused("KS730", f"{entry.filename} has not the size that it claims")
