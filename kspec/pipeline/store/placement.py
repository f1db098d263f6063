"""From the store to the folder of bundles, which is never seen half-written."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from kspec.pipeline.store.content import digest_path
from kspec.pipeline.store.locks import locked


def place(parts: Mapping[str, Path], out: Path, *, seal: str, stale: Iterable[str] = ()) -> None:
    """Copy files and folders into ``out`` by their names there, and remove those that are
    ``stale``; whatever else is there stays.

    All is copied beside its place first, so that a full disk changes nothing. An ``out`` that is
    new appears whole, by one rename. In one that is there, each part is renamed in, between the
    removal of the part ``seal`` and its return: what was killed on the way has no seal.
    """
    out = out.resolve()
    with locked(out.parent):
        # In an `out` that is there: it may be another file system than the folder it is in.
        beside = (out if out.exists() else out.parent) / f".{out.name}.partial"
        for left in {beside, out.parent / beside.name}:
            shutil.rmtree(left, ignore_errors=True)
        changed = [name for name in parts if not _equal(parts[name], out / name)]
        gone = [name for name in stale if (out / name).exists()]
        if not changed and not gone:
            return
        try:
            fresh = beside / "new"
            fresh.mkdir(parents=True)
            for name in changed:
                copy(parts[name], fresh / name)
            if out.exists():
                _swap(fresh, out, [name for name in changed if name != seal], gone, seal)
            else:
                fresh.rename(out)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def _swap(fresh: Path, out: Path, changed: Iterable[str], gone: Iterable[str], seal: str) -> None:
    old = fresh.with_name("old")
    old.mkdir()
    if (out / seal).exists():
        (out / seal).rename(old / seal)
    for name in gone:
        (out / name).rename(old / name)
    for name in changed:
        if (out / name).exists():
            (out / name).rename(old / name)
        (fresh / name).rename(out / name)
    (fresh / seal if (fresh / seal).exists() else old / seal).rename(out / seal)


def replace(source: Path, final: Path) -> None:
    """Put a copy of a file or folder in the place of what is there, if anything."""
    place({final.name: source}, final.parent, seal=final.name)


def copy(source: Path, final: Path) -> None:
    """Copy a file or a folder; times and owners are those of now."""
    if source.is_dir():
        shutil.copytree(source, final, copy_function=shutil.copyfile)
    else:
        shutil.copyfile(source, final)


def _equal(source: Path, final: Path) -> bool:
    return final.exists() and digest_path(source) == digest_path(final)
