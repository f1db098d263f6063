"""The list of a bundle's files with their hashes, and the hash of the description that holds it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from kspec.features.description import FILE, SEAL, Description


def hashes(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file of a bundle by its path, but for the description and its seal."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path not in (folder / FILE, folder / SEAL)
    }


def seal(folder: Path, about: Description) -> None:
    """Write the description of a complete bundle, with the hashes of all other files under
    ``files``, and then the description's own SHA-256 beside it."""
    content = about.model_copy(update={"files": hashes(folder)}).write().encode()
    (folder / FILE).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    (folder / SEAL).write_text(f"{digest}  {FILE}\n", "ascii")
