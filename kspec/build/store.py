"""The content-addressed store: what a stage made, under the hash of all it read."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Store:
    """A folder ``<stage>/<key>`` for each result. A result appears whole, by a rename, or not at
    all; two builds that make the same one do no harm, the first stays."""

    root: Path

    def path(self, stage: str, key: str) -> Path:
        return self.root / stage / key

    def has(self, stage: str, key: str) -> bool:
        return self.path(stage, key).is_dir()

    @contextmanager
    def writing(self, stage: str, key: str) -> Iterator[Path]:
        """A fresh folder to fill; it takes its place when the block ends without an error."""
        final = self.path(stage, key)
        final.parent.mkdir(parents=True, exist_ok=True)
        self._ignore()
        fresh = Path(tempfile.mkdtemp(prefix=f".{key[:8]}-", dir=final.parent))
        try:
            yield fresh
            place(fresh, final)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def scratch(self, stage: str, key: str) -> Path:
        """A folder that stays when the process is killed: checkpoints go here."""
        folder = self.root / "running" / f"{stage}-{key}"
        folder.mkdir(parents=True, exist_ok=True)
        self._ignore()
        return folder

    def remember(self, name: str, stage: str, parts: Mapping[str, Any]) -> None:
        """Keep what a stage of this model read last, to say later what has changed."""
        path = self.root / "last" / name / f"{stage}.json"
        text = json.dumps(parts, sort_keys=True)
        if path.exists() and path.read_text("utf-8") == text:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}")
        beside.write_text(text, "utf-8")
        beside.replace(path)

    def remembered(self, name: str, stage: str) -> dict[str, Any] | None:
        path = self.root / "last" / name / f"{stage}.json"
        if not path.exists():
            return None
        parts: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return parts

    def _ignore(self) -> None:
        ignore = self.root / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")


def place(fresh: Path, final: Path) -> None:
    """Rename a finished folder to its place; if another is there already, that one stays."""
    fresh.chmod(0o755)
    try:
        fresh.rename(final)
    except OSError:
        if not final.is_dir():
            raise


def replace_folder(fresh: Path, final: Path) -> None:
    """Rename a finished folder to its place, in the stead of what is there."""
    fresh.chmod(0o755)
    if not final.exists():
        fresh.rename(final)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{final.name}-old-", dir=final.parent))
    final.rename(old / final.name)
    fresh.rename(final)
    shutil.rmtree(old, ignore_errors=True)


def key_of(**parts: Any) -> str:
    """The key of a stage: the hash of everything it reads, as JSON in a fixed order."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@cache
def code_digest(*places: str) -> str:
    """The hash of the source files of these packages or modules of kspec, so that a result is
    made anew when the code that makes it has changed."""
    digest = hashlib.sha256()
    for place_ in places:
        path = PACKAGE / place_
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(os.fsencode(file.relative_to(PACKAGE)) + b"\0")
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


@cache
def versions(*distributions: str) -> dict[str, str]:
    """The installed versions that a stage's result depends on."""
    return {name: version(name) for name in distributions}


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
