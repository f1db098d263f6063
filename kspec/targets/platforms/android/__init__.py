"""Android: a TFLite file that LiteRT runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kspec.schemas.base import Model
from kspec.targets.formats.tflite.options import TFLiteOptions
from kspec.targets.platforms.platform import ArtifactRequest, Platform


class AndroidOptions(TFLiteOptions):
    """Options of the Android bundle: those of its TFLite artifact."""


class Android(Platform):
    """A ``.tflite`` file for the app's assets; keep it uncompressed (``noCompress``)."""

    name: ClassVar[str] = "android"
    title: ClassVar[str] = "Android"
    options: ClassVar[type[Model]] = AndroidOptions

    def requests(self, options: Model) -> tuple[ArtifactRequest, ...]:
        return (ArtifactRequest("tflite", TFLiteOptions(**dict(options))),)

    def usage(self, about: Mapping[str, Any]) -> str:
        artifact = about["artifacts"][0]["path"]
        return f'val model = CompiledModel.create(context.assets, "{artifact}")\n'
