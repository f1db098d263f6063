"""`.keras` files through the functions that `kspec emit` and `kspec import` call."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kspec.pipeline.build import build
from kspec.pipeline.check import load_checked
from kspec.pipeline.keras_files import emit_keras, import_keras
from kspec.spec.diagnostics import KspecError
from kspec.targets.emission import run_artifact
from kspec.targets.registry import formats
from kspec.training.weights import pack, read_weights


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    import keras

    from kspec.models.keras_model import randomize

    layers = [
        keras.Input((6, 6, 2), name="pixels"),
        keras.layers.Conv2D(4, 3, padding="same"),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(),
        keras.layers.Flatten(),
        keras.layers.Dense(3, name="head"),
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
    assert [each.format for each in artifacts] == list(formats())
    assert all(each.worst_error <= 1e-5 and each.path.exists() for each in artifacts)


def test_rows_of_a_file(saved: tuple[Any, Path], tmp_path: Path) -> None:
    """By the names of inputs; all that is wrong with them is said."""
    _, path = saved
    rows = np.random.default_rng(0).normal(size=(5, 6, 6, 2)).astype(np.float32)
    np.savez(tmp_path / "rows.npz", pixels=rows)
    (tmp_path / "rows.json").write_text(json.dumps([{"pixels": row.tolist()} for row in rows[:4]]))
    np.savez(tmp_path / "other.npz", other=rows)
    for file, count in (("rows.npz", 5), ("rows.json", 4)):
        (artifact,) = emit_keras(path, ("onnx",), tmp_path / "out", tmp_path / file)
        assert artifact.rows == count
    for file in ("other.npz", "absent.npz"):
        with pytest.raises(KspecError):
            emit_keras(path, ("onnx",), tmp_path / "wrong", tmp_path / file)
        assert not (tmp_path / "wrong").exists()


def test_what_is_imported_builds_the_model(saved: tuple[Any, Path], tmp_path: Path) -> None:
    model, path = saved
    spec, weights = import_keras(path, tmp_path / "spec")
    result = build(load_checked(spec), store=tmp_path / "store")
    assert [each.target for each in result.artifacts] == list(formats())
    (name,) = load_checked(spec).spec.inputs
    rows = np.random.default_rng(0).normal(size=(3, 6, 6, 2)).astype(np.float32)
    expected = np.asarray(model(rows))
    for artifact in result.artifacts:
        (found,) = run_artifact(
            formats()[artifact.format], artifact.path, {name: rows}
        ).outputs.values()
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    manifest = json.loads(result.manifest.read_text())
    assert manifest["data"] == {"sha256": None, "rows": {"drawn": 32}}
    weights.write_bytes(pack(read_weights(weights) | {"head/bias": np.zeros(4, np.float32)}))
    with pytest.raises(KspecError) as caught:
        build(load_checked(spec), store=tmp_path / "store")
    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.route) == ("KS633", ("weights",))
    assert "'head/bias' is float32[4] in the file, float32[3] in the network" in problem.message
    with pytest.raises(KspecError, match="KS910"):
        import_keras(path, tmp_path / "spec")


def test_an_unknown_format_is_refused(saved: tuple[Any, Path], tmp_path: Path) -> None:
    with pytest.raises(KspecError, match="KS712"):
        emit_keras(saved[1], ("onx",), tmp_path / "out")
    assert not (tmp_path / "out").exists()
