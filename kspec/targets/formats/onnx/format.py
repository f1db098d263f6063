"""The ONNX format."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from kspec.compiler.ir import Graph
from kspec.compiler.passes import Pass
from kspec.compiler.passes.channels_first import channels_first
from kspec.compiler.passes.loops import loops
from kspec.compiler.passes.remove_dead import remove_dead
from kspec.compiler.table import Table
from kspec.schemas.base import Model
from kspec.targets.formats.format import Format
from kspec.targets.formats.onnx.emission import Rule
from kspec.targets.formats.onnx.options import OnnxOptions
from kspec.targets.formats.onnx.rules import RULES
from kspec.targets.formats.onnx.rules.recurrent import is_native


class Onnx(Format):
    """One ``.onnx`` file, NCHW inside; weights past 2 GB lie beside it in ``.onnx.data``."""

    name: ClassVar[str] = "onnx"
    suffix: ClassVar[str] = ".onnx"
    options: ClassVar[type[Model]] = OnnxOptions
    passes: ClassVar[tuple[Pass, ...]] = (loops(is_native), channels_first, remove_dead)
    rules: ClassVar[Table[Rule]] = RULES
    runner: ClassVar[str] = "kspec.targets.formats.onnx.run:OnnxRunner"
    packages: ClassVar[tuple[str, ...]] = ("onnx", "onnxruntime")

    def write(self, graph: Graph, path: Path, options: Model) -> None:  # noqa: ARG002
        from kspec.targets.formats.onnx.write import write_model

        write_model(graph, self.rules, path)
