"""Files of other versions of Keras and of `keras.applications`, and files with own classes."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from kspec.models.answers import answers, fitted, traced
from kspec.models.keras_file.reader import read
from kspec.spec.diagnostics import KspecError
from tests.keras_file.models import prepared


def rewritten(path: Path, change: Callable[[Any], Any]) -> Path:
    """The file with every object of its configuration changed."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    config = json.loads(parts["config.json"], object_hook=change)
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as new:
        for name, content in parts.items():
            new.writestr(name, content)
    return path


def recurrent() -> Any:
    x = keras.Input((5, 3), name="x")
    hidden = layers.LSTM(4, return_sequences=True)(x)
    hidden = layers.Bidirectional(layers.GRU(3, return_sequences=True))(hidden)
    cells = layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)])(x)
    rows = layers.Concatenate()([layers.SimpleRNN(3)(hidden), cells])
    picture = layers.Reshape((5, 3, 1))(x)
    pooled = layers.Flatten()(layers.MaxPooling2D(2)(layers.Conv2D(2, 2)(picture)))
    return keras.Model(x, layers.Dense(2, activation="silu")(layers.Concatenate()([rows, pooled])))


def class_names(names: dict[str, str]) -> Callable[[Any], Any]:
    def change(given: Any) -> Any:
        if given.get("class_name") in names:
            given["class_name"] = names[given["class_name"]]
            given["registered_name"] = None
        return given

    return change


def types(replacement: Callable[[str], Any]) -> Callable[[Any], Any]:
    def change(given: Any) -> Any:
        if isinstance(given.get("dtype"), dict):
            given["dtype"] = replacement(given["dtype"]["config"]["name"])
        return given

    return change


def policy(name: str) -> Any:
    return {"module": "keras", "class_name": "FloatDTypePolicy", "config": {"name": name}}


def policies(name: str) -> Any:
    config = {"default_policy": policy(name), "policy_map": {}}
    return {"module": "keras.dtype_policies", "class_name": "DTypePolicyMap", "config": config}


def ends(given: Any) -> Any:
    """Inputs and outputs as lists of one, as Keras before 3.5 writes them."""
    for key in ("input_layers", "output_layers"):
        if key in given and isinstance(given[key][0], str):
            given[key] = [given[key]]
    return given


def functions(given: Any) -> Any:
    for key, value in given.items():
        if key.endswith("activation") and isinstance(value, str):
            given[key] = {"module": "builtins", "class_name": "function", "config": value}
    return given


ALIASES = {"MaxPooling2D": "MaxPool2D", "Conv2D": "Convolution2D", "Orthogonal": "orthogonal"}
OLDER: dict[str, Callable[[Any], Any]] = {
    "initializer": class_names({"Orthogonal": "OrthogonalInitializer"}),
    "aliases": class_names(ALIASES),
    "types by name": types(lambda name: name),
    "float policies": types(policy),
    "maps of policies": types(policies),
    "lists of one": ends,
    "activations": functions,
    "swish": lambda given: {k: "swish" if v == "silu" else v for k, v in given.items()},
}


@pytest.mark.parametrize("version", OLDER)
@pytest.mark.filterwarnings("ignore:The structure of `inputs`")
def test_what_older_versions_wrote_is_read(version: str, tmp_path: Path) -> None:
    model = prepared(recurrent)
    model.save(tmp_path / "model.keras")
    again = read(rewritten(tmp_path / "model.keras", OLDER[version]))
    rows = np.random.default_rng(0).normal(size=(3, 5, 3)).astype(np.float32)
    found = keras.tree.flatten(again(rows, training=False))
    np.testing.assert_array_equal(found[0], model(rows, training=False))


def convnext() -> Any:
    from keras.src.applications.convnext import ConvNeXt

    sizes = {"depths": [1, 1, 1, 1], "projection_dims": [4, 4, 4, 4], "drop_path_rate": 0.1}
    return ConvNeXt(**sizes, weights=None, include_top=False, input_shape=(32, 32, 3))


