"""The TFLite format: its passes, its rules, and the conversion of a graph to a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from kspec.targets.formats.format import LARGEST_FILE, Format, Limit, lazy
from kspec.targets.formats.tflite.options import TFLiteOptions

if TYPE_CHECKING:
    from kspec.compiler.ir import Graph
    from kspec.compiler.passes import Pass
    from kspec.compiler.table import Table
    from kspec.targets.formats.tflite.program import Program, Rule


class TFLite(Format[TFLiteOptions]):
    """A ``.tflite`` file of builtin operators, for LiteRT on phones, boards and in browsers. Every
    dimension has a fixed size, including the batch.

    Loops over time use the runtime's operators. Its recurrent layers keep their state between
    calls, even a NaN; therefore the model resets the state at the start of each call.
    """

    name: ClassVar[str] = "tflite"
    suffix: ClassVar[str] = ".tflite"
    options = TFLiteOptions
    rules: ClassVar[Table[Rule]] = lazy("kspec.targets.formats.tflite.rules:RULES")
    limits: ClassVar[Mapping[type, Limit]] = lazy("kspec.targets.formats.tflite.limits:LIMITS")
    runner: ClassVar[str] = "kspec.targets.formats.tflite.run:LiteRTRunner"
    packages: ClassVar[tuple[str, ...]] = ("ai-edge-litert", "flatbuffers")
    fixed_shapes: ClassVar[bool] = True
    largest_bytes: ClassVar[int | None] = LARGEST_FILE

    def passes(self, options: TFLiteOptions) -> tuple[Pass, ...]:
        from kspec.compiler.passes.bind_dimensions import bind_dimensions
        from kspec.compiler.passes.join_repeats import join_repeats
        from kspec.compiler.passes.unroll import SHORT, unroll
        from kspec.targets.formats.tflite.passes import PASSES

        bound = bind_dimensions(self.fixed(options))
        return (*PASSES, bound, unroll(SHORT), join_repeats)

    def fixed(self, options: TFLiteOptions) -> Mapping[str, int]:
        return {"batch": options.batch, **options.dimensions}

    def sized(self, options: TFLiteOptions, sizes: Mapping[str, int]) -> TFLiteOptions:
        dimensions = {**self.fixed(options), **sizes}
        batch = dimensions.pop("batch")
        return TFLiteOptions(batch=batch, dimensions=dimensions, card=options.card)

    def decisive(self, options: TFLiteOptions) -> Mapping[str, Any]:
        return options.model_dump(mode="json", exclude={"card"})

    def write(self, graph: Graph, path: Path, options: TFLiteOptions) -> tuple[str, ...]:
        """Write the file. Raises TFLiteError for a dimension without a size, or 2 GB."""
        from kspec.targets.formats.tflite.write import write_program

        write_program(self.program(graph), path, options.card)
        return (path.name,)

    def program(self, graph: Graph) -> Program:
        """Return the program of a lowered graph whose dimensions are all known."""
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
