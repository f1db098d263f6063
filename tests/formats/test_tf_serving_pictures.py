"""Bytes of pictures become the very numbers that `kspec.features.steps` makes of them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.core.protobuf import saved_model_pb2

from kspec.compiler import ops
from kspec.compiler.reference import evaluate
from kspec.features.cells import read_cell
from kspec.schemas.features import Image as Kind
from kspec.targets.formats.tf_serving.format import TfServing
from kspec.targets.formats.tf_serving.options import Picture, TfServingOptions
from kspec.targets.formats.tf_serving.pictures import read_pictures
from tests.graphs import Builder, GraphCase

MODES = ("L", "LA", "P", "RGB", "RGBA")
SIZES = ((20, 31), (5, 7), (1, 1), (64, 9))


def files(*, alpha: bool) -> list[bytes]:
    """Pictures of random pixels in every mode and of several sizes; JPEG too, which has no alpha
    channel."""
    random = np.random.default_rng(5)
    found = []
    for height, width in SIZES:
        pixels = random.integers(0, 256, (height, width, 4), dtype=np.uint8)
        # Neighbours are alike in a real picture, and JPEG is made for these.
        smooth = np.sort(pixels, axis=1)
        for mode in MODES:
            picture = Image.fromarray(smooth).convert("RGB" if mode == "P" else mode)
            if mode == "P":
                picture = picture.quantize(17)
            found.append(encoded(picture, format="PNG"))
        if not alpha:
            for mode in ("L", "RGB"):
                picture = Image.fromarray(smooth).convert(mode)
                found += [encoded(picture, format="JPEG", quality=each) for each in (30, 95)]
    return found


def encoded(picture: Image.Image, **how: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, **how)
    return buffer.getvalue()


def read(contents: list[bytes], kind: Kind) -> Any:
    """What the ops make of the files, in a session of its own."""
    shape = [kind.height, kind.width, kind.channels]
    with tf.Graph().as_default():
        given = tf.raw_ops.Placeholder(dtype=tf.string, shape=[None])
        how = Picture(maximum=kind.maximum, resize=kind.resize)
        tensor = read_pictures(given, shape, how)
        with tf.compat.v1.Session() as session:
            return session.run(tensor, {given: np.array(contents, object)})


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(("resize", "maximum"), [("bilinear", 16.0), ("nearest", 255.0)])
def test_pixels_are_equal_to_the_bit(channels: int, resize: Any, maximum: float) -> None:
    kind = Kind(height=8, width=11, channels=channels, maximum=maximum, resize=resize)
    contents = files(alpha=channels in (2, 4))
    expected = np.stack([read_cell(io.BytesIO(each), kind).astype(np.float32) for each in contents])
    result = read(contents, kind)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, expected)


def test_what_cannot_be_read_is_an_error() -> None:
    kind = Kind(height=8, width=8, channels=3)
    right = encoded(Image.new("RGB", (8, 8)), format="PNG")
    assert read([right], kind).shape == (1, 8, 8, 3)
    assert read([], kind).shape == (0, 8, 8, 3)
    for wrong in (b"", b"no picture", right[:40], encoded(Image.new("RGB", (8, 9)), format="PNG")):
        with pytest.raises(tf.errors.InvalidArgumentError):
            read([right, wrong], kind)


def two_inputs() -> GraphCase:
    """A picture and a vector."""
    build = Builder("two")
    picture, vector = build.input("picture", "batch", 6, 5, 3), build.input("vector", "batch", 4)
    pooled = build.add("pooled", ops.Mean((1, 2), False), picture)
    hidden = build.add("hidden", ops.Linear(), pooled, build.random("kernel", 3, 4))
    return build.case(build.add("sum", ops.Add(), hidden, vector))


def test_either_signature_gives_the_same(tmp_path: Path) -> None:
    case, kind = two_inputs(), Kind(height=6, width=5, channels=3, resize="bilinear")
    how = Picture(maximum=kind.maximum, resize=kind.resize)
    options = TfServingOptions(pictures={"picture": how}, warm_up=True)
    for name in ("first", "second"):
        declared = TfServing().write(
            TfServing().lower(case.graph, options), tmp_path / name, options
        )
        made = (each for each in tmp_path.joinpath(name).rglob("*") if each.is_file())
        assert set(declared) == {each.relative_to(tmp_path).as_posix() for each in made}
    contents = files(alpha=False)[:6]
    vector = np.random.default_rng(2).normal(size=(6, 4)).astype(np.float32)
    pixels = np.stack([read_cell(io.BytesIO(each), kind).astype(np.float32) for each in contents])
    loaded = tf.saved_model.load(str(tmp_path / "first/1"))
    given = {
        "serving_default": {"picture": tf.constant(pixels), "vector": tf.constant(vector)},
        "serving_bytes": {"picture": tf.constant(contents), "vector": tf.constant(vector)},
    }
    expected = evaluate(case.graph, {"picture": pixels, "vector": vector})
    (name,) = expected
    for signature, inputs in given.items():
        result = loaded.signatures[signature](**inputs)[name].numpy()
        np.testing.assert_allclose(result, expected[name], rtol=1e-6, atol=1e-4)
    for path in ("saved_model.pb", "assets.extra/tf_serving_warmup_requests"):
        first, second = (tmp_path / each / "1" / path for each in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()
    written = saved_model_pb2.SavedModel.FromString(
        (tmp_path / "first/1/saved_model.pb").read_bytes()
    )
    assert not written.meta_graphs[0].graph_def.library.function


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pictures": {"other": {}}}, "no input 'other'"),
        ({"pictures": {"x": {}}}, "no input 'x'"),
        ({"warm_up": True}, "every size of x"),
    ],
)
def test_options_that_do_not_fit_are_errors(tmp_path: Path, options: Any, message: str) -> None:
    build = Builder("vector")
    x = build.input("x", "batch", "time", 4)
    case = build.case(build.add("out", ops.Relu(), x))
    with pytest.raises(ValueError, match=message):
        TfServing().write(case.graph, tmp_path / "out", TfServingOptions.model_validate(options))
