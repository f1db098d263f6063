"""Copies bundles and artifacts into the output folder, which is never half-written."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kspec.features.description import FILE
from kspec.pipeline.store.content import refuse_link, remove
from kspec.pipeline.store.digests import hashes
from kspec.pipeline.store.locks import Told, locked
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.untrusted import File, PlaceError, below_root

MAX_DESCRIPTION = 64 << 20
"""Bound on the bytes of a bundle's description."""


@contextmanager
def reserved(out: Path, waiting: Told | None = None) -> Iterator[None]:
    """Keep other builds from ``out`` until the block ends; wait while another build has it. Raises
    KspecError KS917 if ``out`` is a link or lies beyond one."""
    _check_out(out)
    with locked(_lock_folder(out) / f".{out.name}.building", waiting):
        yield


def place(parts: Mapping[str, Path], out: Path, *, seal: str, stale: Iterable[str] = ()) -> None:
    """Copy files and folders into ``out`` by their names there, and remove the parts ``stale``;
    other files in ``out`` stay.

    Everything is copied beside its place first, so that a full disk changes nothing. A new ``out``
    appears whole, by one rename. In an existing ``out``, the part ``seal`` is removed first, each
    other part is renamed into its place, and ``seal`` comes last: after a kill in between, the seal
    is missing.

    Only files of an earlier build or emission are replaced or removed. Raises KspecError KS916 for
    any other folder, and KS917 if a link leads to ``out``.
    """
    out = Path.cwd() / out
    _check_out(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with locked(_lock_folder(out) / f".{out.name}.lock"):
        # In an `out` that is there: it may be another file system than the folder it is in.
        beside = (out if out.exists() else out.parent) / f".{out.name}.partial"
        for left in {beside, out.parent / beside.name}:
            remove(left)
        changed = [name for name in parts if not _equal(parts[name], out / name)]
        gone = [name for name in stale if os.path.lexists(out / name)]
        foreign = [*_foreign(parts, changed, out), *_foreign({}, gone, out)]
        if foreign:
            raise KspecError(*foreign)
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
    """Put a copy of a file or folder into its place and replace an earlier one."""
    place({final.name: source}, final.parent, seal=final.name)


def copy(source: Path, final: Path) -> None:
    """Copy a file or a folder; times and owners are new."""
    if source.is_dir():
        shutil.copytree(source, final, copy_function=shutil.copyfile)
    else:
        shutil.copyfile(source, final)


def is_bundle(folder: Path, target: str) -> bool:
    """Return whether a folder has the description of a bundle for this target."""
    try:
        about = json.loads(File(folder, FILE, MAX_DESCRIPTION).read())
    except (PlaceError, ValueError, RecursionError):
        return False
    return isinstance(about, dict) and "kspec_bundle" in about and about.get("target") == target


def _check_out(out: Path) -> None:
    """Raise KspecError KS917 if the folder, or the nearest existing folder above it, is a link."""
    there = Path.cwd() / out
    while not os.path.lexists(there):
        there = there.parent
    refuse_link(*below_root(there))


def _lock_folder(out: Path) -> Path:
    """Return the folder beside ``out`` for the lock; ``out`` itself if the folder around it is not
    writable."""
    above = (Path.cwd() / out).parent
    return out if out.is_dir() and not os.access(above, os.W_OK) else above


def _foreign(parts: Mapping[str, Path], names: Iterable[str], out: Path) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each part whose place is taken by, or which is, something that kspec
    did not write."""
    for name in names:
        final, source = out / name, parts.get(name)
        if not os.path.lexists(final):
            continue
        is_other = source is not None and final.is_dir() != source.is_dir()
        if final.is_symlink() or is_other:
            problem = "is not what a build puts there"
        elif final.is_dir() and not _is_ours(source, final):
            problem = f"is a folder without a valid {FILE}"
        else:
            continue
        help_ = "move it away, or choose another --out; nothing was replaced"
        yield Diagnostic("KS916", f"{final} {problem}", help=help_)


def _is_ours(source: Path | None, final: Path) -> bool:
    """Return whether the folder is a bundle, or an earlier form of an artifact: it has no file that
    the new artifact lacks."""
    if source is None or (source / FILE).exists():
        return is_bundle(final, final.name)
    try:
        return _hashed(final).keys() <= _hashed(source).keys()
    except PlaceError:
        return False


def _equal(source: Path, final: Path) -> bool:
    try:
        return _hashed(source) == _hashed(final)
    except PlaceError:
        return False


def _hashed(path: Path) -> dict[str, str]:
    """Return the SHA-256 by relative path; of a file, under the empty path. Raises PlaceError."""
    return hashes(path.parent, path.name)
