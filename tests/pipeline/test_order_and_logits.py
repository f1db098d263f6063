"""A build whose names are not in alphabetical order, with a binary output on logits: everything
that it leaves has the spec's order, and decides at 0."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from safetensors.numpy import load_file

import kspec
from kspec.compiler.file import load as load_graph
from kspec.features.description import FILE, SEAL
from kspec.pipeline.bundles.prediction import predict, read_rows
from kspec.pipeline.bundles.shipped import open_bundle, verify_bundles
from kspec.pipeline.store.records import GRAPH

SPEC = """\
kspec: 1
name: order
data: {source: {csv: rows.csv}, split: {validation: 0, test: 0.5}}
inputs:
  zebra: {number: {size: 2}, columns: [y, x]}
  apple: {number: 1}
outputs:
  verdict: {binary: {labels: ["no", "yes"]}}
  amount: {number: 1}
network:
  - concatenate:
    name: both
    from: [zebra, apple]
  - dense: {units: 1, kernel_initializer: {constant: 0.3}}
    name: verdict
  - dense: {units: 1, kernel_initializer: {constant: 0.1}}
    name: amount
    from: both
train:
  epochs: 1
  optimizer: {sgd: {learning_rate: 1e-9}}
  loss: {verdict: {binary_crossentropy: {from_logits: true}}}
targets: {onnx: {}}
"""
COLUMNS = ("apple", "x", "y", "verdict", "amount")


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The truth is the sign of the logit: decisions at 0 are right, and those at ½ are not."""
    folder = tmp_path_factory.mktemp("order")
    drawn = random.Random(4)  # noqa: S311
    rows = [",".join(COLUMNS)]
    for _ in range(80):
        apple, x, y = (round(drawn.gauss(0, 1), 3) for _ in range(3))
        rows.append(f"{apple},{x},{y},{'yes' if apple + x + y > 0 else 'no'},{apple}")
    (folder / "rows.csv").write_text("\n".join(rows) + "\n")
    path = folder / "model.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture(scope="module")
def bundle(spec: Path) -> Path:
    kspec.build(spec)
    return spec.with_name("dist") / "onnx"


def test_the_specs_order_is_everywhere(spec: Path, bundle: Path) -> None:
    inputs, outputs = ["zebra", "apple"], ["verdict", "amount"]
    about = open_bundle(bundle).about
    assert [each.name for each in about.signature.inputs] == inputs
    assert [each.name for each in about.signature.outputs] == outputs
    assert about.signature.input("zebra").columns == ("y", "x")
    (folder,) = spec.with_name(".kspec").glob("compile/*/")
    graph = load_graph(folder / GRAPH)
    assert [each.name for each in graph.inputs] == inputs
    assert [each.name for each in graph.outputs] == outputs
    model = onnx.load(bundle / about.artifacts[0].path).graph
    assert [each.name for each in model.input] == inputs
    assert [each.name for each in model.output] == outputs
    readme = (bundle / "README.md").read_text()
    assert re.findall(r"(?m)^\| `(?:input|output)/(\w+)`", readme) == [*inputs, *outputs]
    manifest = json.loads((bundle.parent / "manifest.json").read_text())
    named = [
        [each["name"] for each in manifest["signature"][part]] for part in manifest["signature"]
    ]
    assert named == [inputs, outputs]


def test_logits_are_decided_at_0(bundle: Path, tmp_path: Path) -> None:
    opened = open_bundle(bundle)
    golden = load_file(bundle / opened.about.golden.file)
    logits = golden["output/verdict"][:, 0]
    assert ((logits > 0) & (logits < 0.5)).any()
    labels = [bytes(row).rstrip(b"\0").decode() for row in golden["decision/verdict"]]
    assert labels == ["yes" if logit > 0 else "no" for logit in logits]
    (artifact,) = opened.artifacts
    assert artifact.metrics["verdict_accuracy"] == 1.0
    assert opened.about.trained["verdict_accuracy"] == 1.0
    rows = [{"apple": 0.5, "x": 0.25, "y": 0.0}, {"apple": -0.5, "x": 0.25, "y": 0.0}]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    given = read_rows(tmp_path / "rows.json", opened.about.signature.inputs)
    found = predict(artifact, given, opened.about.signature.decisions)
    assert [list(each) for each in found] == [["verdict", "amount"]] * 2
    assert [each["verdict"]["label"] for each in found] == ["yes", "no"]
    (value,) = found[0]["verdict"]["values"]
    assert 0 < value < 0.5
    assert "label" not in found[0]["amount"]


def test_every_file_of_a_bundle_has_its_hash(bundle: Path) -> None:
    about = open_bundle(bundle).about
    there = {each.relative_to(bundle).as_posix() for each in bundle.rglob("*") if each.is_file()}
    assert set(about.files) == there - {FILE, SEAL}
    assert about.files[about.golden.file] == about.golden.sha256
    assert about.versions.keys() >= {"kspec", "onnx", "onnxruntime"}


def test_verification_knows_no_flips(bundle: Path) -> None:
    (artifact,) = verify_bundles([open_bundle(bundle)])
    assert artifact.flips == 0
    golden = load_file(bundle / "golden.safetensors")
    decision = open_bundle(bundle).about.signature.decisions["verdict"]
    assert decision is not None
    logits = golden["output/verdict"]
    assert decision.flips(logits, logits, 0.0).sum() == 0
    assert decision.flips(-logits, logits, 0.0).all()
    assert np.array_equal(decision.indices(logits), (logits > 0).astype(int))
