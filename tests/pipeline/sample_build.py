"""A finished build that was never run: a branching network of two outputs, and its figures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import DType, Graph, Node, Origin, TensorType, Value
from kspec.pipeline.compiled import Compiled
from kspec.pipeline.proof.rows import Rows
from kspec.pipeline.proof.sensitivity import Coverage
from kspec.pipeline.results import Artifact, BuildResult, GateResult, Plan, StageRun, TargetPlan
from kspec.schemas.features import Category, Output
from kspec.spec.document import Document
from kspec.spec.load import load

SPEC = """\
kspec: 1
name: houses
version: 2.1.0
description: Prices and districts of houses.
inputs:
  facts: {number: {size: 6}, columns: "fact_*", normalize: true, rescale: 1/4, offset: -0.5}
outputs:
  price: {number: {size: 1}, column: price}
  district: {category: {labels: [north, south, east]}, column: district}
blocks:
  residual(units):
    - dense: {units: "${units}", activation: relu}
      name: first
    - add:
      from: [first, input]
network:
  - dense: {units: 16, activation: relu}
    name: stem
  - residual: {units: 16}
    repeat: 2
    name: body
  - dense: 1
    name: price
    from: body_2
  - dense: {units: 3, activation: softmax}
    name: district
    from: body_2
train: {epochs: 9, early_stopping: {monitor: val_loss, patience: 2}}
"""
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'`|*_[a](http://b.c)\n# {{ 7*7 }}"


@dataclass(frozen=True)
class Sample:
    """All that a report is made of."""

    document: Document
    result: BuildResult
    plan: Plan
    compiled: Compiled
    history: dict[str, Any]


def sample(folder: Path, text: str = SPEC) -> Sample:
    path = folder / "model.yaml"
    path.write_text(text, "utf-8")
    document = load(path)
    artifacts = tuple(
        artifact(*each)
        for each in (
            ("ios", "coreml", "numpy 2.4.6 evaluation of the written package", 9.4e-6, 0),
            ("browser", "onnx", "onnxruntime 1.31.1", 3.5e-7, 2),
        )
    )
    result = BuildResult(
        "houses",
        "2.1.0",
        folder,
        (
            StageRun("train", "ab" * 16, ran=True, reason="changed: train", seconds=185.2),
            StageRun("emit·onnx", "cd" * 16, ran=False, reason="unchanged", seconds=0.001),
        ),
        artifacts,
        (
            GateResult("district_accuracy", "ios", "coreml", ">= 0.9", 0.93, passed=True),
            GateResult("district_accuracy", "browser", "onnx", ">= 0.9", 0.925, passed=True),
            GateResult("ios.size", "ios", "coreml", "<= 200 KB", 151_392.0, passed=True),
        ),
        {"price_mae": 1234.5678, "price_rmse": 2345.678, "district_accuracy": 0.93},
        folder / "manifest.json",
        folder / "report.html",
    )
    formats = (
        TargetPlan("coreml", ("ios",), {"Linear": 5}, {}, 5_432, 1.2e-7, artifacts[0].runtime),
        TargetPlan("onnx", ("browser",), {"Linear": 5}, {"Relu": 3}, 4_321, 0.0, "onnxruntime"),
    )
    return Sample(document, result, Plan(740, 7, formats), compiled(), history())


def artifact(target: str, format_: str, runtime: str, error: float, flips: int) -> Artifact:
    return Artifact(
        target,
        format_,
        Path(target, f"houses.{format_}"),
        sha256="0123456789abcdef" * 4,
        files={"houses": "0123456789abcdef" * 4},
        bytes=151_392,
        options={},
        runtime=runtime,
        rows=1_234,
        worst_error=error,
        flips=flips,
        tolerances={name: {"atol": 1e-5, "rtol": 1e-5} for name in ("price", "district")},
        metrics={"price_mae": 1234.5678, "price_rmse": 2345.678, "district_accuracy": 0.925},
        latency=3.5e-5,
        seconds=0.25,
    )


def compiled() -> Compiled:
    facts = Value("facts", TensorType(DType.float32, ("batch", 6)))
    price = Value("price", TensorType(DType.float32, ("batch", 1)))
    district = Value("district", TensorType(DType.float32, ("batch", 3)))
    kernel = Value("stem/kernel", TensorType(DType.float32, (6, 16)))
    inner = Value("stem/matmul", TensorType(DType.float32, ("batch", 16)))
    node = Node(ops.MatMul(), (facts, kernel), (inner,), Origin("stem", ("network", 0, "dense")))
    constants = {kernel.name: np.ones((6, 16), np.float32)}
    graph = Graph("houses", (facts,), (price, district), (node,), constants)
    rows = Rows({"facts": np.ones((5, 6))}, {"price": np.ones((5, 1))}, {})
    counts = {"train": 800, "validation": 100, "test": 5}
    metrics = {"price_mae": 1234.5678, "price_rmse": 2345.678, "district_accuracy": 0.93}
    columns = {"facts": tuple(f"fact_{index}" for index in range(6))}
    coverage = Coverage(16, 16, 15, 15, 5, 2, silent=("stem",))
    return Compiled(graph, rows, rows, "test", counts, columns, metrics, coverage)


def history(epochs: int = 7) -> dict[str, Any]:
    """A loss that is best in the fifth epoch."""
    names = ("loss", "price_loss", "district_accuracy", "price_mean_absolute_error")
    found = [
        {
            f"{prefix}{name}": 0.5 + abs(epoch - 4) / 10 + len(prefix + name) / 100
            for prefix in ("", "val_")
            for name in names
        }
        | {"learning_rate": 0.001}
        for epoch in range(epochs)
    ]
    return {"epochs": found, "stopped_early": True, "seconds": 185.2}


def hostile(given: Sample, text: str = HOSTILE) -> Sample:
    """The same with one text wherever a spec, a folder or a runtime can put any."""
    document, result = given.document, given.result
    kind = Category.model_construct(labels=tuple(f"{text}{i}" for i in range(30)))
    outputs = {**document.spec.outputs, "district": Output.model_construct(kind=kind)}
    spec = document.spec.model_copy(update={"description": text, "outputs": outputs, "name": text})
    steps = tuple(
        replace(
            each,
            name=f"{text}/{each.name}" if each.name not in spec.outputs else each.name,
            inputs=tuple(i if i == "facts" else f"{text}/{i}" for i in each.inputs),
        )
        for each in document.steps
    )
    return replace(
        given,
        document=replace(document, spec=spec, steps=steps),
        result=replace(
            result,
            name=text,
            version=text,
            stages=tuple(replace(each, name=text, key=text, reason=text) for each in result.stages),
            artifacts=tuple(
                replace(
                    each,
                    target=text,
                    format=text,
                    path=Path(text.replace("/", "|")),
                    runtime=text,
                    metrics={text: 0.5},
                )
                for each in result.artifacts
            ),
            gates=tuple(replace(each, gate=text, target=text) for each in result.gates),
            metrics={text: 0.5},
        ),
        plan=replace(
            given.plan,
            targets=(TargetPlan(text, (text,), {text: 1}, {text: 2}, 1, 0.0, text),),
        ),
        history=given.history
        | {"epochs": [each | {text: 1.0, f"val_{text}": 2.0} for each in given.history["epochs"]]},
    )
