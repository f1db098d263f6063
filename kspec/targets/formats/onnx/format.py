"""The ONNX format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from kspec.schemas.base import Model
from kspec.targets.formats.format import Format, lazy
from kspec.targets.formats.onnx.options import OnnxOptions

if TYPE_CHECKING:
    from kspec.compiler.ir import Graph
    from kspec.compiler.passes import Pass
    from kspec.compiler.table import Table
    from kspec.targets.formats.onnx.emission import Rule


class Onnx(Format):
    """One ``.onnx`` file, NCHW inside; weights past 2 GB lie beside it in ``.onnx.data``."""

    name: ClassVar[str] = "onnx"
    suffix: ClassVar[str] = ".onnx"
    options: ClassVar[type[Model]] = OnnxOptions
    passes: ClassVar[tuple[Pass, ...]] = lazy("kspec.targets.formats.onnx.passes:PASSES")
    rules: ClassVar[Table[Rule]] = lazy("kspec.targets.formats.onnx.rules:RULES")
    runner: ClassVar[str] = "kspec.targets.formats.onnx.run:OnnxRunner"
    packages: ClassVar[tuple[str, ...]] = ("onnx", "onnxruntime")

    def write(self, graph: Graph, path: Path, options: Model) -> None:  # noqa: ARG002
        from kspec.targets.formats.onnx.directions import pair_directions
        from kspec.targets.formats.onnx.write import write_model

        write_model(pair_directions(graph), self.rules, path)
