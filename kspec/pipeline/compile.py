"""The stage that traces the trained model and keeps what artifacts are judged by."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from kspec.compiler.file import save as save_graph
from kspec.compiler.ir import Array
from kspec.data.dataset import Dataset, Split
from kspec.data.golden import golden_rows
from kspec.models.prediction import predict
from kspec.pipeline.proof.comparison import varies
from kspec.pipeline.proof.drawn import draw_inputs
from kspec.pipeline.proof.metrics import task_metrics
from kspec.pipeline.proof.rows import Rows
from kspec.pipeline.proof.trace import check_trace
from kspec.pipeline.store.records import GRAPH, METRICS, WEIGHTS, write_json
from kspec.pipeline.workshop import Workshop
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.training.weights import load_weights

DRAWN = 32
"""Rows that are drawn where there is no data."""


def compile_trained(shop: Workshop, weights: Path, folder: Path) -> None:
    """Trace the trained model, and keep its graph with the rows that artifacts are judged on."""
    from kspec.models.keras_model import finalize, trace_document

    document = shop.document
    load_weights(shop.model, weights / WEIGHTS)
    finalize(shop.model)
    graph = trace_document(shop.model, document)
    rows, golden, facts = _judging(shop)
    if not varies(golden.expected):
        raise KspecError(
            Diagnostic(
                "KS722",
                "the trained model answers the same for every golden row: nothing can be proven",
                ("train",),
                help="train longer, or look at the learning rate and the data",
            ),
            document=document,
        )
    if problems := check_trace(graph, golden):
        raise KspecError(*problems, document=document)
    save_graph(graph, folder / GRAPH)
    for name, part in (("rows", rows), ("golden", golden)):
        for kind in ("inputs", "expected", "targets"):
            save_file(_ordered(getattr(part, kind)), folder / f"{name}-{kind}.safetensors")
    outputs = document.spec.outputs
    metrics = task_metrics(rows.expected, rows.targets, outputs) if rows.targets else {}
    write_json(folder / METRICS, {**facts, "metrics": metrics})


def _judging(shop: Workshop) -> tuple[Rows, Rows, dict[str, Any]]:
    """The rows to judge by, the golden ones, and where they are from. A spec that has weights needs
    no data: its rows are drawn then, and have no truth."""
    spec = shop.document.spec
    if spec.data is None and spec.weights is not None:
        inputs = draw_inputs(spec, DRAWN)
        rows = Rows(inputs, predict(shop.model, inputs), {})
        columns = {name: (name,) for name in spec.inputs}
        return rows, rows, {"split": "drawn", "counts": {"drawn": DRAWN}, "columns": columns}
    name, split = _judging_split(shop.dataset)
    counts = {each: len(getattr(shop.dataset, each)) for each in ("train", "validation", "test")}
    facts = {"split": name, "counts": counts, "columns": shop.dataset.columns}
    return _rows(shop.model, split), _rows(shop.model, golden_rows(split)), facts


def _judging_split(dataset: Dataset) -> tuple[str, Split]:
    """The test split, or the best there is."""
    for name in ("test", "validation", "train"):
        split: Split = getattr(dataset, name)
        if len(split):
            return name, split
    raise AssertionError("the loader refuses data without rows")


def _rows(model: Any, split: Split) -> Rows:
    return Rows(split.inputs, predict(model, split.inputs), split.targets)


def _ordered(arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {name: np.asarray(array, order="C") for name, array in sorted(arrays.items())}
