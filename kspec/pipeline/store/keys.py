"""The key of each stage, from exactly what the stage reads. No heavy package is imported."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kspec.data.files import digest_files
from kspec.pipeline.store.content import digest_file, key_of, versions
from kspec.pipeline.store.key import Key
from kspec.pipeline.store.sources import own_roots
from kspec.pipeline.store.targets import Target, card_of, computed, described
from kspec.schemas.layers import LAYERS
from kspec.spec import extensions
from kspec.spec.diagnostics import KspecError
from kspec.spec.document import Document
from kspec.spec.paths import MAX_BYTES
from kspec.spec.untrusted import File
from kspec.targets.registry import formats, origin, platforms
from kspec.targets.request import ArtifactRequest, Subject

PIPELINE = "kspec.pipeline"


@dataclass(frozen=True)
class Keys:
    """All keys of one document; each key contains the keys of the stages before it."""

    document: Document

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        known = platforms()
        return tuple(
            Target(
                name,
                self.document.spec.name,
                known[name],
                known[name].options.model_validate(options),
                Subject(self.document.spec.inputs, card_of(self.document.spec)),
            )
            for name, options in self.document.spec.targets.items()
        )

    @cached_property
    def requests(self) -> tuple[ArtifactRequest, ...]:
        """The distinct artifacts of all targets, in an order independent of the targets' order."""
        found = {
            (request.format, key_of(**computed(request)), key_of(**described(request))): request
            for target in self.targets
            for request in target.requests
        }
        return tuple(found[key] for key in sorted(found))

    @cached_property
    def network(self) -> dict[str, Any]:
        """Return everything that decides the Keras model."""
        spec = self.document.spec
        return {
            "inputs": self.inputs,
            "outputs": list(spec.outputs),
            "steps": [
                [
                    step.name,
                    step.layer.key,
                    step.layer.model_dump(mode="json"),
                    list(step.inputs),
                    step.shared,
                ]
                for step in self.document.steps
            ],
            "code": {
                step.layer.key: extensions.code_digest(type(step.layer))
                for step in self.document.steps
                if step.layer.key not in LAYERS
            },
        }

    @cached_property
    def inputs(self) -> list[Any]:
        """Return all inputs in the spec's order, which artifacts and clients keep."""
        return [[k, v.model_dump(mode="json")] for k, v in self.document.spec.inputs.items()]

    @cached_property
    def outputs(self) -> list[Any]:
        """Return all outputs in the spec's order."""
        return [[k, v.model_dump(mode="json")] for k, v in self.document.spec.outputs.items()]

    @cached_property
    def data(self) -> Key:
        """Key of the stage that reads every row; a spec without data lacks this stage."""
        spec = self.document.spec
        return Key(
            "data",
            {
                "inputs": self.inputs,
                "outputs": self.outputs,
                "data": spec.data.model_dump(mode="json") if spec.data else None,
                "rows": self._rows,
                "packages": versions("numpy", "pillow", "pyarrow"),
            },
            ("kspec.data.dataset",),
        )

    @cached_property
    def plan(self) -> Key:
        return Key(
            "plan",
            {
                "name": self.document.spec.name,
                "network": self.network,
                "outputs": self.outputs,
                "targets": [computed(request) for request in self.requests],
                "packages": versions("keras", "tensorflow", *self._packages(*self.requests)),
            },
            (f"{PIPELINE}.plan", *(root for each in self.requests for root in _own(each))),
        )

    @cached_property
    def train(self) -> Key:
        spec = self.document.spec
        return Key(
            "train",
            {
                "network": self.network,
                "outputs": self.outputs,
                "train": spec.train.model_dump(mode="json") if spec.train else None,
                "data": spec.data.model_dump(mode="json") if spec.data else None,
                "rows": self._rows,
                "weights": self._weights(),
                "packages": versions("keras", "tensorflow", "numpy"),
            },
            (f"{PIPELINE}.train",),
        )

    @cached_property
    def compile(self) -> Key:
        return Key(
            "compile",
            {
                "train": self.train.digest,
                "name": self.document.spec.name,
                "origins": [list(step.route) for step in self.document.steps],
                "dimensions": {} if self.document.spec.data else self.sizes,
                "packages": versions("keras", "tensorflow", "numpy"),
            },
            (f"{PIPELINE}.compile",),
        )

    def emit(self, request: ArtifactRequest) -> Key:
        return Key(
            f"emit·{request.format}",
            {
                "compile": self.compile.digest,
                "format": described(request),
                "origin": origin(request.format),
                "packages": versions(*self._packages(request)),
            },
            ("kspec.targets.emission", "kspec.compiler.file", *_own(request)),
            *self._whose(request),
        )

    def verify(self, request: ArtifactRequest) -> Key:
        return Key(
            f"verify·{request.format}",
            {"emit": self.emit(request).digest},
            (
                f"{PIPELINE}.proof.verification",
                f"{PIPELINE}.compiled",
                "kspec.targets.formats.child",
                *_own(request),
            ),
            *self._whose(request),
        )

    def package(self, target: Target) -> Key:
        spec = self.document.spec
        return Key(
            f"package·{target.name}",
            {
                "verify": [self.verify(request).digest for request in target.requests],
                "options": target.options.model_dump(mode="json"),
                "about": [spec.name, spec.version, spec.description],
                "origin": origin(target.name),
            },
            (f"{PIPELINE}.bundles.pack", *own_roots(type(target.platform).__module__)),
        )

    @cached_property
    def report(self) -> Key:
        return Key(
            "report",
            {
                "plan": self.plan.digest,
                "packages": [self.package(target).digest for target in self.targets],
                "gates": [[name, gate.text] for name, gate in self.document.spec.gates.items()],
            },
            (f"{PIPELINE}.build", f"{PIPELINE}.report.page", f"{PIPELINE}.bundles.manifest"),
        )

    @property
    def all(self) -> tuple[Key, ...]:
        """Return the keys of all stages in the order of a build."""
        return (
            *((self.data,) if self.document.spec.data else ()),
            self.plan,
            self.train,
            self.compile,
            *(key for each in self.requests for key in (self.emit(each), self.verify(each))),
            *map(self.package, self.targets),
            self.report,
        )

    @cached_property
    def _rows(self) -> str | None:
        """Return the digest of the data, without parsing it. Raises KspecError KS501, KS502,
        KS504."""
        data = self.document.spec.data
        try:
            return digest_files(self.document.roots, data.source) if data else None
        except KspecError as error:
            raise KspecError(*error.diagnostics, document=self.document) from error

    def _weights(self) -> list[str]:
        """Return the digests of the files with initial values of variables."""
        files = [file[1] for step in self.document.steps if (file := step.layer.weights_file())]
        named = [self.document.spec.weights] if self.document.spec.weights else []
        folder = self.document.path.parent
        return [digest_file(File(folder, each, MAX_BYTES)) for each in (*named, *files)]

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Return the sizes of named dimensions in drawn rows. If targets differ, the first one
        decides."""
        found: dict[str, int] = {}
        for request in (each for target in self.targets for each in target.requests):
            fixed = formats()[request.format].fixed(request.options)
            found = {**fixed, **found}
        return {name: size for name, size in found.items() if name != "batch"}

    def _packages(self, *requests: ArtifactRequest) -> tuple[str, ...]:
        return tuple(sorted({p for each in requests for p in formats()[each.format].packages}))

    def users(self, request: ArtifactRequest) -> tuple[str, ...]:
        """Return the targets of an artifact."""
        return tuple(each.name for each in self.targets if request in each.requests)

    def _whose(self, request: ArtifactRequest) -> tuple[str, bool]:
        """The targets of an artifact, and whether others have one of the same format."""
        same = [each for each in self.requests if each.format == request.format]
        return "+".join(self.users(request)), len(same) > 1


def _own(request: ArtifactRequest) -> tuple[str, ...]:
    return own_roots(type(formats()[request.format]).__module__)
