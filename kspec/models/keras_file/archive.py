"""The zip archive of a `.keras` file, read within bounds.

Nothing is extracted by name: the configuration is read into memory and the weights into an unnamed
temporary file, so paths in the archive have no effect.
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
"""The accepted entries, and the maximum bytes of each."""
LARGEST = 16 << 30
"""Maximum bytes of the file itself."""
RATIO = 1100
"""Maximum compression ratio: deflate reaches 1032."""
CHUNK = 1 << 20


@contextmanager
def open_archive(path: Path) -> Iterator[tuple[bytes, IO[bytes]]]:
    """Yield the configuration's bytes and the weights as a file; raises KspecError KS730."""
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
    """Return the entries by name; raise KspecError unless each is expected, unique and of a
    plausible size."""
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
    """Return the bytes of an entry, never more than its declared size."""
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
        raise refused("KS730", f"{entry.filename} does not have its declared size")
