"""Keras models without a spec: a real network, several inputs and outputs, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kspec
from kspec.models.keras_model import randomize
from kspec.spec.diagnostics import KspecError
from kspec.targets.registry import formats

FORMATS = set(formats())


def random_model(model: Any) -> Any:
    randomize(model)
    return model


def test_mobilenet(tmp_path: Path) -> None:
    """A thousand probabilities of about 0.001: judged by their own size, or nothing is proven."""
    import coremltools
    import keras
    import onnx

    model = random_model(keras.applications.MobileNetV2(weights=None, input_shape=(96, 96, 3)))
    drawn = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    # With statistics of its own: others let the input die away within fifty layers.
    model(drawn.normal(size=(8, 96, 96, 3)).astype(np.float32), training=True)
    rows = {model.inputs[0].name: drawn.normal(size=(3, 96, 96, 3)).astype(np.float32)}
    artifacts = kspec.compile_keras(model, out=tmp_path, name="mobilenet", rows=rows)
    assert {each.format for each in artifacts} == FORMATS
    for each in artifacts:
        assert each.worst_error <= 1e-4
        assert each.path.exists()
    onnx_nodes = onnx.load(tmp_path / "mobilenet.onnx").graph.node
    assert [node.op_type for node in onnx_nodes].count("Transpose") == 1
    assert onnx_nodes[0].op_type == "Transpose"
    package = coremltools.models.MLModel(
        str(tmp_path / "mobilenet.mlpackage"), skip_model_load=True
    )
    (block,) = package.get_spec().mlProgram.functions["main"].block_specializations.values()
    kinds = [each.type for each in block.operations if each.type != "const"]
    assert kinds.count("transpose") == 1
    assert kinds[0] == "transpose"


def test_several_inputs_and_outputs_and_whole_numbers(tmp_path: Path) -> None:
    import keras

    layers = keras.layers
    words = keras.Input((7,), dtype="int32", name="words")
    facts = keras.Input((3,), name="facts")
    x = layers.Conv1D(4, 3, activation="gelu")(layers.Embedding(11, 5)(words))
    x = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.Dense(4)(facts)])
    outputs = {
        "kind": layers.Dense(3, activation="softmax", name="kind")(x),
        "size": layers.Dense(1, name="size")(layers.BatchNormalization()(x)),
    }
    model = random_model(keras.Model({"words": words, "facts": facts}, outputs))
    drawn = np.random.default_rng(0)
    rows = {
        "words": drawn.integers(0, 11, (9, 7)).astype(np.int32),
        "facts": drawn.normal(size=(9, 3)).astype(np.float32),
    }
    artifacts = kspec.compile_keras(model, out=tmp_path, name="several", rows=rows)
    assert {each.format for each in artifacts} == FORMATS
    assert max(each.worst_error for each in artifacts) <= 1e-5
    assert {each.rows for each in artifacts} == {9}


def test_open_sizes_stay_open_but_in_tflite(tmp_path: Path) -> None:
    import coremltools
    import keras
    import onnx
    from ai_edge_litert.interpreter import Interpreter

    layers = keras.layers
    picture = keras.Input((None, None, 3), name="picture")
    x = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(picture)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    output = layers.Dense(2, name="kind")(layers.GlobalAveragePooling2D()(x))
    model = random_model(keras.Model(picture, output, name="open"))
    with pytest.raises(KspecError, match="picture_1"):
        kspec.compile_keras(model, ["tflite"], tmp_path)
    rows = np.random.default_rng(0).normal(size=(3, 20, 300, 3)).astype(np.float32)
    chosen = {"picture_1": 12, "picture_2": 15}
    for given in ({"rows": {"picture": rows}}, {"dimensions": chosen}):
        artifacts = kspec.compile_keras(model, out=tmp_path, **given)
        assert {each.format for each in artifacts} == FORMATS
        assert max(each.worst_error for each in artifacts) <= 1e-5
        sizes = [20, 300] if "rows" in given else [12, 15]
        details = Interpreter(str(tmp_path / "open.tflite")).get_input_details()
        assert details[0]["shape"].tolist() == [1, *sizes, 3]
        (declared,) = onnx.load(tmp_path / "open.onnx").graph.input
        dims = declared.type.tensor_type.shape.dim
        assert [dim.dim_param for dim in dims] == ["batch", "picture_1", "picture_2", ""]
        package = coremltools.models.MLModel(str(tmp_path / "open.mlpackage"), skip_model_load=True)
        array = package.get_spec().description.input[0].type.multiArrayType
        bounds = [each.upperBound for each in array.shapeRange.sizeRanges]
        assert bounds[1:] == [max(256, *sizes)] * 2 + [3]


def test_what_is_refused_leaves_nothing(tmp_path: Path) -> None:
    import keras

    x = keras.Input((3,))
    code = keras.Model(x, keras.layers.Lambda(lambda each: each * 2, name="twice")(x))
    with pytest.raises(KspecError) as caught:
        kspec.compile_keras(code, out=tmp_path / "out")
    (problem,) = caught.value.diagnostics
    assert problem.code == "KS711"
    assert "twice" in problem.message
    with pytest.raises(KspecError) as caught:
        kspec.compile_keras(code, ["onx"], tmp_path / "out")
    assert caught.value.diagnostics[0].code == "KS712"
    constant = keras.Model(x, keras.layers.Dense(2, kernel_initializer="zeros")(x))
    with pytest.raises(KspecError) as caught:
        kspec.compile_keras(constant, out=tmp_path / "out")
    assert caught.value.diagnostics[0].code == "KS722"
    assert not (tmp_path / "out").exists()


def test_rows_are_drawn_until_an_untrained_network_tells_them_apart(tmp_path: Path) -> None:
    """A signal dies away in its BatchNormalizations; numbers of size 1 leave nothing of it."""
    import keras

    model = keras.applications.MobileNetV3Small(weights=None, input_shape=(32, 32, 3), classes=10)
    (artifact,) = kspec.compile_keras(model, ("onnx",), tmp_path)
    assert artifact.worst_error <= 1e-5
