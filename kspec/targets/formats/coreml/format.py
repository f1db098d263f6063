"""The Core ML format: its limits, its passes and its writer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from kspec.targets.formats.coreml.options import CoreMLOptions
from kspec.targets.formats.format import Format, Limit, Tolerance, lazy

if TYPE_CHECKING:
    from kspec.compiler.ir import Graph
    from kspec.compiler.passes import Pass
    from kspec.compiler.table import Table
    from kspec.targets.formats.coreml.emission import Rule


class CoreML(Format[CoreMLOptions]):
    """An ML Program in an `.mlpackage`, written through coremltools' MIL builder."""

    name: ClassVar[str] = "coreml"
    suffix: ClassVar[str] = ".mlpackage"
    options = CoreMLOptions
    rules: ClassVar[Table[Rule]] = lazy("kspec.targets.formats.coreml.rules:RULES")
    limits: ClassVar[Mapping[type, Limit]] = lazy("kspec.targets.formats.coreml.limits:LIMITS")
    runner: ClassVar[str] = "kspec.targets.formats.coreml.run:CoreMLRunner"
    packages: ClassVar[tuple[str, ...]] = ("coremltools", "numpy")

    def passes(self, options: CoreMLOptions) -> tuple[Pass, ...]:
        from kspec.compiler.passes.bind_dimensions import bind_dimensions
        from kspec.compiler.passes.narrow_transposes import narrow_transposes
        from kspec.targets.formats.coreml.limits import GREATEST_RANK
        from kspec.targets.formats.coreml.passes import PASSES

        bound = bind_dimensions(self.fixed(options))
        return (*PASSES, bound, narrow_transposes(GREATEST_RANK))

    def fixed(self, options: CoreMLOptions) -> Mapping[str, int]:
        return {} if options.batch is None else {"batch": options.batch}

    def sized(self, options: CoreMLOptions, sizes: Mapping[str, int]) -> CoreMLOptions:
        largest = max((options.largest_dimension, *sizes.values()))
        return options.model_copy(update={"largest_dimension": largest})

    def decisive(self, options: CoreMLOptions) -> Mapping[str, Any]:
        return options.model_dump(mode="json", exclude={"card"})

    def tolerance(self, options: CoreMLOptions) -> Tolerance:
        """Half precision has a significand of 11 bits, and deep networks lose a few of them."""
        half = options.precision == "float16"
        return Tolerance(atol=1e-2, rtol=1e-2) if half else Tolerance()

    def write(self, graph: Graph, path: Path, options: CoreMLOptions) -> tuple[str, ...]:
        from kspec.targets.formats.coreml.write import write_package

        return write_package(graph, path, options)
