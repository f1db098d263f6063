"""The platform ``deno``: a TypeScript module beside the model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from kspec.features.description import Description
from kspec.schemas.base import Model
from kspec.targets.formats.onnx.options import OnnxOptions
from kspec.targets.platforms.platform import Platform
from kspec.targets.platforms.templates import render_tree
from kspec.targets.request import ArtifactRequest, Subject


class DenoOptions(Model):
    threads: Literal[1, 2, 4] = 1
    """How many threads the model may use."""


class Deno(Platform):
    name, title, options = "deno", "Deno", DenoOptions

    def requests(self, options: Model, subject: Subject) -> tuple[ArtifactRequest, ...]:
        return (ArtifactRequest("onnx", OnnxOptions()),)

    def files(self, about: Description) -> Mapping[str, bytes]:
        return render_tree(Path(__file__).parent / "templates", {"about": about})

    def usage(self, about: Description) -> str:
        return 'import { artifact, inputs, outputs } from "./model.ts";\n'
