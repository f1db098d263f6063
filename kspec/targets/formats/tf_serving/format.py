"""The TF-Serving format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from kspec.targets.formats.format import LARGEST_FILE, Format, lazy
from kspec.targets.formats.tf_serving.options import TfServingOptions

if TYPE_CHECKING:
    from kspec.compiler.ir import Graph
    from kspec.compiler.passes import Pass
    from kspec.compiler.table import Table
    from kspec.targets.formats.tf_serving.rules import Rule


class TfServing(Format[TfServingOptions]):
    """A folder ``<name>/<version>/`` with a SavedModel. Its signatures are ``serving_default`` and,
    for picture inputs, ``serving_bytes``."""

    name: ClassVar[str] = "tf_serving"
    suffix: ClassVar[str] = ""
    options = TfServingOptions
    rules: ClassVar[Table[Rule]] = lazy("kspec.targets.formats.tf_serving.rules:RULES")
    runner: ClassVar[str] = "kspec.targets.formats.tf_serving.run:TfServingRunner"
    packages: ClassVar[tuple[str, ...]] = ("tensorflow",)
    largest_bytes: ClassVar[int | None] = LARGEST_FILE

    def passes(self, options: TfServingOptions) -> tuple[Pass, ...]:  # noqa: ARG002
        from kspec.targets.formats.tf_serving.passes import PASSES

        return PASSES

    def write(self, graph: Graph, path: Path, options: TfServingOptions) -> tuple[str, ...]:
        from kspec.targets.formats.tf_serving.write import write_model

        version = str(options.version)
        written = write_model(graph, self.rules, path / version, options)
        return tuple(f"{path.name}/{version}/{each}" for each in written)
