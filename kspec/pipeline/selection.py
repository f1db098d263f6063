"""Selects the artifacts to emit by the names of their formats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from kspec.pipeline.build import emit
from kspec.pipeline.results import Artifact
from kspec.pipeline.store.keys import Keys
from kspec.pipeline.store.stages import Notify
from kspec.schemas.base import Model
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.document import Document
from kspec.spec.suggestions import suggest
from kspec.targets.registry import formats
from kspec.targets.request import ArtifactRequest


def emit_formats(
    document: Document,
    names: Sequence[str],
    out: Path,
    *,
    store: Path | None = None,
    notify: Notify | None = None,
) -> tuple[Artifact, ...]:
    """Emit and verify the artifacts of these formats with the options of the spec's targets;
    without formats, all artifacts of the targets. A format that no target uses is emitted with
    its default options. Raises
    KspecError KS712 for an unknown one, KS912 for none at all, KS630 for an untrained model."""
    if not names and not document.spec.targets:
        help_ = f"--format {next(iter(formats()))}, or a target in the spec"
        raise KspecError(Diagnostic("KS912", "the spec names no target", help=help_))
    unknown = [name for name in names if name not in formats()]
    if unknown:
        raise KspecError(
            *(
                Diagnostic("KS712", f"there is no format `{name}`", help=suggest(name, formats()))
                for name in unknown
            )
        )
    found = [
        artifact
        for folder, request in _chosen(Keys(document), names)
        for artifact in emit(document, (request,), out / folder, store=store, notify=notify)
    ]
    return tuple(found)


def _chosen(keys: Keys, names: Sequence[str]) -> list[tuple[str, ArtifactRequest]]:
    """Return each request with its folder: the empty name, or the first target's name if two
    requests of one format differ in their options."""
    wanted = [each for each in keys.requests if not names or each.format in names]
    given = {each.format for each in wanted}
    wanted += [_plain(name) for name in dict.fromkeys(names) if name not in given]
    several = {name for name, count in Counter(r.format for r in wanted).items() if count > 1}
    return [(_first_target(keys, each) if each.format in several else "", each) for each in wanted]


def _first_target(keys: Keys, request: ArtifactRequest) -> str:
    return next(target.name for target in keys.targets if request in target.requests)


def _plain(name: str) -> ArtifactRequest:
    options: Model = formats()[name].options.model_validate({})
    return ArtifactRequest(name, options)
