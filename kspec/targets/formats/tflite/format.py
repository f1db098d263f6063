"""The TFLite format: its passes, its rules, and how a program comes of a graph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from kspec.schemas.base import Model
from kspec.targets.formats.format import Format, Refusal, lazy
from kspec.targets.formats.tflite.options import TFLiteOptions

if TYPE_CHECKING:
    from kspec.compiler.ir import Graph
    from kspec.compiler.passes import Pass
    from kspec.compiler.table import Table
    from kspec.targets.formats.tflite.program import Program, Rule


class TFLite(Format):
    """A ``.tflite`` file of builtin operators, for LiteRT on phones, boards and in browsers. Shapes
    are fixed: a graph's ``batch`` becomes a number when it is written.

    Recurrent layers and loops are written out step by step. The runtime's own LSTM keeps its state
    from one call to the next, unless the application resets it, and a NaN for good.
    """

    name: ClassVar[str] = "tflite"
    suffix: ClassVar[str] = ".tflite"
    options: ClassVar[type[Model]] = TFLiteOptions
    passes: ClassVar[tuple[Pass, ...]] = lazy("kspec.targets.formats.tflite.passes:PASSES")
    rules: ClassVar[Table[Rule]] = lazy("kspec.targets.formats.tflite.rules:RULES")
    runner: ClassVar[str] = "kspec.targets.formats.tflite.run:LiteRTRunner"
    packages: ClassVar[tuple[str, ...]] = ("ai-edge-litert", "flatbuffers")

    def refusals(self, graph: Graph) -> tuple[Refusal, ...]:
        """A loop is none: it is written out once its dimensions have numbers."""
        from kspec.compiler import ops
        from kspec.targets.formats.tflite.limits import beyond_limits

        missing = (each for each in super().refusals(graph) if each.op != ops.Scan.__name__)
        return (*missing, *beyond_limits(graph))

    def write(self, graph: Graph, path: Path, options: Model) -> None:
        """Raises TFLiteError where a dimension has no size, and beyond 2 GB."""
        from kspec.compiler.passes.bind_dimensions import bind_dimensions
        from kspec.compiler.passes.unroll import unroll
        from kspec.targets.formats.tflite.write import write_program

        assert isinstance(options, TFLiteOptions)
        sizes = {"batch": options.batch, **options.dimensions}
        program = self.program(unroll(bind_dimensions(sizes)(graph)))
        write_program(program, path, options.card)

    def program(self, graph: Graph) -> Program:
        """The operators of a lowered graph whose dimensions are all known."""
        from kspec.targets.formats.tflite.peephole import shorten
        from kspec.targets.formats.tflite.program import Emitter, Program, TFLiteError

        for value in graph.values():
            if unknown := [dim for dim in value.shape if isinstance(dim, str)]:
                raise TFLiteError(f"{value.name}: the size of {unknown[0]} must be given")
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
