"""The ONNX format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from kspec.targets.formats.format import LARGEST_FILE, Format, lazy
from kspec.targets.formats.onnx.layout import WEIGHTS
from kspec.targets.formats.onnx.options import OnnxOptions

if TYPE_CHECKING:
    from kspec.compiler.ir import Graph
    from kspec.compiler.passes import Pass
    from kspec.compiler.table import Table
    from kspec.targets.formats.onnx.emission import Rule


class Onnx(Format[OnnxOptions]):
    """An ``.onnx`` file with channels first. Weights over 2 GB are stored beside it in
    ``.onnx.data``."""

    name: ClassVar[str] = "onnx"
    suffix: ClassVar[str] = ".onnx"
    companions: ClassVar[tuple[str, ...]] = (WEIGHTS,)
    options = OnnxOptions
    rules: ClassVar[Table[Rule]] = lazy("kspec.targets.formats.onnx.rules:RULES")
    reference: ClassVar[Mapping[type, Callable[..., Any]]] = lazy(
        "kspec.targets.formats.onnx.directions:REFERENCE"
    )
    runner: ClassVar[str] = "kspec.targets.formats.onnx.run:OnnxRunner"
    packages: ClassVar[tuple[str, ...]] = ("onnx", "onnxruntime")

    def __init__(self, largest_message: int = LARGEST_FILE) -> None:
        """``largest_message`` is the number of bytes of weights up to which the artifact is a
        single file: a protobuf message has at most 2 GB, including nodes and names."""
        self.largest_message = largest_message

    def passes(self, options: OnnxOptions) -> tuple[Pass, ...]:  # noqa: ARG002
        from kspec.targets.formats.onnx.passes import PASSES

        return PASSES

    def write(self, graph: Graph, path: Path, options: OnnxOptions) -> tuple[str, ...]:  # noqa: ARG002
        from kspec.targets.formats.onnx.write import write_model

        return write_model(graph, self.rules, path, limit=self.largest_message)
