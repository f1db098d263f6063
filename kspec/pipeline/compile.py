"""The stage that traces the trained model and keeps what artifacts are judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from kspec.compiler.file import save as save_graph
from kspec.compiler.ir import Array
from kspec.data.dataset import Dataset, Split
from kspec.data.golden import golden_rows
from kspec.features.kinds import decisions_of, ranges_of
from kspec.features.samples import draw_rows
from kspec.models.prediction import predict
from kspec.pipeline.proof.baselines import baselines
from kspec.pipeline.proof.comparison import varies
from kspec.pipeline.proof.metrics import task_metrics
from kspec.pipeline.proof.reference import Reference
from kspec.pipeline.proof.rows import Rows
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
    rows, golden, facts = _judging(shop, Reference(graph, partial(predict, shop.model)))
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
    save_graph(graph, folder / GRAPH)
    for name, part in (("rows", rows), ("golden", golden)):
        for kind in ("inputs", "expected", "targets"):
            save_file(_ordered(getattr(part, kind)), folder / f"{name}-{kind}.safetensors")
    outputs = decisions_of(document.spec)
    metrics = task_metrics(rows.expected, rows.targets, outputs) if rows.targets else {}
    constant = baselines(rows.targets, outputs) if rows.targets else ()
    yardsticks = {
        name: {output: asdict(each) for output, each in part.yardsticks.items()}
        for name, part in (("rows", rows), ("golden", golden))
    }
    write_json(
        folder / METRICS,
        {
            **facts,
            "metrics": metrics,
            "baselines": [asdict(each) for each in constant],
            "yardsticks": yardsticks,
        },
    )


def _judging(shop: Workshop, reference: Reference) -> tuple[Rows, Rows, dict[str, Any]]:
    """The rows to judge by, the golden ones, and where they are from. A spec that has weights needs
    no data: its rows are drawn then, and have no truth."""
    spec = shop.document.spec
    if spec.data is None and spec.weights is not None:
        ranges = ranges_of(spec)
        drawn = draw_rows(reference.graph, DRAWN, sizes=shop.sizes, ranges=ranges)
        golden = _proven(shop, reference, drawn)
        columns = {name: (name,) for name in spec.inputs}
        return golden, golden, {"split": "drawn", "counts": {"drawn": DRAWN}, "columns": columns}
    name, split = _judging_split(shop.dataset)
    facts = {"split": name, "counts": shop.counts, "columns": shop.dataset.columns}
    golden = _proven(shop, reference, golden_rows(split).inputs)
    return reference.rows(split.inputs, split.targets, golden.yardsticks), golden, facts


def _proven(shop: Workshop, reference: Reference, inputs: Mapping[str, Array]) -> Rows:
    rows, problems = reference.proven(inputs)
    if problems:
        raise KspecError(*problems, document=shop.document)
    return rows


def _judging_split(dataset: Dataset) -> tuple[str, Split]:
    """The test split, or the best there is."""
    for name in ("test", "validation", "train"):
        split: Split = getattr(dataset, name)
        if len(split):
            return name, split
    raise AssertionError("the loader refuses data without rows")


def _ordered(arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {name: np.asarray(array, order="C") for name, array in sorted(arrays.items())}
