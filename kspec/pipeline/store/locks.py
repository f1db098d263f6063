"""Locks between processes."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Told = Callable[[str], None]
"""Called with the holder of a lock before this process waits for it."""

_LONGEST = 200
"""Bound on the bytes of the holder's description."""


@contextmanager
def locked(file: Path, waiting: Told | None = None) -> Iterator[None]:
    """Hold the lock of a file; wait while another process holds it. The lock ends with the process,
    however the process ends: the file that a killed process leaves behind locks nothing. Raises
    OSError if the file cannot be created or is a link."""
    handle = _acquired(file, waiting)
    try:
        yield
    finally:
        # Removed while it is held: a process that waits for it sees that and makes a new one.
        with suppress(FileNotFoundError):
            file.unlink()
        os.close(handle)


def _acquired(file: Path, waiting: Told | None) -> int:
    while True:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            _wait(handle, waiting)
            if _is_at(handle, file):
                os.truncate(handle, 0)
                os.write(handle, f"process {os.getpid()} on {socket.gethostname()}".encode())
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _wait(handle: int, waiting: Told | None) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if waiting is not None:
            waiting(os.pread(handle, _LONGEST, 0).decode(errors="replace") or "another process")
        fcntl.flock(handle, fcntl.LOCK_EX)


def _is_at(handle: int, file: Path) -> bool:
    """Return whether the handle still belongs to the file at the path: the last holder removes
    it."""
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(file))
    except FileNotFoundError:
        return False
