"""The browser: ONNX Runtime Web, or LiteRT.js."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Literal

from kspec.features.steps import DecodeImage, Step
from kspec.schemas.base import Model
from kspec.targets.formats.onnx.options import OnnxOptions
from kspec.targets.formats.tflite.options import TFLiteOptions
from kspec.targets.platforms.browser.package import npm_name, render_package
from kspec.targets.platforms.platform import Platform
from kspec.targets.request import ArtifactRequest, Subject

if TYPE_CHECKING:
    from kspec.features.description import Description
    from kspec.features.signature import InputPort


class BrowserOptions(Model):
    """Options of the browser bundle."""

    engine: Literal["onnxruntime", "litert"] = "onnxruntime"
    """The engine in the page: onnxruntime-web runs ONNX with any batch; LiteRT.js runs TFLite with
    a batch of 1 and is smaller."""


class Browser(Platform):
    """An npm package with a client, its types, a demo page, and a self-test."""

    name: ClassVar[str] = "browser"
    title: ClassVar[str] = "Browser"
    options: ClassVar[type[Model]] = BrowserOptions
    ignored: ClassVar[tuple[str, ...]] = ("node_modules", "vendor")

    def requests(self, options: Model, subject: Subject) -> tuple[ArtifactRequest, ...]:  # noqa: ARG002
        assert isinstance(options, BrowserOptions)
        if options.engine == "litert":
            return (ArtifactRequest("tflite", TFLiteOptions()),)
        return (ArtifactRequest("onnx", OnnxOptions()),)

    def files(self, about: Description) -> Mapping[str, bytes]:
        return render_package(about)

    def usage(self, about: Description) -> str:
        given = ", ".join(f'"{each.name}": {_example(each)}' for each in about.signature.inputs)
        name = about.signature.outputs[0].name
        return f"""\
npm ci               # install the runtime, checked by hashes, and copy it to vendor/
npm run selftest     # the self-test under Node.js: KSPEC-SELFTEST {{…}}
npm start            # a demo page, with the self-test in that browser

// In a page: serve this folder unchanged; nothing is loaded from other servers
import {{ load }} from "/{about.name}/index.js"; // or "{npm_name(about.name)}", with npm
const model = await load("/{about.name}/"); // or {{ device: "webgpu" }}
const answers = await model.predict({{ {given} }});
console.log(answers["{name}"]);

// A Content-Security-Policy must allow script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'.
// serve.mjs lists the headers that a server should send; the model runs without them.
"""


def _example(given: InputPort) -> str:
    """Return the value of an input for the example in the README."""
    if given.entry is not None:
        return _EXAMPLES[given.entry]
    return "row" if given.is_vector else "{ data, shape }"


_EXAMPLES: Mapping[type[Step], str] = MappingProxyType({DecodeImage: "file"})
