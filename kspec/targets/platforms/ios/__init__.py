"""iOS: an ML Program that Core ML runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kspec.schemas.base import Model
from kspec.targets.formats.coreml.options import CoreMLOptions
from kspec.targets.platforms.platform import ArtifactRequest, Platform


class IOSOptions(CoreMLOptions):
    """Options of the iOS bundle: those of its Core ML artifact."""


class IOS(Platform):
    """A ``.mlpackage``, which Xcode compiles into the app."""

    name: ClassVar[str] = "ios"
    title: ClassVar[str] = "iOS"
    options: ClassVar[type[Model]] = IOSOptions

    def requests(self, options: Model) -> tuple[ArtifactRequest, ...]:
        return (ArtifactRequest("coreml", CoreMLOptions(**dict(options))),)

    def usage(self, about: Mapping[str, Any]) -> str:
        artifact = about["artifacts"][0]["path"]
        return f"""\
let compiled = try await MLModel.compileModel(at: Bundle.main.url(
    forResource: "{artifact.removesuffix(".mlpackage")}", withExtension: "mlpackage")!)
let model = try MLModel(contentsOf: compiled)
"""
