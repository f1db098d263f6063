"""The Core ML format: what it lacks, what is prepared for it, and how it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
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
        return (*super().refusals(graph), *self._limits(graph))

    def _limits(self, graph: Graph) -> Iterator[Refusal]:
        """What a rule cannot express, in loops under the names of the loops. Their bodies measure
        sizes on the inputs of the graph."""
        from kspec.compiler.ops import Scan
        from kspec.compiler.passes.bodies import opened
        from kspec.targets.formats.coreml.limits import limit_of

        for node in graph.nodes:
            if isinstance(node.op, Scan):
                body = replace(opened(node, graph), inputs=graph.inputs)
                yield from (replace(each, node=node.name) for each in self._limits(body))
            if type(node.op) in self.rules and (reason := limit_of(node, graph)):
                yield Refusal(node.name, type(node.op).__name__, reason)

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
