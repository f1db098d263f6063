"""The folders in which a spec's data may lie: its own, and those that the command line grants.

A spec cannot grant itself anything, and no file beside it can: both may come from a stranger.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kspec.spec.untrusted import PlaceError


@dataclass(frozen=True, slots=True)
class Roots:
    """A spec's folder with the folders that were granted to it."""

    folder: Path
    granted: tuple[Path, ...] = ()

    def place(self, name: str) -> tuple[Path, str]:
        """The root that holds the path `name`, written from the spec's folder, and the path below
        that root. Raises PlaceError for a path that leads out of all roots. Whether a link lies on
        the way is judged when the file is opened, from the root on."""
        if ".." not in PurePosixPath(name).parts:
            return self.folder, name
        whole = _plain(self.folder / name)
        for root in self.granted:
            if whole.is_relative_to(_plain(root)):
                return root, whole.relative_to(_plain(root)).as_posix()
        raise PlaceError("outside", f"`{name}` leads out of the spec's folder")


def _plain(path: Path) -> Path:
    """The absolute path without `..`, by its text alone."""
    return Path(os.path.normpath(Path.cwd() / path))
