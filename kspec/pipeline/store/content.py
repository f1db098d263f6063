"""The content-addressed store: the result of each stage under the hash of the stage's inputs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from kspec.pipeline.store.digests import hashes, sha256_of
from kspec.pipeline.store.locks import Told, locked
from kspec.pipeline.store.seals import VARIABLE, Seals, seals_for
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.untrusted import File, PlaceError, below_root, check_folder

MAX_INDEX = 16 << 20
"""Bound on the bytes of a small file of the store."""
UNSEALED = "it was not made with this user's key"
KEYLESS = f"no key could be kept for this user; set {VARIABLE}"


@dataclass(frozen=True, slots=True)
class Look:
    """The state of one result in the store."""

    sound: bool = False
    damage: str | None = None
    """Why an existing result is not used; None if there is no result."""


@dataclass(frozen=True, slots=True)
class Store:
    """A folder ``<stage>/<key>`` for each result; beside it, ``<key>.json`` has the SHA-256 of the
    result's files and a code that only this user can compute. A result appears whole, by a rename.
    If two builds want the same result, the second one waits for the first. A result that differs
    from what was stored counts as absent and is made again."""

    root: Path
    seals: Seals

    @classmethod
    def at(cls, root: Path) -> Store:
        """Return the store in a folder. Raises KspecError KS917 if a link leads there."""
        if os.path.lexists(root):
            refuse_link(*below_root(root))
        return cls(root, seals_for(root))

    def path(self, stage: str, key: str) -> Path:
        """Return the folder of a result, whether it exists or not."""
        return self.root / stage / key

    def has(self, stage: str, key: str) -> bool:
        """Return whether the store has the result and every byte of it is as it was stored."""
        return self.look(stage, key).sound

    def look(self, stage: str, key: str) -> Look:
        """Read every byte of a result and return whether it is as it was stored."""
        try:
            index = json.loads(File(self.root, f"{stage}/{key}.json", MAX_INDEX).read())
            listed, code = dict(index["files"]), str(index["seal"])
            if not self.seals.fits(code, stage, key, key_of(files=listed)):
                return Look(damage=UNSEALED if self.seals.lasting else KEYLESS)
            found = hashes(self.root, f"{stage}/{key}")
        except PlaceError as error:
            absent = error.reason == "missing" and not self.path(stage, key).is_dir()
            return Look(damage=None if absent else error.message)
        except (OSError, ValueError, RecursionError, LookupError, TypeError, AttributeError):
            return Look(damage=f"{key}.json cannot be read")
        odd = sorted(name for name in found.keys() | listed if found.get(name) != listed.get(name))
        return Look(damage=f"{odd[0]} was changed") if odd else Look(sound=True)

    @contextmanager
    def writing(self, stage: str, key: str, waiting: Told | None = None) -> Iterator[Path | None]:
        """Yield a new folder to fill, which becomes the result if the block ends without an error;
        None if another process made the result while this one waited."""
        self._folder("locks")
        with locked(self.root / "locks" / f"{stage}-{key}", waiting):
            running, final = self.scratch(stage, key), self.path(stage, key)
            if self.has(stage, key):
                yield None
                shutil.rmtree(running, ignore_errors=True)
                return
            self._folder("running", f"{stage}-{key}")
            fresh = running / "result"
            remove(fresh)
            fresh.mkdir()
            try:
                yield fresh
                self._folder(stage)
                remove(final)
                self.seal(stage, key, fresh)
                fresh.rename(final)
                shutil.rmtree(running)
            except BaseException:
                shutil.rmtree(fresh, ignore_errors=True)
                raise

    def seal(self, stage: str, key: str, folder: Path) -> None:
        """Write the index of a result: the hashes of the files in the folder, and the code."""
        files = hashes(folder.parent, folder.name)
        code = self.seals.code(stage, key, key_of(files=files))
        text = json.dumps({"files": files, "seal": code}, indent=1, sort_keys=True)
        write_whole(self.path(stage, key).with_name(f"{key}.json"), text)

    def scratch(self, stage: str, key: str) -> Path:
        """Return the folder of a running stage. Its files survive a killed process until the result
        is made: checkpoints."""
        return self.root / "running" / f"{stage}-{key}"

    def secret(self, stage: str, key: str) -> bytes:
        """Return the secret of a stage's checkpoints."""
        return self.seals.code("checkpoint", stage, key).encode()

    def remember(self, model: str, slot: str, parts: Mapping[str, Any]) -> None:
        """Store what a stage of this model read last, so that a later build can say what
        changed."""
        if self.remembered(model, slot) != parts:
            self._folder("last", model)
            write_whole(self.root / "last" / model / f"{slot}.json", _text(parts))

    def remembered(self, model: str, slot: str) -> dict[str, Any] | None:
        """Return what `remember` stored; None if it stored nothing."""
        try:
            parts = json.loads(File(self.root, f"last/{model}/{slot}.json", MAX_INDEX).read())
        except (PlaceError, ValueError, RecursionError):
            return None
        return parts if isinstance(parts, dict) else None

    def _folder(self, *parts: str) -> None:
        """Create a folder in the store. Raises KspecError KS917 if a link is on the path."""
        self.root.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(self.root / ".gitignore"):
            write_whole(self.root / ".gitignore", "*\n")
        for count in range(1, len(parts) + 1):
            place = "/".join(parts[:count])
            with suppress(FileExistsError):
                (self.root / place).mkdir()
            refuse_link(self.root, place)


def refuse_link(root: Path, place: str) -> None:
    """Raise KspecError KS917 unless `place` below `root` is a folder and no link is on the path."""
    try:
        check_folder(root, place)
    except PlaceError as error:
        help_ = "remove it; results are written into real folders alone"
        raise KspecError(Diagnostic("KS917", error.message, help=help_)) from None


def remove(path: Path) -> None:
    """Remove a folder with its content, a file or a link, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write a small file beside its place and rename it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".partial")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _text(parts: Mapping[str, Any]) -> str:
    return json.dumps(parts, sort_keys=True, ensure_ascii=False, allow_nan=False)


def key_of(**parts: Any) -> str:
    """Return the key of a stage: the hash of its inputs as JSON in a fixed order."""
    return hashlib.sha256(_text(parts).encode()).hexdigest()[:32]


@cache
def versions(*distributions: str) -> dict[str, str]:
    """Return the versions of the installed ones of these distributions."""
    found = {}
    for name in distributions:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def digest_file(file: File) -> str:
    """Return the SHA-256, in hex, of a file that a spec names. Raises KspecError KS210 for a file
    that cannot be read."""
    try:
        return sha256_of(file)
    except PlaceError as error:
        raise KspecError(Diagnostic("KS210", error.message)) from None
