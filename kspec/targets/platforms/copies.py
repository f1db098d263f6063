"""The copy of a bundle's description beside the golden rows, which apps read."""

from __future__ import annotations

from hashlib import sha256
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kspec.features.description import Description


def copy_in(folder: str, about: Description) -> dict[str, bytes]:
    """Return the copy by its path in the bundle; ``folder`` ends in a slash."""
    name, content = _copy(about)
    return {f"{folder}{name}": content}


def golden_hashes(about: Description) -> dict[str, str]:
    """Return the SHA-256 of each file in the folder of golden rows, by file name: the rows, the
    pictures, and the copy of the description."""
    paths = [about.golden.file, *about.golden.pictures.values()]
    name, content = _copy(about)
    return {
        **{PurePosixPath(path).name: about.files[path] for path in paths},
        name: sha256(content).hexdigest(),
    }


def _copy(about: Description) -> tuple[str, bytes]:
    """Return the name and the content of the file."""
    from kspec.features.description import FILE

    return FILE, about.inside_client().write().encode()
