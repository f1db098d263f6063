"""The files that a spec's data consists of: found, kept inside the spec's folder, hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from kspec.data.table import check_bytes, refuse
from kspec.schemas.data import Csv, ImageFolder, Npz, Parquet
from kspec.schemas.data import Source as SourceSpec

PICTURES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})
"""Suffixes of the files that count as images."""
LABELS = "labels.csv"
"""The file in an image folder that, where it exists, takes the place of subfolders."""


def find(root: Path, name: str) -> Path:
    """The path of `name` below the folder `root`.

    Raises KspecError KS501 when there is nothing, KS502 when it leads out of `root`, by `..` or
    by a symbolic link.
    """
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        raise refuse("KS502", f"{name} leads out of the spec's folder")
    if not path.exists():
        raise refuse(
            "KS501", f"there is no {name}", help=f"paths start from the spec's folder, {root}"
        )
    return path


def find_file(root: Path, name: str) -> Path:
    """`find`, for a file of at most `MAX_BYTES`; raises KspecError KS501, KS502, KS504."""
    path = find(root, name)
    if not path.is_file():
        raise refuse("KS501", f"{name} is no file")
    check_bytes(path.stat().st_size, name)
    return path


def list_pictures(folder: Path) -> list[str]:
    """The images below `folder` as sorted relative paths, whatever the file system's order."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in PICTURES)
    return sorted(path.relative_to(folder).as_posix() for path in found if path.is_file())


def _tables(root: Path, source: Csv | Parquet) -> list[tuple[str, Path]]:
    return [("", find_file(root, name)) for name in source.paths]


def _archive(root: Path, source: Npz) -> list[tuple[str, Path]]:
    return [("", find_file(root, source.path))]


def _pictures(root: Path, source: ImageFolder) -> list[tuple[str, Path]]:
    folder = find(root, source.path)
    names = list_pictures(folder)
    if (folder / LABELS).exists():
        names.append(LABELS)
    return [(name, find_file(root, f"{source.path}/{name}")) for name in names]


_FILES: Mapping[type, Callable[..., list[tuple[str, Path]]]] = MappingProxyType(
    {Csv: _tables, Parquet: _tables, Npz: _archive, ImageFolder: _pictures}
)


def digest_files(root: Path, source: SourceSpec) -> str:
    """SHA-256, in hex, of every byte that the source would read; in an image folder the names of
    the files count too. Nothing is parsed. Raises KspecError KS501, KS502, KS504.
    """
    digest = hashlib.sha256(source.key.encode())
    for name, path in _FILES[type(source)](root, source):
        with path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        digest.update(f"\n{content} {name}".encode())
    return digest.hexdigest()
