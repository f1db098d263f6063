"""Copies all files of an artifact into a folder and checks the copies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kspec.pipeline.results import Artifact
from kspec.pipeline.store.artifacts import changes, parts
from kspec.pipeline.store.placement import copy, place
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.targets.registry import formats


def place_artifact(artifact: Artifact, out: Path) -> Artifact:
    """Put a copy of a verified artifact into ``out`` in the place of an earlier one, all files at
    once. A file that only the earlier artifact has is removed. Raises KspecError KS716 if the
    placed files are not those that were verified."""
    found, name = parts(artifact.path, artifact.files), artifact.path.name
    companions = {name + suffix for suffix in formats()[artifact.format].companions}
    # Only beside an earlier artifact: any other file of that name is the user's.
    stale = companions - found.keys() if (out / name).exists() else ()
    place(found, out, seal=name, stale=stale)
    return _placed(artifact, out)


def pack_artifact(artifact: Artifact, folder: Path) -> Artifact:
    """Copy a verified artifact into a folder of a new bundle. Raises KspecError as
    `place_artifact` does."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in parts(artifact.path, artifact.files).items():
        copy(path, folder / name)
    return _placed(artifact, folder)


def _placed(artifact: Artifact, folder: Path) -> Artifact:
    placed = replace(artifact, path=folder / artifact.path.name)
    if odd := changes(placed.path, placed.files):
        raise KspecError(
            Diagnostic(
                "KS716",
                f"{folder / odd[0]} is not the file that was verified",
                help="something else wrote to the folder; run the command again",
            )
        )
    return placed
