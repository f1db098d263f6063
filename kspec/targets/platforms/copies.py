"""The copy of a bundle's description that lies beside the golden rows, where an app reads it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import PurePosixPath

from kspec.features.description import FILE, Description


def copy_of(about: Description) -> bytes:
    """The content of the copy."""
    return about.inside_client().write().encode()


def golden_hashes(about: Description) -> dict[str, str]:
    """The SHA-256 of each file in the folder of golden rows by its name: the rows, the pictures,
    and the copy of the description."""
    paths = [about.golden.file, *about.golden.pictures.values()]
    return {
        **{PurePosixPath(path).name: about.files[path] for path in paths},
        FILE: sha256(copy_of(about)).hexdigest(),
    }
