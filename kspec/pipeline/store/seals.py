"""The key by which kspec knows the results that this user made.

A store lies in the folder of a spec, and so may come from whoever wrote the spec. The hashes in it
can be forged along with the files; a code that needs this key (HMAC-SHA256) cannot. The key lies
outside of every repository, readable by the user alone.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import os
import secrets
import stat
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "KSPEC_STORE_KEY"
"""The environment variable that may hold a key that several machines share."""
SIZE = 32
_NAME = "store.key"


@dataclass(frozen=True, slots=True)
class Seals:
    """Codes that only this user can make."""

    key: bytes
    lasting: bool = True
    """False for a key that ends with the process, since none could be kept."""

    def code(self, *parts: str) -> str:
        """The code, in hex, of some texts."""
        text = "\n".join(f"{len(part)} {part}" for part in parts)
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()

    def fits(self, code: str, *parts: str) -> bool:
        """Whether a code is that of the texts."""
        return hmac.compare_digest(code.encode(), self.code(*parts).encode())


def seals_for(store: Path) -> Seals:
    """The seals for a store: of `KSPEC_STORE_KEY`, else of the key in the user's state folder,
    which is made at the first use. A key that others can read, or that lies in the repository of
    the store, is not used: then there is one for this process alone."""
    if given := os.environ.get(VARIABLE):
        return Seals(hashlib.sha256(given.encode()).digest())
    try:
        place = state_folder() / _NAME
        if _is_outside(place, store):
            return Seals(_kept(place))
    except (OSError, RuntimeError):  # no home, or one that cannot be written to
        pass
    return Seals(secrets.token_bytes(SIZE), lasting=False)


def state_folder() -> Path:
    """Return the folder for a user's lasting state. Raises RuntimeError without a home folder."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "kspec"
    base = Path(os.environ.get("XDG_STATE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".local" / "state") / "kspec"


def _is_outside(place: Path, store: Path) -> bool:
    """Whether the key cannot have come with the store's repository."""
    whole = store.resolve()
    above = [each for each in whole.parents if (each / ".git").exists()]
    return not place.resolve().is_relative_to(above[0] if above else whole.parent)


def _kept(place: Path) -> bytes:
    with suppress(FileNotFoundError):
        return _read(place)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=place.parent)  # for this user's eyes alone
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(secrets.token_bytes(SIZE))
        with suppress(FileExistsError):  # made by another process meanwhile
            os.link(name, place)
    finally:
        Path(name).unlink()
    return _read(place)


def _read(place: Path) -> bytes:
    handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as stream:
        found = os.fstat(handle)
        private = found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077
        if not stat.S_ISREG(found.st_mode) or not private or found.st_size != SIZE:
            raise PermissionError(errno.EPERM, "the key is not private", str(place))
        return stream.read(SIZE)
