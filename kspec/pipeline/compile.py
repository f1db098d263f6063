"""The stage that traces the trained model and stores the rows that artifacts are judged by."""

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
from kspec.data.golden import covering_rows
from kspec.features.kinds import decisions_of, ranges_of
from kspec.features.samples import draw_rows
from kspec.models.prediction import predict
from kspec.pipeline.proof.baselines import baselines
from kspec.pipeline.proof.comparison import varies
from kspec.pipeline.proof.constant import Training, answers_a_constant, training_of
from kspec.pipeline.proof.golden import Golden, choose_rows, insensitive
from kspec.pipeline.proof.metrics import task_metrics
from kspec.pipeline.proof.reference import Reference
from kspec.pipeline.proof.rows import Rows
from kspec.pipeline.store.records import GRAPH, HISTORY, METRICS, WEIGHTS, read_json, write_json
from kspec.pipeline.workshop import Workshop
from kspec.spec.diagnostics import KspecError
from kspec.training.weights import load_weights

POOL = 64
"""Number of random rows. Golden rows are chosen from them if the rows of the split do not show
enough, or without data."""


def compile_trained(shop: Workshop, weights: Path, folder: Path) -> None:
    """Trace the trained model, and store its graph with the rows that artifacts are judged on."""
    from kspec.models.keras_model import finalize, trace_document

    document = shop.document
    load_weights(shop.model, weights / WEIGHTS)
    finalize(shop.model)
    graph = trace_document(shop.model, document)
    reference = Reference(graph, partial(predict, shop.model))
    rows, golden, facts = _judging(shop, reference)
    if not varies(golden.rows.expected):
        history = read_json(weights / HISTORY)
        problem = answers_a_constant(graph, golden.rows, _training(shop, history))
        raise KspecError(problem, document=document)
    if problems := (*golden.problems, *insensitive(golden.coverage)):
        raise KspecError(*problems, document=document)
    save_graph(graph, folder / GRAPH)
    for name, part in (("rows", rows), ("golden", golden.rows)):
        for kind in ("inputs", "expected", "targets"):
            save_file(_ordered(getattr(part, kind)), folder / f"{name}-{kind}.safetensors")
    outputs = decisions_of(document.spec)
    metrics = task_metrics(rows.expected, rows.targets, outputs) if rows.targets else {}
    constant = baselines(rows.targets, outputs) if rows.targets else ()
    yardsticks = {
        name: {output: asdict(each) for output, each in part.yardsticks.items()}
        for name, part in (("rows", rows), ("golden", golden.rows))
    }
    facts |= {
        "metrics": metrics,
        "baselines": [asdict(each) for each in constant],
        "yardsticks": yardsticks,
        "coverage": asdict(golden.coverage),
    }
    write_json(folder / METRICS, facts)


def _judging(shop: Workshop, reference: Reference) -> tuple[Rows, Golden, dict[str, Any]]:
    """Return the rows to judge by, the golden rows, and facts on their origin. A spec with weights
    and without data has random rows without true outputs."""
    spec = shop.document.spec
    drawn = draw_rows(reference.graph, POOL, sizes=shop.sizes, ranges=ranges_of(spec), seed=1)
    if spec.data is None and spec.weights is not None:
        golden = choose_rows(reference, None, (), drawn)
        counts = {"drawn": len(golden.rows)}
        columns = {name: (name,) for name in spec.inputs}
        return golden.rows, golden, {"split": "drawn", "counts": counts, "columns": columns}
    name, split = _judging_split(shop.dataset)
    facts = {"split": name, "counts": shop.counts, "columns": shop.dataset.columns}
    golden = choose_rows(reference, split.inputs, covering_rows(split), drawn)
    rows = reference.rows(split.inputs, split.targets, golden.rows.yardsticks)
    return rows, golden, facts


def _training(shop: Workshop, history: Mapping[str, Any]) -> Training:
    """Return how the model was trained, to explain constant outputs."""
    train = shop.document.spec.train
    size = train.batch_size if train else 1
    steps = len(history["epochs"]) * -(-shop.counts.get("train", 0) // size)
    momenta = [getattr(step.layer, "momentum", None) for step in shop.document.steps]
    backbones = any(step.layer.key == "backbone" for step in shop.document.steps)
    found = [each for each in momenta if isinstance(each, float)]
    return training_of(history, steps, max(found, default=0.99 if backbones else None))


def _judging_split(dataset: Dataset) -> tuple[str, Split]:
    """Return the first split that has rows: test, validation or train."""
    for name in ("test", "validation", "train"):
        split: Split = getattr(dataset, name)
        if len(split):
            return name, split
    raise AssertionError("the loader refuses data without rows")


def _ordered(arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {name: np.asarray(array, order="C") for name, array in sorted(arrays.items())}
