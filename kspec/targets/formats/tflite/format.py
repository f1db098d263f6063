"""The TFLite format: its passes, its rules, and how a program comes of a graph."""

from __future__ import annotations

from dataclasses import replace
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

    Loops over time are the runtime's own. Its recurrent layers would keep their state from one call
    to the next, and a NaN for good: the model writes it anew at the start of each call.
    """

    name: ClassVar[str] = "tflite"
    suffix: ClassVar[str] = ".tflite"
    options: ClassVar[type[Model]] = TFLiteOptions
    passes: ClassVar[tuple[Pass, ...]] = lazy("kspec.targets.formats.tflite.passes:PASSES")
    rules: ClassVar[Table[Rule]] = lazy("kspec.targets.formats.tflite.rules:RULES")
    runner: ClassVar[str] = "kspec.targets.formats.tflite.run:LiteRTRunner"
    packages: ClassVar[tuple[str, ...]] = ("ai-edge-litert", "flatbuffers")

    def refusals(self, graph: Graph) -> tuple[Refusal, ...]:
        from kspec.targets.formats.tflite.limits import beyond_limits

        return (*super().refusals(graph), *beyond_limits(graph))

    def write(self, graph: Graph, path: Path, options: Model) -> None:
        """Raises TFLiteError where a dimension has no size, and beyond 2 GB."""
        from kspec.compiler.passes.bind_dimensions import bind_dimensions
        from kspec.compiler.passes.unroll import SHORT, unroll
        from kspec.targets.formats.tflite.write import write_program

        assert isinstance(options, TFLiteOptions)
        sizes = {"batch": options.batch, **options.dimensions}
        program = self.program(unroll(SHORT)(bind_dimensions(sizes)(graph)))
        write_program(program, path, options.card)

    def program(self, graph: Graph) -> Program:
        """The operators of a lowered graph whose dimensions are all known."""
        from kspec.targets.formats.tflite.peephole import shorten
        from kspec.targets.formats.tflite.program import Emitter, TFLiteError

        for value in graph.values():
            if unknown := [dim for dim in value.shape if isinstance(dim, str)]:
                raise TFLiteError(
                    f"shapes are fixed in a TFLite file: give the size of {unknown[0]}"
                    f" in dimensions: {{{unknown[0]}: …}}"
                )
        emitter = Emitter(graph, self.rules)
        emitter.run()
        program = shorten(emitter.program(graph.inputs, graph.outputs))
        return replace(program, bodies=tuple(map(shorten, emitter.bodies())))
