"""A network without data, of every kind of input and output, proven where it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import kspec
from tests.platforms import jvm

SPEC = """\
kspec: 1
name: kinds
version: 1.0.0
inputs:
  steps: {tensor: {shape: [SIZE, 4]}}
  words: {tensor: {shape: [5], dtype: int32}}
  face: {image: {height: 8, width: 8}, rescale: 1/255}
outputs:
  states: {tensor: {shape: [SIZE, 6]}}
  size: {number: {size: 2}}
  kind: {category: {labels: [a, b]}}
  yes: {binary: {}}
network:
  - gru: {units: 6, return_sequences: true}
    name: states
    from: steps
  - embedding: {input_dim: 9, output_dim: 3}
    name: e
    from: words
  - global_average_pooling1d
  - dense: 2
    name: size
  - conv2d: {filters: 3, kernel_size: 3}
    from: face
  - global_average_pooling2d
  - dense: {units: 2, activation: softmax}
    name: kind
  - flatten:
    from: e
  - dense: {units: 1, activation: sigmoid}
    name: "yes"
weights: weights.safetensors
targets: {server: {}, jvm: {}, raspberry_pi: {DIMENSIONS}}
""".replace("  yes:", '  "yes":')


@pytest.fixture(scope="module", params=["12", "time"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of bundles, of a sequence of twelve steps or of any number."""
    from kspec.models.keras_model import build_model, randomize
    from kspec.training.weights import save_weights

    folder = tmp_path_factory.mktemp("kinds")
    dimensions = "dimensions: {time: 7}" if request.param == "time" else ""
    text = SPEC.replace("SIZE", request.param).replace("DIMENSIONS", dimensions)
    path = folder / "model.yaml"
    path.write_text(text.replace("weights: weights.safetensors\n", ""))
    model = build_model(kspec.load(path))
    randomize(model)
    save_weights(model, folder / "weights.safetensors")
    path.write_text(text)
    kspec.build(path)
    return folder / "dist"


@pytest.mark.parametrize(
    ("platform", "words"),
    [
        ("server", ["-m", "server", "--self-test"]),
        ("raspberry_pi", ["-m", "kinds_model", "self-test"]),
        ("raspberry_pi", ["-m", "kinds_model", "self-test", "--engine", "onnxruntime"]),
    ],
)
def test_python_clients(built: Path, platform: str, words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *words], cwd=built / platform, capture_output=True, text=True, check=False
    )
    said = jvm.said(done.stdout)
    assert said["pass"], done.stdout + done.stderr
    assert (said["flips"], said["picture_error"]) == (0, 0.0)


def test_java_client(built: Path) -> None:
    said = jvm.said(jvm.maven(built / "jvm", "--quiet", "test-compile", "exec:java"))
    assert said["pass"], said
    golden = json.loads((built / "jvm" / "kspec-bundle.json").read_text("utf-8"))["golden"]
    assert (said["rows"], said["flips"]) == (golden["rows"], 0)
