"""SHA-256 of files: of a result in the store, of an artifact, of a bundle."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from kspec.spec.untrusted import File, files_below

MAX_FILE = 1 << 40
"""Bound on the bytes of one file."""


def sha256_of(file: File) -> str:
    """Return the SHA-256 of a file in hex. Raises PlaceError for a file that is missing or cannot
    be read, and for a link."""
    with file.open() as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def hashes(root: Path, place: str, skipped: Callable[[str], bool] | None = None) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder, by relative path; of a single file, under
    the empty path. ``skipped`` says which paths below the folder are not looked at. Raises
    PlaceError for a link or a special file among the others, and for a missing folder."""
    if (root / place).is_file():
        return {"": sha256_of(File(root, place, MAX_FILE))}
    return {
        name: sha256_of(File(root, f"{place}/{name}", MAX_FILE))
        for name in files_below(root, place, skipped)
    }


def sha256_of_list(files: Mapping[str, str]) -> str:
    """Return the SHA-256 of the text of all hashes: a line ``<sha256>  <path>`` for each file, as
    ``sha256sum`` writes it, sorted by path."""
    text = "".join(checksum_line(files[path], path) for path in sorted(files))
    return hashlib.sha256(text.encode()).hexdigest()


def checksum_line(sha256: str, path: str) -> str:
    """Return the line that ``sha256sum`` writes for a file."""
    return f"{sha256}  {path}\n"
