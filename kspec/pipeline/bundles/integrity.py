"""Compares the files in a bundle's folder with the bundle's description."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load

from kspec.compiler.ir import Array
from kspec.features.description import FILE, SEAL, Description
from kspec.features.signature import Port
from kspec.pipeline.bundles.seal import seal_of
from kspec.pipeline.proof.rows import Rows
from kspec.pipeline.store.digests import hashes
from kspec.pipeline.store.placement import MAX_DESCRIPTION
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.paths import MAX_BYTES
from kspec.spec.untrusted import File, PlaceError

MAX_SHOWN = 20
"""The number of files in one bundle that are named in diagnostics."""
BUILD = "build first: `kspec build`"
AGAIN = "build again"


def read_description(folder: Path) -> Description:
    """Return the description in a bundle's folder. Raises KspecError KS914 if it is missing or
    this version cannot read it."""
    path = folder / FILE
    try:
        return Description.read(read_file(folder, FILE))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))[:100]
        message = f"{path} does not describe a bundle: {where}: {first['msg'][:200]}"
        raise KspecError(Diagnostic("KS914", message, help=BUILD)) from None


def read_file(folder: Path, name: str) -> bytes:
    """Return the content of a description or a manifest. Raises KspecError KS914 if it is missing
    or cannot be read."""
    try:
        return File(folder, name, MAX_DESCRIPTION).read()
    except PlaceError as error:
        missing = error.reason == "missing"
        message = f"there is no {folder / name}" if missing else f"{folder}: {error.message}"
        raise KspecError(Diagnostic("KS914", message, help=BUILD)) from None


def check_bundle(folder: Path, about: Description) -> tuple[Diagnostic, ...]:
    """Return a diagnostic for every file that is changed, missing or added (KS915), and for every
    file that the description uses but does not list (KS918). All bytes are read; the description
    itself is compared with its seal."""
    try:
        found = hashes(folder, ".", about.ignores)
    except PlaceError as error:
        return (Diagnostic("KS915", f"{folder}: {error.message}", help=AGAIN),)
    sealed = _sha256(seal_of(found.pop(FILE, "")))
    problems = [
        *_unlisted(folder, about),
        *_unsealed(folder, found.pop(SEAL, None), sealed),
        *_differing(folder, found, about.files),
    ]
    if len(problems) > MAX_SHOWN:
        more = f"{folder}: {len(problems) - MAX_SHOWN:,} more files differ from the build"
        problems[MAX_SHOWN:] = [Diagnostic("KS915", more, help=AGAIN)]
    return tuple(problems)


def _unsealed(folder: Path, found: str | None, sealed: str) -> Iterator[Diagnostic]:
    """Yield KS915 if the seal is missing or does not belong to the description."""
    if found is None:
        message = f"{folder / SEAL} is missing, so that {FILE} cannot be checked"
        yield Diagnostic("KS915", message, help=AGAIN)
    elif found != sealed:
        message = f"{folder / FILE} or {SEAL} was altered after the build"
        yield Diagnostic("KS915", message, help=AGAIN)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _differing(
    folder: Path, found: Mapping[str, str], listed: Mapping[str, str]
) -> Iterator[Diagnostic]:
    known = {str(parent) for name in listed for parent in PurePosixPath(name).parents}
    added = dict.fromkeys(_outermost(name, known) for name in found.keys() - listed.keys())
    for name in sorted(listed):
        if name not in found:
            yield Diagnostic("KS915", f"{folder / name} is missing", help=AGAIN)
        elif found[name] != listed[name]:
            yield Diagnostic("KS915", f"{folder / name} was altered after the build", help=AGAIN)
    for name in sorted(added):
        message = f"{folder / name} is not part of the bundle"
        yield Diagnostic("KS915", message, help="remove it, or build again")


def _outermost(name: str, known: set[str]) -> str:
    """Return the file, or the outermost folder around it that contains no file of the bundle."""
    around = [each for each in map(str, PurePosixPath(name).parents) if each not in known]
    return around[-1] if around else name


def _unlisted(folder: Path, about: Description) -> Iterator[Diagnostic]:
    """Yield KS918 for files that the description uses: they must lie in the bundle and be listed
    with their SHA-256."""
    used = dict.fromkeys((about.golden.file, *about.golden.pictures.values()))
    for each in about.artifacts:
        beside = PurePosixPath(each.path).parent
        used |= {str(beside / name): None for name in each.files}
        if not any(_is_at(name, PurePosixPath(each.path).name) for name in each.files):
            yield _malformed(folder, f"the artifact `{each.path}` has no file in its list")
    for name in used:
        if name not in about.files:
            yield _malformed(folder, f"there is no SHA-256 of `{name}`, which it uses")


def _is_at(name: str, place: str) -> bool:
    return PurePosixPath(name).parts[:1] == (place,)


def _malformed(folder: Path, problem: str) -> Diagnostic:
    return Diagnostic("KS918", f"{folder / FILE}: {problem}", help=AGAIN)


def golden_rows(folder: Path, about: Description) -> Rows:
    """Return raw inputs and the trained model's outputs for them. Raises KspecError KS918 if the
    file is damaged or does not fit the signature."""
    try:
        arrays = load(File(folder, about.golden.file, MAX_BYTES).read())
    except (PlaceError, SafetensorError, ValueError, TypeError, KeyError) as error:
        raise KspecError(_malformed(folder, f"`{about.golden.file}`: {error}")) from None
    parts = {
        part: {k.removeprefix(part): v for k, v in arrays.items() if k.startswith(part)}
        for part in ("input/", "output/")
    }
    rows = Rows(parts["input/"], parts["output/"])
    if problem := _misfit(rows, about):
        raise KspecError(_malformed(folder, f"`{about.golden.file}` {problem}"))
    return rows


def _misfit(rows: Rows, about: Description) -> str | None:
    """Return why golden rows do not fit the signature; None if they fit."""
    pairs: list[tuple[Mapping[str, Array], tuple[Port, ...]]] = [
        (rows.inputs, about.signature.inputs),
        (rows.expected, about.signature.outputs),
    ]
    for arrays, ports in pairs:
        if set(arrays) != {port.name for port in ports}:
            return "has other inputs or outputs than the signature"
        for port in ports:
            if not _fits(arrays[port.name], port):
                return (
                    f"has shape {arrays[port.name].shape} for `{port.name}` instead of {port.shape}"
                )
    counts = {len(array) for arrays, _ in pairs for array in arrays.values()}
    return None if len(counts) == 1 and counts != {0} else "has no rows, or not the same number"


def _fits(array: Array, port: Port) -> bool:
    return (
        array.ndim == len(port.shape)
        and array.dtype.kind in "biuf"
        and all(
            isinstance(size, str) or size == found
            for size, found in zip(port.row, array.shape[1:], strict=True)
        )
    )
