"""The TF-Serving format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from kspec.schemas.base import Model
from kspec.targets.formats.format import Format, Refusal, lazy
from kspec.targets.formats.tf_serving.options import TfServingOptions

if TYPE_CHECKING:
    from kspec.compiler.ir import Graph
    from kspec.compiler.passes import Pass
    from kspec.compiler.table import Table
    from kspec.targets.formats.tf_serving.rules import Rule


class TfServing(Format):
    """A folder ``<name>/<version>/`` with a SavedModel, signature ``serving_default``, and
    ``serving_bytes`` where inputs are pictures."""

    name: ClassVar[str] = "tf_serving"
    suffix: ClassVar[str] = ""
    options: ClassVar[type[Model]] = TfServingOptions
    passes: ClassVar[tuple[Pass, ...]] = lazy("kspec.targets.formats.tf_serving.passes:PASSES")
    rules: ClassVar[Table[Rule]] = lazy("kspec.targets.formats.tf_serving.rules:RULES")
    runner: ClassVar[str] = "kspec.targets.formats.tf_serving.run:TfServingRunner"
    packages: ClassVar[tuple[str, ...]] = ("tensorflow",)

    def refusals(self, graph: Graph) -> tuple[Refusal, ...]:
        from kspec.targets.formats.tf_serving.limits import beyond_limit

        return (*super().refusals(graph), *beyond_limit(graph))

    def write(self, graph: Graph, path: Path, options: Model) -> None:
        from kspec.targets.formats.tf_serving.write import write_model

        chosen = TfServingOptions.model_validate(options)
        write_model(graph, self.rules, path / str(chosen.version), chosen)
