"""The key by which kspec recognises results that this user made.

A store lies in the folder of a spec, so its content may come from the author of the spec. An
attacker can forge hashes together with files, but not a code that needs this key (HMAC-SHA256). The
key lies outside of every repository and only the user can read it.
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
"""The environment variable with a key that several machines share."""
SIZE = 32
_NAME = "store.key"


@dataclass(frozen=True, slots=True)
class Seals:
    """Computes and checks codes that only this user can compute."""

    key: bytes
    lasting: bool = True
    """False for a key of this process only, because no key could be stored."""

    def code(self, *parts: str) -> str:
        """Return the code of some texts, in hex."""
        text = "\n".join(f"{len(part)} {part}" for part in parts)
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()

    def fits(self, code: str, *parts: str) -> bool:
        """Return whether a code belongs to the texts."""
        return hmac.compare_digest(code.encode(), self.code(*parts).encode())


def seals_for(store: Path) -> Seals:
    """Return the seals of a store, with the key from `KSPEC_STORE_KEY`, else with the key in the
    user's state folder, which is created at the first use. If others can read that key, or it lies
    in the repository of the store, the process uses a temporary key."""
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
    """Return whether the key lies outside of the store's repository."""
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
