"""The content-addressed store: what a stage made, under the hash of all it read."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from kspec.pipeline.store.locks import locked
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.untrusted import File, PlaceError


@dataclass(frozen=True, slots=True)
class Store:
    """A folder ``<stage>/<key>`` for each result, with the sizes of its files beside it in
    ``<key>.json``. A result appears whole, by a rename, or not at all; of two builds that want the
    same one, the second waits for the first. A result with a file deleted, cut off or added is
    none, and is made again; bytes changed in place are not looked for."""

    root: Path

    def path(self, stage: str, key: str) -> Path:
        """Where a result lies, or would."""
        return self.root / stage / key

    def has(self, stage: str, key: str) -> bool:
        """Whether the result is there, every file at its full size."""
        folder = self.path(stage, key)
        try:
            listed = json.loads(folder.with_name(f"{key}.json").read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return False
        return bool(_sizes(folder) == listed)

    @contextmanager
    def writing(self, stage: str, key: str) -> Iterator[Path | None]:
        """A fresh folder to fill, which takes its place when the block ends without an error; None
        where another process has made the result while this one waited for it."""
        running, final = self.scratch(stage, key), self.path(stage, key)
        with locked(running):
            if self.has(stage, key):
                yield None
                shutil.rmtree(running)
                return
            self._ignore()
            fresh = running / "result"
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            try:
                yield fresh
                shutil.rmtree(final, ignore_errors=True)
                final.parent.mkdir(parents=True, exist_ok=True)
                _write_whole(final.with_name(f"{key}.json"), json.dumps(_sizes(fresh)))
                fresh.rename(final)
                shutil.rmtree(running)
            except BaseException:
                shutil.rmtree(fresh, ignore_errors=True)
                raise

    def scratch(self, stage: str, key: str) -> Path:
        """The folder of a stage that runs. What is put there outlives a process that is killed,
        until the result is made: checkpoints."""
        return self.root / "running" / f"{stage}-{key}"

    def remember(self, model: str, slot: str, parts: Mapping[str, Any]) -> None:
        """Keep what a stage of this model read last, to say later what has changed."""
        path = self.root / "last" / model / f"{slot}.json"
        if self.remembered(model, slot) != parts:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_whole(path, json.dumps(parts, sort_keys=True))

    def remembered(self, model: str, slot: str) -> dict[str, Any] | None:
        """What `remember` kept, if anything."""
        try:
            text = (self.root / "last" / model / f"{slot}.json").read_text("utf-8")
            parts: dict[str, Any] = json.loads(text)
        except (FileNotFoundError, ValueError):
            return None
        return parts

    def _ignore(self) -> None:
        ignore = self.root / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")


def _sizes(folder: Path) -> dict[str, int]:
    files = (each for each in folder.rglob("*") if each.is_file())
    return {file.relative_to(folder).as_posix(): file.stat().st_size for file in sorted(files)}


def _write_whole(path: Path, text: str) -> None:
    beside = path.with_suffix(f".{os.getpid()}")
    beside.write_text(text, "utf-8")
    beside.replace(path)


def key_of(**parts: Any) -> str:
    """The key of a stage: the hash of everything it reads, as JSON in a fixed order."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@cache
def versions(*distributions: str) -> dict[str, str]:
    """The versions of those distributions that are installed."""
    found = {}
    for name in distributions:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def digest_file(file: File) -> str:
    """SHA-256, in hex, of a file that a spec names. Raises KspecError KS210 for one that is not
    read."""
    try:
        with file.open() as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except PlaceError as error:
        raise KspecError(Diagnostic("KS210", error.message)) from None


def digest_path(path: Path) -> tuple[str, int]:
    """SHA-256 in hex and bytes of a file, or of a folder: the hash over the relative path and hash
    of each file in order."""
    if path.is_file():
        content = path.read_bytes()
        return hashlib.sha256(content).hexdigest(), len(content)
    digest, total = hashlib.sha256(), 0
    for file in sorted(each for each in path.rglob("*") if each.is_file()):
        content = file.read_bytes()
        total += len(content)
        line = f"{hashlib.sha256(content).hexdigest()}  {file.relative_to(path).as_posix()}\n"
        digest.update(line.encode())
    return digest.hexdigest(), total
