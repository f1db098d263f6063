"""Backbones against Keras: the shapes that are promised, and the files that their variables start
from."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kspec.pipeline.plan import random_network
from kspec.pipeline.workshop import Workshop
from kspec.schemas.layers import Shape, ShapeError
from kspec.schemas.layers.backbone import NETWORKS, PARAMETERS, Backbone
from kspec.schemas.network import Step
from kspec.spec import load
from kspec.spec.diagnostics import KspecError
from kspec.training.weights import initialize, pack, read_weights

keras = pytest.importorskip("keras")
from kspec.models.keras_file.network import unallocated  # noqa: E402
from kspec.models.keras_model import build_model, make_layer  # noqa: E402


def backbone(key: str, **arguments: Any) -> Backbone:
    layer = Step.model_validate({"backbone": {key: arguments}}).layer
    assert isinstance(layer, Backbone)
    return layer


@pytest.mark.parametrize(
    ("key", "arguments", "shape"),
    [
        ("mobilenet", {"alpha": 0.35, "depth_multiplier": 2}, (33, 110, 3)),
        ("mobilenet", {}, (63, 47, 1)),
        ("efficientnet_b0", {}, (33, 64, 1)),
        ("resnet50", {}, (65, 102, 1)),
        ("mobilenet_v2", {"alpha": 1.4}, (32, 97, 3)),
        ("mobilenet_v2", {"alpha": 0.35, "pooling": "max"}, (32, 97, 3)),
        ("mobilenet_v3_small", {"alpha": 0.75, "minimalistic": True}, (97, 102, 3)),
        ("mobilenet_v3_large", {"alpha": 0.35, "include_preprocessing": False}, (33, 34, 3)),
        ("efficientnet_b3", {"pooling": "avg"}, (33, 64, 3)),
        ("efficientnet_b0", {}, (131, 32, 3)),
        ("efficientnet_v2_b2", {"include_preprocessing": False}, (33, 97, 3)),
        ("resnet50", {}, (65, 102, 3)),
        ("resnet50_v2", {}, (97, 34, 3)),
        ("densenet121", {}, (97, 110, 3)),
        ("inception_v3", {}, (75, 98, 3)),
        ("xception", {}, (71, 98, 3)),
        ("vgg16", {}, (63, 33, 3)),
        ("nasnet_mobile", {}, (97, 110, 3)),
        ("convnext_tiny", {"include_preprocessing": False}, (47, 66, 3)),
    ],
)
def test_shape_is_that_of_keras(key: str, arguments: dict[str, Any], shape: Shape) -> None:
    layer = backbone(key, **arguments)
    with unallocated():  # the shapes alone
        built = make_layer(layer, "stem")
        output = built(keras.KerasTensor((None, *shape)))
    assert layer.output_shape((shape,)) == tuple(output.shape[1:])
    count = layer.parameter_count((shape,))
    changed = {"alpha", "depth_multiplier", "minimalistic"} & arguments.keys()
    assert count == (None if changed else built.count_params())
    paths = [each.path for each in built.weights]
    assert len(set(paths)) == len(paths)
    assert all(path.startswith("stem/") for path in paths)


def test_every_network_of_keras_is_there() -> None:
    assert set(PARAMETERS) == {each.key for each in NETWORKS}
    public = {name for name in dir(keras.applications) if name[0].isupper()}
    assert {each.keras for each in NETWORKS} == public


@pytest.mark.parametrize(
    ("key", "shape", "message"),
    [
        ("xception", (70, 96, 3), "xception needs pictures of 71 × 71 at least"),
        ("vgg16", (None, 96, 3), "backbone must know the size of axis 1"),
        ("vgg16", (96, 96), "backbone needs height × width × channels"),
    ],
)
def test_what_does_not_fit_is_refused(key: str, shape: Shape, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        backbone(key).output_shape((shape,))


SPEC = """\
kspec: 1
name: seen
inputs: {{picture: {{image: {{height: 32, width: 33}}}}}}
outputs: {{score: {{number: 2}}}}
network:
  - backbone:
      mobilenet_v3_small: {{alpha: 0.35, pooling: avg, weights: {file}, trainable: false}}
    name: stem
  - dense: 2
    name: score
"""


@pytest.fixture(scope="module")
def network() -> Any:
    """The network as Keras makes it."""
    arguments = {"alpha": 0.35, "pooling": "avg", "include_top": False, "weights": None}
    return keras.applications.MobileNetV3Small((32, 33, 3), **arguments)


def written(folder: Path, file: str = "stem.safetensors") -> Path:
    path = folder / "model.yaml"
    path.write_text(SPEC.format(file=file))
    return path


def test_it_starts_from_a_file_and_stays_so(network: Any, tmp_path: Path) -> None:
    weights = {each.path: np.asarray(each) for each in network.weights}
    (tmp_path / "stem.safetensors").write_bytes(pack(weights))
    document = load(written(tmp_path))
    model = build_model(document, seed=5)
    initialize(model, document)
    rows = np.random.default_rng(0).uniform(0, 255, (2, 32, 33, 3)).astype(np.float32)
    stem = model.get_layer("stem")
    np.testing.assert_array_equal(stem(rows), network(rows, training=False))
    np.testing.assert_array_equal(stem(rows, training=True), network(rows, training=False))
    assert [each.path for each in model.trainable_weights] == ["score/kernel", "score/bias"]


def test_a_file_of_another_network_is_refused(network: Any, tmp_path: Path) -> None:
    weights = {each.path: np.asarray(each) for each in network.weights}
    weights["conv/kernel"] = weights["conv/kernel"][:1]
    weights["conv_bn/gama"] = weights.pop("conv_bn/gamma")
    (tmp_path / "stem.safetensors").write_bytes(pack(weights))
    document = load(written(tmp_path))
    with pytest.raises(KspecError) as caught:
        initialize(build_model(document), document)
    assert {each.code for each in caught.value.diagnostics} == {"KS633"}
    assert {each.span.line for each in caught.value.diagnostics if each.span} == {7}
    shapes = "float32[1, 3, 3, 16] in the file, float32[3, 3, 3, 16] in the network"
    assert [each.message for each in caught.value.diagnostics] == [
        f"the weight 'conv/kernel' is {shapes}",
        "the file has no weight 'conv_bn/gamma'",
        "the network has no weight 'conv_bn/gama', which is in the file",
    ]
    assert len(read_weights(tmp_path / "stem.safetensors")) == len(network.weights)


@pytest.mark.parametrize("file", ["../stem.safetensors", "absent.safetensors"])
def test_a_file_elsewhere_is_refused(file: str, tmp_path: Path) -> None:
    with pytest.raises(KspecError) as caught:
        load(written(tmp_path, file))
    assert caught.value.diagnostics[0].code == ("KS210" if ".." in file else "KS211")
    span = caught.value.diagnostics[0].span
    assert span is not None
    assert span.line == 7


def test_a_plan_sees_through_it(tmp_path: Path) -> None:
    """With random statistics every picture would have the same answer after so many layers."""
    (tmp_path / "stem.safetensors").touch()
    _, rows, _ = random_network(Workshop(load(written(tmp_path)), {}))
    assert np.ptp(rows.expected["score"], axis=0).min() > 1e-3
