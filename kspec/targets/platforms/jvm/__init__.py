"""The JVM: ONNX Runtime for Java, Kotlin and Scala."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kspec.schemas.base import Model
from kspec.targets.formats.onnx.options import OnnxOptions
from kspec.targets.platforms.platform import ArtifactRequest, Platform


class JvmOptions(Model):
    """The JVM bundle has no options."""


class Jvm(Platform):
    """An ONNX file for ``com.microsoft.onnxruntime:onnxruntime``."""

    name: ClassVar[str] = "jvm"
    title: ClassVar[str] = "JVM"
    options: ClassVar[type[Model]] = JvmOptions

    def requests(self, options: Model) -> tuple[ArtifactRequest, ...]:  # noqa: ARG002
        return (ArtifactRequest("onnx", OnnxOptions()),)

    def usage(self, about: Mapping[str, Any]) -> str:
        artifact = about["artifacts"][0]["path"]
        return (
            f'OrtSession session = OrtEnvironment.getEnvironment().createSession("{artifact}");\n'
        )
