"""TFLite: a flatbuffer of builtin operators, which LiteRT runs on phones, boards and browsers."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from kspec.compiler import ops
from kspec.compiler.ir import Graph
from kspec.compiler.passes import Pass
from kspec.compiler.passes.bind_dimensions import bind_dimensions
from kspec.compiler.passes.decompose import decompose
from kspec.compiler.passes.fuse_activations import fuse_activations
from kspec.compiler.table import Table
from kspec.schemas.base import Model
from kspec.targets.formats.format import Format
from kspec.targets.formats.tflite.options import TFLiteOptions
from kspec.targets.formats.tflite.peephole import shorten
from kspec.targets.formats.tflite.program import Emitter, Program, Rule
from kspec.targets.formats.tflite.rules import RULES


class TFLite(Format):
    """Shapes are fixed: a graph's ``batch`` becomes a number when it is written."""

    name: ClassVar[str] = "tflite"
    suffix: ClassVar[str] = ".tflite"
    options: ClassVar[type[Model]] = TFLiteOptions
    passes: ClassVar[tuple[Pass, ...]] = (
        decompose(
            ops.LayerNorm,
            ops.Log1p,
            ops.Mish,
            ops.Reciprocal,
            ops.Silu,
            ops.Softplus,
            ops.Softsign,
            ops.Tan,
        ),
        fuse_activations,
    )
    rules: ClassVar[Table[Rule]] = RULES
    runner: ClassVar[str] = "kspec.targets.formats.tflite.run:LiteRTRunner"

    def write(self, graph: Graph, path: Path, options: Model) -> None:
        from kspec.targets.formats.tflite.write import write_program

        assert isinstance(options, TFLiteOptions)
        write_program(self.program(bind_dimensions({"batch": options.batch})(graph)), path)

    def program(self, graph: Graph) -> Program:
        """The operators of a lowered graph whose dimensions are all known."""
        emitter = Emitter(graph)
        for node in graph.nodes:
            emitter.run(node, self.rules[type(node.op)])
        program = Program(
            graph.name,
            graph.inputs,
            graph.outputs,
            tuple(emitter.operators),
            emitter.constants,
        )
        return shorten(program)
