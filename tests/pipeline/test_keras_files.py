"""`.keras` files through the functions that `kspec emit` and `kspec import` call."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kspec.pipeline.keras_files import emit_keras, import_keras
from kspec.spec import load
from kspec.spec.diagnostics import KspecError
from kspec.training.weights import load_weights


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    import keras

    from kspec.compiler.keras_model import randomize

    layers = [
        keras.Input((6, 6, 2)),
        keras.layers.Conv2D(4, 3, padding="same"),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(),
        keras.layers.Flatten(),
        keras.layers.Dense(3),
    ]
    model = keras.Sequential(layers)
    randomize(model)
    path = tmp_path_factory.mktemp("saved") / "small.keras"
    model.save(path)
    return model, path


def test_every_format_of_a_file_answers_as_the_model(
    saved: tuple[Any, Path], tmp_path: Path
) -> None:
    artifacts = emit_keras(saved[1], (), tmp_path / "out")
    assert [each.format for each in artifacts] == ["onnx", "coreml", "tflite", "tf_serving"]
    assert all(each.worst_error <= 1e-5 and each.path.exists() for each in artifacts)


def test_an_imported_spec_rebuilds_the_model(saved: tuple[Any, Path], tmp_path: Path) -> None:
    from kspec.compiler.keras_model import build_model

    model, path = saved
    spec, weights = import_keras(path, tmp_path / "spec")
    document = load(spec)
    rebuilt = build_model(document)
    load_weights(rebuilt, weights)
    rows = np.random.default_rng(0).normal(size=(3, 6, 6, 2)).astype(np.float32)
    (answer,) = rebuilt(dict.fromkeys(document.spec.inputs, rows)).values()
    assert np.array_equal(np.asarray(answer), np.asarray(model(rows)))
    with pytest.raises(KspecError, match="KS910"):
        import_keras(path, tmp_path / "spec")


def test_an_unknown_format_is_refused(saved: tuple[Any, Path], tmp_path: Path) -> None:
    with pytest.raises(KspecError, match="KS712"):
        emit_keras(saved[1], ("onx",), tmp_path / "out")
    assert not (tmp_path / "out").exists()
