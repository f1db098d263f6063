"""Access to files with untrusted paths or contents, without following links.

A path is walked from a trusted root. Each component is opened relative to the folder before it and
with O_NOFOLLOW, so that the checked file is the file that is read, even if the path changes in
between. Only regular files are read, up to a given number of bytes.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

Reason = Literal["missing", "link", "outside", "kind", "size", "refused"]

MAX_FILES = 2_000_000
"""Maximum number of files of one folder."""
MAX_LEVELS = 64
"""Maximum number of folders in a path."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class PlaceError(Exception):
    """A refused path, with the reason as a word for programs and as a sentence for people."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


@dataclass(frozen=True, slots=True)
class File:
    """A file below a trusted folder. Every access raises PlaceError for a path that leads out of
    `root`, passes through a link, is not a regular file, or holds more than `limit` bytes."""

    root: Path
    place: str
    """The path below `root`, with forward slashes."""
    limit: int
    """Maximum number of bytes that are read."""

    @property
    def path(self) -> Path:
        """The path for messages; opening it would follow links."""
        return self.root / self.place

    @property
    def name(self) -> str:
        """The last component."""
        return PurePosixPath(self.place).name

    def open(self) -> io.BufferedReader:
        """Open the file for reading bytes."""
        with _parent(self.root, self.place) as (folder, name):
            _judge(os.lstat(name, dir_fd=folder), self.place, stat.S_ISREG)
            handle = os.open(name, _FILE, dir_fd=folder)
        stream = os.fdopen(handle, "rb")
        try:
            found = os.fstat(handle)
            _judge(found, self.place, stat.S_ISREG)
            if found.st_size > self.limit:
                raise self._too_large(f"{found.st_size:,}")
        except PlaceError:
            stream.close()
            raise
        return stream

    def read(self) -> bytes:
        """Return all bytes; a file that grows meanwhile is refused beyond the bound."""
        with self.open() as stream:
            content = stream.read(self.limit + 1)
        if len(content) > self.limit:
            raise self._too_large(f"more than {self.limit:,}")
        return content

    def text(self) -> io.TextIOWrapper:
        """Open the file as UTF-8 text, with or without a byte-order mark; line ends are kept."""
        return io.TextIOWrapper(self.open(), encoding="utf-8-sig", newline="")

    def _too_large(self, found: str) -> PlaceError:
        return PlaceError("size", f"`{self.place}` has {found} bytes, more than {self.limit:,}")


def located(path: Path, *, limit: int) -> File:
    """Return the file of a path on the command line; see `below_root`."""
    return File(*below_root(path), limit)


def below_root(path: Path) -> tuple[Path, str]:
    """Return a trusted folder above a path on the command line, and the path below it. The folder
    is the outermost one that is the working directory or a repository, since links below these are
    untrusted; otherwise the parent folder of the path."""
    here, whole = Path.cwd(), _upward(path)
    roots = [each for each in whole.parents if each == here or (each / ".git").exists()]
    root = roots[-1] if roots else whole.parent
    return root, whole.relative_to(root).as_posix()


def _upward(path: Path) -> Path:
    """Return the absolute path, with everything up to its last `..` resolved."""
    whole = Path.cwd() / path
    count = len(whole.parts)
    last = max((i for i, part in enumerate(whole.parts) if part == ".."), default=-1)
    if last < 0:
        return whole
    return Path(*whole.parts[: last + 1]).resolve() / Path(*whole.parts[last + 1 : count])


def check_folder(root: Path, place: str) -> None:
    """Raise PlaceError unless `place` is a folder below `root`, reached without a link."""
    with _folder(root, place):
        return


def files_below(
    root: Path, place: str, skipped: Callable[[str], bool] | None = None
) -> Iterator[str]:
    """Yield the paths of all regular files below a folder, relative to it, in no order. A file or
    folder whose path is ``skipped`` is not looked at. Raises PlaceError for any other link or
    special file below the folder, and for more than `MAX_FILES` files."""
    waiting, count, above = [""], 0, "" if place == "." else f"{place}/"
    while waiting:
        inner = waiting.pop()
        with _folder(root, above + inner) as handle, os.scandir(handle) as entries:
            for entry in entries:
                path = f"{inner}/{entry.name}" if inner else entry.name
                if skipped is not None and skipped(path):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                    continue
                _judge(entry.stat(follow_symlinks=False), above + path, stat.S_ISREG)
                count += 1
                if count > MAX_FILES:
                    raise PlaceError("size", f"`{place}` holds more than {MAX_FILES:,} files")
                yield path


@contextmanager
def _parent(root: Path, place: str) -> Iterator[tuple[int, str]]:
    """Yield an open handle of the parent folder of `place`, and the last component."""
    parts = _parts(place)
    if not parts:
        raise PlaceError("kind", f"`{place}` is a folder")
    with _folder(root, "/".join(parts[:-1]), whole=place) as handle, _explained(place, "file"):
        yield handle, parts[-1]


@contextmanager
def _folder(root: Path, place: str, whole: str | None = None) -> Iterator[int]:
    """Yield an open handle of a folder below `root`."""
    what = "folder" if whole is None else "file"
    with _explained(place, what):
        handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        passed: list[str] = []
        for part in _parts(place):
            passed.append(part)
            with _explained(whole or place, what):
                found = os.lstat(part, dir_fd=handle)
                _judge(found, "/".join(passed), stat.S_ISDIR)
                below = os.open(part, _FOLDER, dir_fd=handle)
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)


@contextmanager
def _explained(place: str, what: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise PlaceError("missing", f"there is no {what} `{place}`") from None
    except OSError as error:
        reason = (error.strerror or "it cannot be opened").lower()
        raise PlaceError("refused", f"`{place}` cannot be read: {reason}") from None


def _parts(place: str) -> list[str]:
    """Return the components; raise PlaceError if one of them leads upward."""
    path = PurePosixPath(place)
    if path.is_absolute():
        raise PlaceError("outside", f"`{place}` is an absolute path")
    if ".." in path.parts:
        raise PlaceError("outside", f"`{place}` leads out of its folder")
    if len(path.parts) > MAX_LEVELS:
        raise PlaceError("outside", f"`{place[:80]}…` leads through more than {MAX_LEVELS} folders")
    if "\0" in place:
        raise PlaceError("missing", "a path cannot contain U+0000")
    return list(path.parts)


def _judge(found: os.stat_result, place: str, wanted: object) -> None:
    """Raise PlaceError if the file is not of the wanted kind."""
    assert callable(wanted)
    if wanted(found.st_mode):
        return
    kind = next((name for test, name in _KINDS if test(found.st_mode)), "a file")
    if stat.S_ISLNK(found.st_mode):
        raise PlaceError("link", f"`{place}` is a symbolic link")
    wish = "a folder" if wanted is stat.S_ISDIR else "a file"
    raise PlaceError("kind", f"`{place}` is {kind}, not {wish}")
