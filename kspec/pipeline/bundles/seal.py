"""The list of a bundle's files with their SHA-256, and the seal: the SHA-256 of the description."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from kspec.features.description import FILE, SEAL, Description
from kspec.pipeline.store.digests import checksum_line, hashes


def listed(folder: Path, ignores: Callable[[str], bool] | None = None) -> dict[str, str]:
    """Return the SHA-256 of each file of a bundle by its path, in order, except the description,
    its seal and ignored files. Raises PlaceError for a link."""
    found = hashes(folder, ".", ignores)
    return {path: found[path] for path in sorted(found.keys() - {FILE, SEAL})}


def seal(folder: Path, about: Description) -> None:
    """Write the description of a complete bundle, with the SHA-256 of all other files in
    ``files``, and beside it the seal."""
    content = about.model_copy(update={"files": listed(folder, about.ignores)}).write().encode()
    (folder / FILE).write_bytes(content)
    (folder / SEAL).write_bytes(seal_of(hashlib.sha256(content).hexdigest()))


def seal_of(sha256: str) -> bytes:
    """Return the content of the seal for a description with this SHA-256."""
    return checksum_line(sha256, FILE).encode("ascii")
