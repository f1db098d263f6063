"""Reads bundles and their artifacts back from the disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from kspec.features.description import FILE, Description
from kspec.pipeline.bundles.integrity import (
    check_bundle,
    golden_rows,
    read_description,
    read_file,
)
from kspec.pipeline.bundles.manifest import check_manifest
from kspec.pipeline.compiled import load_rows
from kspec.pipeline.proof.gates import failures, judge
from kspec.pipeline.proof.rows import Rows
from kspec.pipeline.proof.verification import Verification, verify_artifact
from kspec.pipeline.results import Artifact, GateResult, Progress
from kspec.pipeline.store.content import Store
from kspec.pipeline.store.keys import Keys
from kspec.pipeline.store.stages import Notify, silent
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.document import Document
from kspec.spec.suggestions import suggest
from kspec.targets.formats.format import Tolerance
from kspec.targets.registry import formats
from kspec.targets.request import ArtifactRequest

Proof = Literal["build", "golden"]
"""The rows of a comparison: the build's judging rows, or a bundle's golden rows."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle's folder, with its description."""

    folder: Path
    about: Description

    @property
    def golden(self) -> Rows:
        """Return the raw inputs and the trained model's outputs for them."""
        return golden_rows(self.folder, self.about)

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """Return the artifacts with the figures of the build; a bundle has no latency or
        seconds."""
        return tuple(
            Artifact(
                target=self.about.target,
                latency=0.0,
                seconds=0.0,
                **{**each.model_dump(), "path": self.folder / each.path},
            )
            for each in self.about.artifacts
        )


def choose(bundles: Sequence[Bundle], format_: str | None = None) -> Artifact:
    """Return the first artifact, or the first artifact of a format. Raises KspecError KS912 if no
    artifact matches, KS915 and KS918 if the bundle was changed after the build."""
    found = [(bundle, artifact) for bundle in bundles for artifact in bundle.artifacts]
    fitting = [each for each in found if format_ in (None, each[1].format)]
    if not fitting:
        message = f"no artifact here is of the format `{format_}`"
        help_ = suggest(str(format_), [artifact.format for _, artifact in found])
        raise KspecError(Diagnostic("KS912", message, help=help_))
    bundle, artifact = fitting[0]
    if problems := check_bundle(bundle.folder, bundle.about):
        raise KspecError(*problems)
    return artifact


def open_bundle(folder: Path) -> Bundle:
    """Return the bundle in a folder. Raises KspecError KS914 if the folder has none."""
    return Bundle(folder, read_description(folder))


def read_manifest(path: Path) -> Mapping[str, Any]:
    """Return the content of a `manifest.json`. Raises KspecError KS914 for any other file."""
    try:
        return check_manifest(read_file(path.parent, path.name))
    except ValueError as error:
        reason = str(error).partition("\n")[0]
        raise _nothing(f"{path} is not a manifest that this version reads: {reason}") from None


def bundles_in(folder: Path) -> tuple[Bundle, ...]:
    """Return the bundle in a folder, or the bundles in its subfolders. Raises KspecError KS914 if
    there is no bundle."""
    if (folder / FILE).exists():
        return (open_bundle(folder),)
    if found := sorted(folder.glob(f"*/{FILE}")):
        return tuple(open_bundle(path.parent) for path in found)
    raise _nothing(f"there is no bundle in {folder}")


def bundles_of(document: Document, out: Path | None = None) -> tuple[Bundle, ...]:
    """Return the bundles of a spec's targets. Raises KspecError KS914 if one is missing."""
    folder = out or document.path.parent / "dist"
    if not document.spec.targets:
        raise _nothing("the spec names no target")
    return tuple(open_bundle(folder / target) for target in document.spec.targets)


def verify_bundles(
    bundles: Sequence[Bundle], rows: Rows | None = None, *, notify: Notify = silent
) -> tuple[Artifact, ...]:
    """Run every artifact again and compare it with the trained model, on the given rows or else on
    the bundle's golden rows. Equal files are run once. Returns the artifacts with the new figures;
    `seconds` is the duration of the run. Raises KspecError with all problems."""
    done: dict[tuple[str, str], Verification] = {}
    problems: list[Diagnostic] = []
    artifacts: list[Artifact] = []
    for bundle in bundles:
        if found := check_bundle(bundle.folder, bundle.about):
            problems += found
            continue
        for each in bundle.artifacts:
            key = (each.format, each.sha256)
            if key not in done:
                notify(Progress("verify", f"run {each.path.name} of {bundle.folder.name}"))
                used = bundle.golden if rows is None else rows
                decisions = bundle.about.signature.decisions
                own = {name: Tolerance(**given) for name, given in each.tolerances.items()}
                least = own if rows is None else None
                done[key] = verify_artifact(
                    each.path,
                    request_of(each),
                    used,
                    decisions,
                    least=least,
                )
                problems += done[key].problems
            if done[key].passed and (run := done[key].run) is not None:
                artifacts.append(replace(each, seconds=run.seconds, **done[key].facts()))
    if problems:
        raise KspecError(*problems)
    return tuple(artifacts)


def verify_document(
    document: Document,
    *,
    out: Path | None = None,
    store: Path | None = None,
    notify: Notify = silent,
) -> tuple[tuple[Artifact, ...], tuple[GateResult, ...], Proof]:
    """Verify the bundles of a spec: on the rows and by the gates of the build if the store has the
    rows of exactly this spec, else on golden rows. Raises KspecError with all problems."""
    rows = _judging_rows(document, store)
    artifacts = verify_bundles(bundles_of(document, out), rows, notify=notify)
    gates = judge(document.spec, artifacts) if rows is not None else ()
    if broken := failures(gates):
        raise KspecError(*broken, document=document)
    return artifacts, gates, "build" if rows is not None else "golden"


def request_of(artifact: Artifact) -> ArtifactRequest:
    """Return the request for which the artifact was emitted. Raises KspecError KS912 for an unknown
    format, and KS918 for options that the format does not have."""
    format_ = formats().get(artifact.format)
    if format_ is None:
        message = f"{artifact.path} is of the unknown format `{artifact.format}`"
        raise KspecError(Diagnostic("KS912", message))
    try:
        return ArtifactRequest(artifact.format, format_.options.model_validate(artifact.options))
    except ValidationError as error:
        reason = error.errors(include_url=False, include_input=False)[0]["msg"]
        message = f"{artifact.path} has options that {artifact.format} does not have: {reason}"
        raise KspecError(Diagnostic("KS918", message, help="build again")) from None


def _judging_rows(document: Document, store: Path | None) -> Rows | None:
    key, kept = Keys(document).compile, Store.at(store or document.path.parent / ".kspec")
    return (
        load_rows(kept.path(key.stage, key.digest), "rows")
        if kept.has(key.stage, key.digest)
        else None
    )


def _nothing(message: str) -> KspecError:
    return KspecError(Diagnostic("KS914", message, help="build first: `kspec build`"))
