"""The traced model and the rows that its artifacts are judged on, read without Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file

from kspec.compiler.file import load as load_graph
from kspec.compiler.ir import Graph
from kspec.pipeline.proof.baselines import Baseline
from kspec.pipeline.proof.rows import Rows
from kspec.pipeline.proof.sensitivity import Coverage
from kspec.pipeline.proof.verdict import Yardstick
from kspec.pipeline.store.records import GRAPH, METRICS, read_json


@dataclass(frozen=True, slots=True)
class Compiled:
    """The traced model: all that emission and verification read."""

    graph: Graph
    rows: Rows
    golden: Rows
    split: str
    """The first split with rows, of ``test``, ``validation`` and ``train``; ``drawn`` without
    data."""
    counts: Mapping[str, int]
    """Rows of each split."""
    columns: Mapping[str, tuple[str, ...]]
    """The columns of the data that each input reads."""
    metrics: Mapping[str, float]
    """The metrics of the trained model on these rows."""
    coverage: Coverage
    """The channels in which the golden rows show a fault."""
    baselines: tuple[Baseline, ...] = ()
    """The metrics of constant answers on these rows."""


def load_compiled(folder: Path) -> Compiled:
    """Read the folder that ``compile_trained`` wrote."""
    facts = read_json(folder / METRICS)
    return Compiled(
        load_graph(folder / GRAPH),
        _rows(folder, "rows", facts),
        _rows(folder, "golden", facts),
        facts["split"],
        facts["counts"],
        {name: tuple(each) for name, each in facts["columns"].items()},
        facts["metrics"],
        Coverage(**facts["coverage"]),
        tuple(Baseline(**each) for each in facts["baselines"]),
    )


def load_rows(folder: Path, name: str) -> Rows:
    """Read the rows named ``rows`` or ``golden`` of a compiled model."""
    return _rows(folder, name, read_json(folder / METRICS))


def _rows(folder: Path, name: str, facts: Mapping[str, Any]) -> Rows:
    inputs, expected, targets = (
        load_file(folder / f"{name}-{kind}.safetensors")
        for kind in ("inputs", "expected", "targets")
    )
    own = {output: Yardstick(**each) for output, each in facts["yardsticks"][name].items()}
    return Rows(inputs, expected, targets, own)
