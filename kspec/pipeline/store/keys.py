"""The key of each stage: exactly what it reads. Nothing heavy is imported to find them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kspec.data.files import digest_files
from kspec.features.kinds import decisions_of
from kspec.pipeline.store.content import digest_file, key_of, versions
from kspec.pipeline.store.sources import code_digest, own_roots
from kspec.schemas.base import Model
from kspec.schemas.layers import LAYERS
from kspec.schemas.spec import Spec
from kspec.spec import extensions
from kspec.spec.diagnostics import KspecError
from kspec.spec.document import Document
from kspec.spec.paths import MAX_BYTES
from kspec.spec.untrusted import File
from kspec.targets.formats.card import Card
from kspec.targets.platforms.platform import ArtifactRequest, Layout, Platform, Subject
from kspec.targets.registry import formats, origin, platforms

PIPELINE = "kspec.pipeline"


@dataclass(frozen=True)
class Key:
    """A stage and the parts that it depends on, by name."""

    name: str
    """``train``, ``emit·onnx``, …"""
    parts: Mapping[str, Any]
    roots: tuple[str, ...]
    """The modules and packages of kspec that make the result: with all that they import, their
    sources are a part of the key, named ``kspec``."""
    whose: str = ""
    """Tells stages of one name apart where a model has several: the targets it is for."""

    @property
    def stage(self) -> str:
        """The name as the store has it."""
        return self.name.replace("·", "-")

    @property
    def slot(self) -> str:
        """Under what is remembered what the stage read last."""
        return f"{self.stage}-{self.whose}" if self.whose else self.stage

    @cached_property
    def decides(self) -> Mapping[str, Any]:
        """All that decides the result: the parts, and the code."""
        return {**self.parts, "kspec": code_digest(*self.roots)}

    @cached_property
    def digest(self) -> str:
        """The hash of all that decides the result."""
        return key_of(stage=self.name, **self.decides)


@dataclass(frozen=True)
class Target:
    """A target of a spec with its options and the artifacts it asks for."""

    name: str
    model: str
    """The name of the model."""
    platform: Platform
    options: Model
    subject: Subject

    @cached_property
    def requests(self) -> tuple[ArtifactRequest, ...]:
        return self.platform.requests(self.options, self.subject)

    @cached_property
    def layout(self) -> Layout:
        return self.platform.layout(self.model)

    def placed(self, artifact: str) -> str:
        """The path within the bundle of an artifact's file or folder of that name."""
        return self.layout.artifacts + artifact


@dataclass(frozen=True)
class Keys:
    """All keys of one document, each made from the keys before it."""

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
        """The artifacts of all targets, each once, in an order that theirs does not decide."""
        found = {
            (request.format, key_of(**computed(request)), key_of(**described(request))): request
            for target in self.targets
            for request in target.requests
        }
        return tuple(found[key] for key in sorted(found))

    @cached_property
    def network(self) -> dict[str, Any]:
        """What decides the Keras model."""
        spec = self.document.spec
        return {
            "inputs": {name: each.model_dump(mode="json") for name, each in spec.inputs.items()},
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
    def outputs(self) -> dict[str, Any]:
        """What decides how outputs are trained and judged."""
        return {k: v.model_dump(mode="json") for k, v in self.document.spec.outputs.items()}

    @cached_property
    def data(self) -> Key:
        """Of the stage that reads every row; without data there is no such stage."""
        spec = self.document.spec
        return Key(
            "data",
            {
                "inputs": {k: v.model_dump(mode="json") for k, v in spec.inputs.items()},
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
            self._whose(request),
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
            self._whose(request),
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
                "gates": {name: gate.text for name, gate in self.document.spec.gates.items()},
            },
            (f"{PIPELINE}.build", f"{PIPELINE}.report.page", f"{PIPELINE}.bundles.manifest"),
        )

    @property
    def all(self) -> tuple[Key, ...]:
        """The keys of all stages, in the order in which a build comes to them."""
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
        """The digest of the data, made without parsing. Raises KspecError KS501, KS502, KS504."""
        data = self.document.spec.data
        try:
            return digest_files(self.document.path.parent, data.source) if data else None
        except KspecError as error:
            raise KspecError(*error.diagnostics, document=self.document) from error

    def _weights(self) -> list[str]:
        """The digests of the files that variables start from."""
        files = [file[1] for step in self.document.steps if (file := step.layer.weights_file())]
        named = [self.document.spec.weights] if self.document.spec.weights else []
        folder = self.document.path.parent
        return [digest_file(File(folder, each, MAX_BYTES)) for each in (*named, *files)]

    @cached_property
    def sizes(self) -> dict[str, int]:
        """The sizes of named dimensions in drawn rows: of several targets the first decides."""
        found: dict[str, int] = {}
        for request in (each for target in self.targets for each in target.requests):
            fixed = formats()[request.format].fixed(request.options)
            found = {**fixed, **found}
        return {name: size for name, size in found.items() if name != "batch"}

    def _packages(self, *requests: ArtifactRequest) -> tuple[str, ...]:
        return tuple(sorted({p for each in requests for p in formats()[each.format].packages}))

    def users(self, request: ArtifactRequest) -> tuple[str, ...]:
        """The targets that an artifact is for."""
        return tuple(each.name for each in self.targets if request in each.requests)

    def _whose(self, request: ArtifactRequest) -> str:
        return "+".join(self.users(request))


def _own(request: ArtifactRequest) -> tuple[str, ...]:
    return own_roots(type(formats()[request.format]).__module__)


def described(request: ArtifactRequest) -> dict[str, Any]:
    """A request as plain data."""
    return {"format": request.format, "options": request.options.model_dump(mode="json")}


def computed(request: ArtifactRequest) -> dict[str, Any]:
    """What of a request decides the numbers: all but what the artifact says of the model."""
    decisive = formats()[request.format].decisive(request.options)
    return {"format": request.format, "options": dict(decisive)}


def card_of(spec: Spec) -> Card:
    """What an artifact may say of a model."""
    labels = {
        name: decision.labels
        for name, decision in decisions_of(spec).items()
        if decision is not None and decision.threshold is None
    }
    return Card(version=spec.version, description=spec.description, labels=labels)
