"""The Core ML format: what it lacks, what is prepared for it, and how it is written."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from kspec.compiler.ir import Graph
from kspec.compiler.passes import Pass
from kspec.compiler.passes.channels_first import channels_first
from kspec.compiler.passes.loops import loops
from kspec.compiler.passes.unroll import unroll
from kspec.compiler.table import Table
from kspec.schemas.base import Model
from kspec.targets.formats.coreml.emission import Rule
from kspec.targets.formats.coreml.limits import limit_of
from kspec.targets.formats.coreml.options import CoreMLOptions
from kspec.targets.formats.coreml.rules import RULES
from kspec.targets.formats.coreml.rules.recurrent import is_native
from kspec.targets.formats.format import Format, Refusal, Tolerance


class CoreML(Format):
    """An ML Program in an `.mlpackage`, written through coremltools' MIL builder."""

    name: ClassVar[str] = "coreml"
    suffix: ClassVar[str] = ".mlpackage"
    options: ClassVar[type[Model]] = CoreMLOptions
    passes: ClassVar[tuple[Pass, ...]] = (
        loops(is_native),
        unroll,
        channels_first,
    )
    rules: ClassVar[Table[Rule]] = RULES
    runner: ClassVar[str] = "kspec.targets.formats.coreml.run:CoreMLRunner"
    packages: ClassVar[tuple[str, ...]] = ("coremltools", "numpy")

    def refusals(self, graph: Graph) -> tuple[Refusal, ...]:
        limits = [(node, limit_of(node, graph)) for node in graph.nodes if type(node.op) in RULES]
        return (
            *super().refusals(graph),
            *(
                Refusal(node.name, type(node.op).__name__, reason)
                for node, reason in limits
                if reason is not None
            ),
        )

    def tolerance(self, options: Model) -> Tolerance:
        """Half precision has 11 bits, and a network of some depth loses a few of them."""
        assert isinstance(options, CoreMLOptions)
        half = options.precision == "float16"
        return Tolerance(atol=1e-2, rtol=1e-2) if half else Tolerance()

    def write(self, graph: Graph, path: Path, options: Model) -> None:
        from kspec.targets.formats.coreml.write import write_package

        assert isinstance(options, CoreMLOptions)
        write_package(graph, path, options)
