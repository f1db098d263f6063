"""Raspberry Pi: LiteRT on arm64."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kspec.schemas.base import Model
from kspec.targets.formats.tflite.options import TFLiteOptions
from kspec.targets.platforms.platform import ArtifactRequest, Platform


class RaspberryPiOptions(TFLiteOptions):
    """Options of the Raspberry Pi bundle: those of its TFLite artifact."""


class RaspberryPi(Platform):
    """A ``.tflite`` file for ``ai-edge-litert`` on a 64-bit system."""

    name: ClassVar[str] = "raspberry_pi"
    title: ClassVar[str] = "Raspberry Pi"
    options: ClassVar[type[Model]] = RaspberryPiOptions

    def requests(self, options: Model) -> tuple[ArtifactRequest, ...]:
        return (ArtifactRequest("tflite", TFLiteOptions(**dict(options))),)

    def usage(self, about: Mapping[str, Any]) -> str:
        artifact = about["artifacts"][0]["path"]
        return f"""\
from ai_edge_litert.interpreter import Interpreter

predict = Interpreter("{artifact}").get_signature_runner("serving_default")
"""
