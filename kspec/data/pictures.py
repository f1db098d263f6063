"""A folder of images: one subfolder per label, or a `labels.csv` beside them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from kspec.data.delimited import CsvFiles
from kspec.data.files import LABELS, Folder, is_picture
from kspec.data.table import Request, Table, Text, check_rows, refuse
from kspec.features.kinds import Sort

IMAGE, LABEL, FILE = "image", "label", "file"
"""The columns: pixels, the subfolder's name, and in `labels.csv` the path of each image."""


@dataclass(frozen=True, slots=True)
class PictureFolder:
    """Image files with their labels."""

    folder: Folder
    files: tuple[str, ...]
    """Paths below the folder, one a row."""
    labels: CsvFiles | None
    """The columns of `labels.csv`, in the row order of `files`."""

    @classmethod
    def open(cls, folder: Folder) -> PictureFolder:
        """List the images; raises KspecError KS501, KS502, KS505 or KS506."""
        listed = folder.names()
        if LABELS not in listed:
            files = [name for name in listed if is_picture(name) and "/" in name]
            check_rows(len(files), f"{folder.name}/*/")
            return cls(folder, tuple(files), None)
        labels = CsvFiles.open([folder.file(LABELS)])
        if FILE not in labels.names:
            raise refuse("KS506", f"{folder.name}/{LABELS} has no column {FILE!r}")
        table = labels.read(Request.of([(FILE, "text")]))
        text = table.texts[FILE]
        names = [text.values[code] for code in text.codes]
        for name in names:
            folder.file(name)
        return cls(folder, tuple(names), labels)

    @property
    def names(self) -> tuple[str, ...]:
        """`image`, then `label` or the columns of `labels.csv`."""
        return (IMAGE, *(self.labels.names if self.labels else (LABEL,)))

    def sorts(self, column: str) -> frozenset[Sort]:
        """Return the sorts of a column: bytes for the images."""
        if column == IMAGE:
            return frozenset(("bytes",))
        return self.labels.sorts(column) if self.labels else frozenset(("text",))

    def read(self, request: Request) -> Table:
        """Read the labels; images are opened on demand. Raises KspecError KS503 to KS506."""
        beside = self._beside(request.without(IMAGE))
        return replace(
            beside, blobs={name: _Files(self.folder, self.files) for name in request.blobs}
        )

    def sample(self, request: Request) -> Table:
        """Read all rows, since no image is opened."""
        return self.read(request)

    def _beside(self, request: Request) -> Table:
        if self.labels is not None and request.columns:
            return self.labels.read(request)
        folders = np.array([Path(name).parts[0] for name in self.files])
        texts = {name: Text.of(folders) for name in request.texts}
        return Table(len(self.files), {}, texts, self.files.__getitem__)


@dataclass(frozen=True, slots=True)
class _Files:
    """The column of images."""

    folder: Folder
    files: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.folder.name

    def where(self, row: int) -> str:
        """Return the path below the folder."""
        return self.files[row]

    def __len__(self) -> int:
        return len(self.files)

    def open(self, row: int) -> AbstractContextManager[BinaryIO]:
        return self.folder.file(self.files[row]).open()
