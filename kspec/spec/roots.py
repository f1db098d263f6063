"""The folders that may contain a spec's data: its own, and folders granted by the command line.

Neither a spec nor a file beside it can grant a folder: both may be untrusted.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kspec.spec.untrusted import PlaceError


@dataclass(frozen=True, slots=True)
class Roots:
    """A spec's folder and the folders granted to it."""

    folder: Path
    granted: tuple[Path, ...] = ()

    def place(self, name: str) -> tuple[Path, str]:
        """Return the root of the path `name`, relative to the spec's folder, and the path below
        that root. Raises PlaceError for a path that leads out of all roots. Links on the path are
        refused later, when the file is opened."""
        if ".." not in PurePosixPath(name).parts:
            return self.folder, name
        whole = _plain(self.folder / name)
        for root in self.granted:
            if whole.is_relative_to(_plain(root)):
                return root, whole.relative_to(_plain(root)).as_posix()
        raise PlaceError("outside", f"`{name}` leads out of the spec's folder")


def _plain(path: Path) -> Path:
    """Return the absolute path without `..`, by its text alone."""
    return Path(os.path.normpath(Path.cwd() / path))
