"""An artifact as a set of files: its digest, its parts, and changes to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kspec.pipeline.store.digests import MAX_FILE, sha256_of, sha256_of_list
from kspec.spec.untrusted import File, PlaceError


@dataclass(frozen=True, slots=True)
class ArtifactDigest:
    """The identity of an artifact's files."""

    sha256: str
    """The SHA-256 of the file; of several files, the SHA-256 of the lines ``<sha256>  <path>``,
    sorted by path. Paths are relative to the artifact if it is a folder, else to its folder."""
    bytes: int
    """The sum of the sizes of all files."""
    files: Mapping[str, str]
    """The SHA-256 of each file by its POSIX path, relative to the folder that contains the
    artifact."""


def digest_artifact(path: Path, files: Iterable[str]) -> ArtifactDigest:
    """Hash the files of the artifact whose main file or folder is ``path``. Raises PlaceError for a
    file that is missing or is a link."""
    found = {name: sha256_of(File(path.parent, name, MAX_FILE)) for name in sorted(files)}
    total = sum((path.parent / name).stat().st_size for name in found)
    if list(found) == [path.name]:
        return ArtifactDigest(found[path.name], total, found)
    inside = f"{path.name}/" if path.is_dir() else ""
    listed = {name.removeprefix(inside): sha256 for name, sha256 in found.items()}
    return ArtifactDigest(sha256_of_list(listed), total, found)


def parts(path: Path, files: Iterable[str]) -> dict[str, Path]:
    """Return the artifact's top-level files and folders by name: copying them copies the
    artifact."""
    names = sorted({name.partition("/")[0] for name in files})
    return {name: path.parent / name for name in names}


def changes(path: Path, files: Mapping[str, str]) -> tuple[str, ...]:
    """Return the files that are missing, changed or added, compared with their hashes."""
    found = {
        each.relative_to(path.parent).as_posix()
        for root in parts(path, files).values()
        for each in (root, *root.rglob("*"))
        if each.is_symlink() or each.is_file()
    }
    changed = {name for name in found & files.keys() if _sha256(path.parent, name) != files[name]}
    return tuple(sorted(changed | (found ^ files.keys())))


def _sha256(folder: Path, name: str) -> str | None:
    """Return the SHA-256 of a file; None for a link."""
    try:
        return sha256_of(File(folder, name, MAX_FILE))
    except PlaceError:
        return None
