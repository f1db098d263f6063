"""The stages that need Keras: train a model, and trace the trained one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from kspec.compiler.file import load as load_graph
from kspec.compiler.file import save as save_graph
from kspec.compiler.ir import Array, Graph
from kspec.data.dataset import Dataset, Split, load_dataset
from kspec.data.golden import golden_rows
from kspec.pipeline.proof.comparison import varies
from kspec.pipeline.proof.drawn import draw_inputs
from kspec.pipeline.proof.metrics import task_metrics
from kspec.pipeline.proof.verification import Rows, check_trace
from kspec.pipeline.store.records import GRAPH, HISTORY, METRICS, WEIGHTS, read_json, write_json
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.document import Document
from kspec.training.fit import fit
from kspec.training.monitors import Monitor
from kspec.training.weights import initialize, load_weights, save_weights

__all__ = ["GRAPH", "HISTORY", "METRICS", "WEIGHTS", "Compiled", "Workshop", "compile_trained"]


DRAWN = 32
"""Rows that are drawn where there is no data."""


@dataclass(frozen=True)
class Workshop:
    """The data and the Keras model of a document, each made when it is first needed."""

    document: Document

    @cached_property
    def dataset(self) -> Dataset:
        return load_dataset(self.document)

    @cached_property
    def model(self) -> Any:
        from kspec.models.keras_model import build_model

        train = self.document.spec.train
        model = build_model(self.document, seed=train.seed if train else 0)
        initialize(model, self.document)
        return model


@dataclass(frozen=True, slots=True)
class Compiled:
    """A trained model, traced: all that emission and verification read."""

    graph: Graph
    rows: Rows
    golden: Rows
    split: str
    """Which rows: ``test``, or what there is of validation and train; ``drawn`` without data."""
    counts: Mapping[str, int]
    """Rows of each split."""
    columns: Mapping[str, tuple[str, ...]]
    """Of the data, those that each input reads."""
    metrics: Mapping[str, float]
    """Of the trained model on those rows."""


def train(shop: Workshop, folder: Path, scratch: Path, monitor: Monitor) -> None:
    """Train and leave the weights and the history in ``folder``; checkpoints go to ``scratch``,
    from where a killed run is taken up. Without a section ``train`` the weights are those that the
    spec names."""
    document = shop.document
    if document.spec.train is None and document.spec.weights is None:
        help_ = "train: {epochs: 20}, or weights: model.safetensors"
        raise KspecError(
            Diagnostic("KS605", "the spec has no train section", help=help_), document=document
        )
    history: dict[str, Any] = {"epochs": [], "stopped_early": False, "seconds": 0.0}
    if document.spec.train is not None:
        result = fit(shop.model, shop.dataset, document.spec, scratch, monitor=monitor)
        history = {
            "epochs": list(result.history),
            "stopped_early": result.stopped_early,
            "seconds": round(result.seconds, 3),
        }
    save_weights(shop.model, folder / WEIGHTS)
    write_json(folder / HISTORY, history)


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


def load_compiled(folder: Path) -> Compiled:
    """What ``compile_trained`` left; needs no Keras."""
    facts = read_json(folder / METRICS)
    return Compiled(
        load_graph(folder / GRAPH),
        load_rows(folder, "rows"),
        load_rows(folder, "golden"),
        facts["split"],
        facts["counts"],
        {name: tuple(each) for name, each in facts["columns"].items()},
        facts["metrics"],
    )


def load_rows(folder: Path, name: str) -> Rows:
    kinds = ("inputs", "expected", "targets")
    return Rows(*(load_file(folder / f"{name}-{kind}.safetensors") for kind in kinds))


def predict(model: Any, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """The model's outputs at inference for (rows, …) arrays, in chunks of 256 rows."""
    count = len(next(iter(inputs.values())))
    parts = [
        model({name: array[start : start + 256] for name, array in inputs.items()}, training=False)
        for start in range(0, count, 256)
    ]
    return {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in parts[0]}


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
