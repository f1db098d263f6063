"""The files of the bundle, compared with the list in its description."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

DESCRIPTION = "kspec-bundle.json"
SEAL = "kspec-bundle.json.sha256"
"""The SHA-256 of the description, as ``sha256sum`` writes it."""
EVERYWHERE = "**/"
"""The start of an ignored name that may occur in any folder; other names are paths."""


def altered_files(folder: Path) -> list[str]:
    """Return a sentence for each file of a bundle that is changed, missing or added.

    The description lists the SHA-256 of every other file; ``SEAL`` contains the description's.
    Files that the platform's tools create are listed under ``ignored`` and are not compared.
    """
    try:
        content = (folder / DESCRIPTION).read_bytes()
        sealed = (folder / SEAL).read_bytes()
        about = json.loads(content)
        listed, ignored = dict(about["files"]), tuple(about["ignored"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        return [f"{DESCRIPTION} or {SEAL} cannot be read: {type(error).__name__}: {error}"]
    found = list(_compared(folder, listed, ignored))
    if sealed != f"{hashlib.sha256(content).hexdigest()}  {DESCRIPTION}\n".encode("ascii"):
        found.insert(0, f"{DESCRIPTION} is not the file that was built")
    return found


def _compared(folder: Path, listed: Mapping[str, str], ignored: Sequence[str]) -> Iterator[str]:
    for path, sha256 in sorted(listed.items()):
        file = folder / path
        if file.is_symlink() or not file.is_file():
            yield f"{path} is missing"
        elif hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
            yield f"{path} is not the file that was built"
    for path in _paths(folder, PurePosixPath(), ignored):
        if path not in listed and path not in (DESCRIPTION, SEAL):
            yield f"{path} does not belong to the bundle"


def _paths(folder: Path, within: PurePosixPath, ignored: Sequence[str]) -> Iterator[str]:
    """Yield the paths of all files and links below a folder, except ignored ones."""
    for each in sorted((folder / within).iterdir()):
        place = within / each.name
        if str(place) in ignored or EVERYWHERE + each.name in ignored:
            continue
        if each.is_dir() and not each.is_symlink():
            yield from _paths(folder, place, ignored)
        else:
            yield str(place)
