"""Whether the traced graph means what the trained model computes."""

from __future__ import annotations

import numpy as np

from kspec.compiler.ir import Graph
from kspec.compiler.reference import evaluate
from kspec.pipeline.proof.comparison import compare
from kspec.pipeline.proof.rows import Rows
from kspec.spec.diagnostics import Diagnostic
from kspec.targets.formats.format import Tolerance


def check_trace(graph: Graph, rows: Rows) -> tuple[Diagnostic, ...]:
    """Whether the graph means what the trained model does: the reference in float64 against the
    model's own outputs. A difference is a fault of kspec."""
    found = evaluate(graph, rows.inputs, precision=np.float64)
    comparisons = {
        name: compare({name: found[name]}, {name: expected}, {}, Tolerance())
        for name, expected in rows.expected.items()
    }
    return tuple(
        Diagnostic(
            "KS723",
            f"the graph differs from the trained model at output {name!r} by"
            f" {each.worst_error:.3g}",
        )
        for name, each in comparisons.items()
        if not each.within
    )