def inception() -> Any:
    from keras.src.applications.inception_resnet_v2 import CustomScaleLayer

    x = keras.Input((6,), name="x")
    return keras.Model(x, CustomScaleLayer(0.2)([x, layers.Dense(6, activation="relu")(x)]))


def table() -> Any:
    x = keras.Input((1,), dtype="int64", name="x")
    found = layers.IntegerLookup(vocabulary=[3, 5, 8], output_mode="one_hot")(x)
    return keras.Model(x, layers.Dense(2)(found))


def bent() -> Any:
    x = keras.Input((6,), name="x")
    return keras.Model(x, layers.Dense(6, activation=layers.LeakyReLU(0.3))(x))


@pytest.mark.parametrize("make", [convnext, inception, table, bent], ids=lambda make: make.__name__)
def test_it_is_compiled_from_its_file_as_in_memory(make: Any, tmp_path: Path) -> None:
    model = prepared(make)
    model.save(tmp_path / "model.keras")
    again = read(tmp_path / "model.keras")
    graph = traced(again)
    (value,) = graph.inputs
    shape = (4, *(int(dim) for dim in value.shape[1:]))
    drawn = np.random.default_rng(0).uniform(0, 9, shape).astype(value.dtype.numpy)
    rows = fitted(graph, {value.name: drawn})
    found, expected = answers(again, graph, rows), model(drawn, training=False)
    np.testing.assert_array_equal(next(iter(found.values())), expected)


@keras.saving.register_keras_serializable("kspec_tests")
class Twice(layers.Layer):
    def call(self, x: Any) -> Any:
        return 2 * x


class Thrice(layers.Layer):
    def call(self, x: Any) -> Any:
        return 3 * x


def quantised() -> Any:
    model = keras.Sequential([keras.Input((8,)), layers.Dense(4, name="small")])
    model.layers[0].quantize("int8")
    return model


def of(layer: Any) -> Callable[[], Any]:
    return lambda: keras.Sequential([keras.Input((3,)), layer])


def path_as_vocabulary(given: Any) -> Any:
    return given | ({"vocabulary": "/etc/passwd"} if "vocabulary" in given else {})


def stateful() -> Any:
    return keras.Sequential([keras.Input(batch_shape=(2, 3, 4)), layers.LSTM(3, stateful=True)])


def stateful_parts() -> Any:
    layer = layers.Bidirectional(layers.GRU(3, stateful=True))
    return keras.Sequential([keras.Input(batch_shape=(2, 3, 4)), layer])


REFUSED: tuple[tuple[str, Callable[[], Any], Callable[[Any], Any], str, str], ...] = (
    ("registered", of(Twice(name="own")), dict, "KS732", "own is of the class Twice, registered"),
    ("of a module", of(Thrice(name="own")), dict, "KS732", "own is .*Thrice"),
    ("quantised", quantised, dict, "KS733", r"small is quantised \(int8\)"),
    ("stateful", stateful, dict, "KS733", "lstm.*: stateful=True keeps states"),
    ("stateful parts", stateful_parts, dict, "KS733", "gru.*: stateful=True keeps states"),
    ("a path", table, path_as_vocabulary, "KS733", "no vocabulary of whole numbers"),
    ("type", of(layers.Dense(2, dtype="float64")), dict, "KS733", "float64"),
)


@pytest.mark.parametrize(
    ("name", "make", "change", "code", "message"), REFUSED, ids=[each[0] for each in REFUSED]
)
def test_it_is_refused_by_name(
    name: str,
    make: Callable[[], Any],
    change: Callable[[Any], Any],
    code: str,
    message: str,
    tmp_path: Path,
) -> None:
    del name
    make().save(tmp_path / "model.keras")
    with pytest.raises(KspecError, match=message) as caught:
        read(rewritten(tmp_path / "model.keras", change))
    (problem,) = caught.value.diagnostics
    assert problem.code == code
    assert problem.help
