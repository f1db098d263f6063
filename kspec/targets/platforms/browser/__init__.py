"""The browser: ONNX Runtime Web, or LiteRT.js."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from kspec.schemas.base import Model
from kspec.targets.formats.onnx.options import OnnxOptions
from kspec.targets.formats.tflite.options import TFLiteOptions
from kspec.targets.platforms.platform import ArtifactRequest, Platform


class BrowserOptions(Model):
    """Options of the browser bundle."""

    engine: Literal["onnxruntime", "litert"] = "onnxruntime"
    """What runs the model in the page: onnxruntime-web takes ONNX with any batch, LiteRT.js takes
    TFLite with a batch of 1 and is smaller."""


class Browser(Platform):
    """A model file that a page fetches."""

    name: ClassVar[str] = "browser"
    title: ClassVar[str] = "Browser"
    options: ClassVar[type[Model]] = BrowserOptions

    def requests(self, options: Model) -> tuple[ArtifactRequest, ...]:
        assert isinstance(options, BrowserOptions)
        if options.engine == "litert":
            return (ArtifactRequest("tflite", TFLiteOptions()),)
        return (ArtifactRequest("onnx", OnnxOptions()),)

    def usage(self, about: Mapping[str, Any]) -> str:
        artifact = about["artifacts"][0]["path"]
        if artifact.endswith(".tflite"):
            return f'const model = await loadAndCompile("{artifact}", {{accelerator: "wasm"}});\n'
        return f'const session = await ort.InferenceSession.create("{artifact}");\n'
