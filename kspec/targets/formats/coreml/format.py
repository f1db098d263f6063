"""The Core ML format: what it lacks, what is prepared for it, and how it is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from kspec.schemas.base import Model
from kspec.targets.formats.coreml.options import CoreMLOptions
from kspec.targets.formats.format import Format, Refusal, Tolerance, lazy

if TYPE_CHECKING:
    from kspec.compiler.ir import Graph
    from kspec.compiler.passes import Pass
    from kspec.compiler.table import Table
    from kspec.targets.formats.coreml.emission import Rule


class CoreML(Format):
    """An ML Program in an `.mlpackage`, written through coremltools' MIL builder."""

    name: ClassVar[str] = "coreml"
    suffix: ClassVar[str] = ".mlpackage"
    options: ClassVar[type[Model]] = CoreMLOptions
    passes: ClassVar[tuple[Pass, ...]] = lazy("kspec.targets.formats.coreml.passes:PASSES")
    rules: ClassVar[Table[Rule]] = lazy("kspec.targets.formats.coreml.rules:RULES")
    runner: ClassVar[str] = "kspec.targets.formats.coreml.run:CoreMLRunner"
    packages: ClassVar[tuple[str, ...]] = ("coremltools", "numpy")

    def refusals(self, graph: Graph) -> tuple[Refusal, ...]:
        from kspec.targets.formats.coreml.limits import limit_of

        limits = [
            (node, limit_of(node, graph)) for node in graph.nodes if type(node.op) in self.rules
        ]
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
        from kspec.compiler.passes.bind_dimensions import bind_dimensions
        from kspec.targets.formats.coreml.write import write_package

        assert isinstance(options, CoreMLOptions)
        if options.batch is not None:
            graph = bind_dimensions({"batch": options.batch})(graph)
        write_package(graph, path, options)
