"""The files of a spec's data: search, confinement to its roots, hashing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from kspec.data.table import MAX_BYTES, refuse
from kspec.schemas.data import Csv, ImageFolder, Npz, Parquet
from kspec.schemas.data import Source as SourceSpec
from kspec.spec.diagnostics import KspecError
from kspec.spec.roots import Roots
from kspec.spec.untrusted import File, PlaceError, Reason, check_folder, files_below

PICTURES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})
"""Suffixes of the files that count as images."""
LABELS = "labels.csv"
"""The optional file in an image folder that has the labels, in place of subfolders."""


CODES: Mapping[Reason, str] = MappingProxyType(
    {
        "missing": "KS501",
        "kind": "KS501",
        "outside": "KS502",
        "link": "KS502",
        "size": "KS504",
        "refused": "KS503",
    }
)


def find_file(roots: Roots, name: str) -> File:
    """Return the file `name`, a path in a spec, of at most `MAX_BYTES`.

    Raises KspecError: KS501 if it does not exist, KS502 for a path out of all roots or through a
    link, KS503 if the system refuses to open it, KS504 for too many bytes.
    """
    try:
        root, place = roots.place(name)
        file = File(root, place, MAX_BYTES)
        file.open().close()
    except PlaceError as error:
        raise refused(error, roots.folder) from None
    return file


def find_folder(roots: Roots, name: str) -> Folder:
    """Return the folder `name`, a path in a spec; raises KspecError KS501 and KS502."""
    try:
        root, place = roots.place(name)
        check_folder(root, place)
    except PlaceError as error:
        raise refused(error, roots.folder) from None
    return Folder(root, place)


def refused(error: PlaceError, folder: Path) -> KspecError:
    """Return the error for a path of the data that cannot be read."""
    help_ = f"paths start from the spec's folder, {folder}" if error.reason == "missing" else None
    return refuse(CODES[error.reason], error.message, help=help_)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the data."""

    root: Path
    place: str
    """The path below `root`."""

    @property
    def name(self) -> str:
        """The last component."""
        return PurePosixPath(self.place).name

    def file(self, name: str) -> File:
        """Return `find_file` of a path below this folder."""
        return find_file(Roots(self.root), f"{self.place}/{name}")

    def names(self) -> list[str]:
        """Return the relative paths of all files below, sorted. Raises KspecError KS502 for a link
        among them."""
        try:
            return sorted(files_below(self.root, self.place))
        except PlaceError as error:
            raise refused(error, self.root) from None


def is_picture(name: str) -> bool:
    """Whether a file's name has the suffix of an image."""
    return PurePosixPath(name).suffix.lower() in PICTURES


def _tables(roots: Roots, source: Csv | Parquet) -> list[tuple[str, File]]:
    return [("", find_file(roots, name)) for name in source.paths]


def _archive(roots: Roots, source: Npz) -> list[tuple[str, File]]:
    return [("", find_file(roots, source.path))]


def _pictures(roots: Roots, source: ImageFolder) -> list[tuple[str, File]]:
    folder = find_folder(roots, source.path)
    names = folder.names()
    read = [*filter(is_picture, names), *(name for name in names if name == LABELS)]
    return [(name, folder.file(name)) for name in read]


_FILES: Mapping[type, Callable[..., list[tuple[str, File]]]] = MappingProxyType(
    {Csv: _tables, Parquet: _tables, Npz: _archive, ImageFolder: _pictures}
)


def digest_files(roots: Roots, source: SourceSpec) -> str:
    """Return SHA-256, in hex, of every byte that the source would read; in an image folder the
    names of the files count too. Nothing is parsed. Raises KspecError KS501 to KS504.
    """
    digest = hashlib.sha256(source.key.encode())
    for name, file in _FILES[type(source)](roots, source):
        with file.open() as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        digest.update(f"\n{content} {name}".encode())
    return digest.hexdigest()
