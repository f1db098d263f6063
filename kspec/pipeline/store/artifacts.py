"""An artifact is a set of files: its digest, and its way from one folder to another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

BLOCK = 2**20


@dataclass(frozen=True, slots=True)
class ArtifactDigest:
    """What identifies an artifact's files."""

    sha256: str
    """Of the file; of several files, the SHA-256 of the lines ``<sha256>  <path>``, sorted by path.
    The paths are relative to the artifact if that is a folder, else to the folder that it is in."""
    bytes: int
    """The sum over all files."""
    files: Mapping[str, str]
    """The SHA-256 of each file by its POSIX path, relative to the folder of the artifact."""


def digest_artifact(path: Path, files: Iterable[str]) -> ArtifactDigest:
    """Hash the files of the artifact whose main file or folder is ``path``. Raises OSError for a
    file that is missing."""
    found = {name: _hash(path.parent / name) for name in sorted(files)}
    total = sum((path.parent / name).stat().st_size for name in found)
    if list(found) == [path.name]:
        return ArtifactDigest(found[path.name], total, found)
    inside = f"{path.name}/" if path.is_dir() else ""
    lines = sorted((name.removeprefix(inside), sha256) for name, sha256 in found.items())
    text = "".join(f"{sha256}  {name}\n" for name, sha256 in lines)
    return ArtifactDigest(hashlib.sha256(text.encode()).hexdigest(), total, found)


def parts(path: Path, files: Iterable[str]) -> dict[str, Path]:
    """The files and folders that make up the artifact, by their names: what is copied with it."""
    names = sorted({name.partition("/")[0] for name in files})
    return {name: path.parent / name for name in names}


def changes(path: Path, files: Mapping[str, str]) -> tuple[str, ...]:
    """The files that are missing, changed, or too many, compared with their hashes."""
    found = {
        each.relative_to(path.parent).as_posix(): each
        for root in parts(path, files).values()
        for each in (root, *root.rglob("*"))
        if each.is_symlink() or each.is_file()
    }
    changed = {
        name
        for name in found.keys() & files.keys()
        if found[name].is_symlink() or _hash(found[name]) != files[name]
    }
    return tuple(sorted(changed | (found.keys() ^ files.keys())))


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
