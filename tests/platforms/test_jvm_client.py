"""The JVM's client: pictures as in training, models of many inputs, and what a user may choose."""

from __future__ import annotations

import json
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from safetensors.numpy import save_file

from kspec.features.cells import read_cell
from kspec.features.steps.decode_image import MAX_PIXELS
from kspec.pipeline.bundles.seal import seal
from kspec.schemas.features import Image as Picture
from kspec.targets.platforms.jvm import Jvm
from tests.platforms import jvm
from tests.platforms.android.toolchain import compile_kotlin, jars
from tests.platforms.descriptions import described, description, golden_of, picture_steps, port

ORIENTATION = 0x0112
"""The tag of EXIF."""


def pictures(folder: Path) -> None:
    """Files of every kind that is read, and of those that are refused."""
    drawn = np.random.default_rng(5)
    shapes = {"L": (5, 7), "LA": (5, 7, 2), "RGB": (5, 7, 3), "RGBA": (5, 7, 4)}
    made = {
        mode: Image.fromarray(drawn.integers(0, 256, shape, np.uint8))
        for mode, shape in shapes.items()
    }
    for mode, image in made.items():
        image.save(folder / f"{mode}.png")
    made["RGB"].quantize(16).save(folder / "palette.png", transparency=3)
    made["L"].convert("1").save(folder / "bits.png")
    made["RGB"].save(folder / "colour.bmp")
    made["L"].save(folder / "grey.jpg")
    for turned in range(1, 9):
        exif = Image.Exif()
        exif[ORIENTATION] = turned
        for suffix in ("jpg", "png"):
            options = {"quality": 90, "subsampling": turned % 3} if suffix == "jpg" else {}
            made["RGB"].save(folder / f"turned-{turned}.{suffix}", exif=exif, **options)
    grey = np.arange(35, dtype=np.uint16).reshape(5, 7) * 1500
    Image.fromarray(grey).save(folder / "sixteen-bits.png")
    made["RGB"].convert("CMYK").save(folder / "print.jpg")
    for name in ("RGB.png", "turned-1.jpg"):
        whole = (folder / name).read_bytes()
        (folder / f"cut-{name}").write_bytes(whole[: len(whole) * 3 // 4])
    made["L"].save(folder / "grey.bmp")
    far = bytearray((folder / "grey.bmp").read_bytes())
    far[13] = 0xF0  # the highest byte of where the pixels lie
    (folder / "far.bmp").write_bytes(far)
    (folder / "text.png").write_text("no picture")


def test_pictures_become_what_they_are_in_training(bundles: Path, tmp_path: Path) -> None:
    """To the last bit, those of JPEG too: this Java decodes with the library that Pillow has."""
    project, _ = jvm.built(bundles, "digits")
    folder = tmp_path / "pictures"
    folder.mkdir()
    pictures(folder)
    cases = []
    for number, file in enumerate(sorted(folder.iterdir())):
        for channels in (1, 2, 3, 4):
            for method in (None, "nearest", "bilinear"):
                height, width = (5, 7) if method is None else (3 + number % 9, 8)
                maximum = 255.0 if channels == 3 else 16.0
                wanted = Picture(
                    height=height, width=width, channels=channels, maximum=maximum, resize=method
                )
                cases.append((file, wanted, tmp_path / f"{len(cases)}"))
    lines = tmp_path / "cases"
    small = (folder / "RGB.png", cases[0][1], tmp_path / "small", 34)  # of 35 pixels
    every = [words(*case) for case in (*cases, small)]
    lines.write_text("\n".join("\t".join(map(str, each)) for each in every))
    path = jvm.classes(project)
    jvm.compile_java([jvm.SOURCES / "Pictures.java"], tmp_path / "out", *path)
    jvm.java("Pictures", tmp_path / "out", *path, words=[str(lines)])
    refused = set()
    assert (tmp_path / "small.refused").read_text() == "a picture of more than 34 pixels"
    for file, wanted, found in cases:
        try:
            expected = read_cell(file, wanted).astype(np.float32)
        except ValueError:
            assert not found.exists(), (file.name, wanted)
            assert found.with_suffix(".refused").read_text()
            refused.add(file.name)
        else:
            values = np.frombuffer(found.read_bytes(), "<f4").reshape(expected.shape)
            np.testing.assert_array_equal(values, expected, f"{file.name} {wanted}")
    assert {"text.png", "print.jpg", "cut-RGB.png", "cut-turned-1.jpg"} <= refused
    assert {"sixteen-bits.png", "turned-6.jpg", "far.bmp"} <= refused
    assert not refused & {"grey.bmp", "grey.jpg", "palette.png", "turned-2.jpg", "RGBA.png"}


def words(file: Path, wanted: Picture, found: Path, limit: int = MAX_PIXELS) -> tuple[Any, ...]:
    """A line of the file that Pictures.java reads."""
    method = wanted.resize or "none"
    size = (wanted.height, wanted.width, wanted.channels)
    return (file, *size, wanted.maximum, method, found, limit)


def many() -> onnx.ModelProto:
    """A picture, numbers and tokens in; a category, a yes or no, numbers and a number out."""
    drawn = np.random.default_rng(9)
    widths = {"kind": 3, "sure": 1, "place": 2, "price": 1}
    ends = {"kind": "Softmax", "sure": "Sigmoid", "place": "Identity", "price": "Identity"}
    nodes = [
        helper.make_node("Flatten", ["photo"], ["flat"]),
        helper.make_node("Cast", ["tokens"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["floats", "axis"], ["sum"]),
        helper.make_node("Concat", ["flat", "facts", "sum"], ["all"], axis=1),
    ]
    weights = [numpy_helper.from_array(np.array([1], np.int64), "axis")]
    for name, width in widths.items():
        matrix = (drawn.normal(size=(29, width)) / 300).astype(np.float32)
        weights.append(numpy_helper.from_array(matrix, f"{name}-weights"))
        nodes.append(helper.make_node("MatMul", ["all", f"{name}-weights"], [f"{name}-values"]))
        nodes.append(helper.make_node(ends[name], [f"{name}-values"], [name]))
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "many",
        [
            value("photo", TensorProto.FLOAT, ["batch", 4, 2, 3]),
            value("facts", TensorProto.FLOAT, ["batch", 4]),
            value("tokens", TensorProto.INT32, ["batch", "time"]),
        ],
        [value(name, TensorProto.FLOAT, ["batch", width]) for name, width in widths.items()],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def many_described(model: bytes, golden: bytes) -> dict[str, Any]:
    """What a bundle would say of that model."""
    layout = Jvm().layout("list")
    steps = picture_steps(3, 255.0, ("nearest", 4, 2))
    return description(
        "list",
        [
            port("photo", "image", [4, 2, 3], columns=["a"], steps=steps),
            port("facts", "number", [4], columns=list("wxyz"), columns_by_name=True),
            port("tokens", "tensor", ["time"], dtype="int32", columns=["t"]),
        ],
        [
            port("kind", "category", [3], decision={"labels": ["a", "é", "中"]}),
            port("sure", "binary", [1], decision={"labels": ["no", "yes"], "threshold": 0.5}),
            port("place", "number", [2]),
            port("price", "number", [1]),
        ],
        [{"path": f"{layout.artifacts}list.onnx", "sha256": sha256(model).hexdigest()}],
        {
            "file": f"{layout.golden}golden.safetensors",
            "sha256": sha256(golden).hexdigest(),
            "pictures": {"photo": f"{layout.golden}golden-photo.png"},
        },
        version="2.0.0-rc.1",
        options={"package": "com.acme.vision_2", "group": None},
    )


def test_a_model_of_many_inputs_and_outputs(bundles: Path, tmp_path: Path) -> None:
    jvm.built(bundles, "digits")
    drawn = np.random.default_rng(2)
    model = many().SerializeToString()
    inputs = {
        "photo": drawn.integers(0, 256, (6, 4, 2, 3)).astype(np.float32),
        "facts": drawn.normal(size=(6, 4)).astype(np.float32),
        "tokens": drawn.integers(0, 900, (6, 5)).astype(np.int32),
    }
    session = onnxruntime.InferenceSession(model)
    names = ("kind", "sure", "place", "price")
    outputs = dict(zip(names, session.run(names, inputs), strict=True))
    labels = np.array(["a", "é", "中"])[outputs["kind"].argmax(axis=1)]
    sure = np.where(outputs["sure"][:, 0] > 0.5, "yes", "no")
    wanted = Picture(height=4, width=2, channels=3, resize="nearest")
    photo = golden_of(wanted)
    arrays = {
        **{f"input/{name}": each for name, each in inputs.items()},
        **{f"output/{name}": each for name, each in outputs.items()},
        "decision/kind": utf8(labels),
        "decision/sure": utf8(sure),
        "picture/photo": read_cell(BytesIO(photo), wanted).astype(np.float32)[None],
    }
    save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, tmp_path / "golden")
    golden = (tmp_path / "golden").read_bytes()
    told = described(many_described(model, golden))
    files = dict(Jvm().files(told))
    assert not any("spark" in path for path in files)
    layout = Jvm().layout("list")
    files[f"{layout.artifacts}list.onnx"] = model
    files[f"{layout.golden}golden.safetensors"] = golden
    files[f"{layout.golden}golden-photo.png"] = photo
    for path, content in files.items():
        place = tmp_path / "project" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    seal(tmp_path / "project", told)
    sources = [path for path in tmp_path.rglob("*.java") if path.name != "GoldenTest.java"]
    jvm.compile_java(sources, tmp_path / "out", jvm.RUNTIME)
    project = tmp_path / "project"
    path = [project / f"src/{part}/resources" for part in ("main", "test")]
    path += [tmp_path / "out", jvm.RUNTIME]
    report = jvm.self_test(project, "com.acme.vision_2.SelfTest", *path)
    assert report["pass"], report
    assert (report["rows"], report["picture_error"]) == (6, 0)


def test_kotlin_calls_it(bundles: Path, tmp_path: Path) -> None:
    project, _ = jvm.built(bundles, "digits")
    path = jvm.classes(project)
    compile_kotlin([jvm.SOURCES / "Use.kt"], tmp_path, *path)
    picture = next(project.rglob("src/**/golden-pixels.png"))
    label, *others = jvm.java("UseKt", tmp_path, *path, *jars(), words=[str(picture)]).split()
    assert label in map(str, range(10))
    assert others == ["true", "true"]


def utf8(texts: np.ndarray) -> np.ndarray:
    """As golden rows have labels."""
    encoded = [text.encode() for text in texts.tolist()]
    width = max(map(len, encoded))
    return np.stack([np.frombuffer(each.ljust(width, b"\0"), np.uint8) for each in encoded])


@pytest.mark.parametrize(
    ("name", "options", "package", "group", "model"),
    [
        ("digits", {}, "kspec.digits", "kspec", "DigitsModel"),
        ("Fast-Net_2", {}, "kspec.fast_net_2", "kspec", "FastNet2Model"),
        ("class", {}, "kspec.class_", "kspec", "ClassModel"),
        ("x", {"package": "com.acme.x"}, "com.acme.x", "com.acme", "XModel"),
        ("x", {"package": "alone"}, "alone", "alone", "XModel"),
        ("x", {"package": "a.b", "group": "org.Other-1"}, "a.b", "org.Other-1", "XModel"),
    ],
)
def test_names_come_from_the_options_or_the_model(
    bundles: Path, name: str, options: dict[str, str], package: str, group: str, model: str
) -> None:
    told = json.loads((bundles / "digits/jvm/kspec-bundle.json").read_text())
    told |= {"name": name, "options": Jvm.options(**options).model_dump(mode="json")}
    files = Jvm().files(described(told))
    content = files[f"src/main/java/{package.replace('.', '/')}/{model}.java"].decode()
    assert content.startswith(f"package {package};\n")
    assert f"<groupId>{group}</groupId>" in files["pom.xml"].decode()
    assert f"{group}:{name}:1.0.0" in Jvm().usage(described(told))
    assert f"{model}.load()" in Jvm().usage(described(told))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("package", "com.class.x"),
        ("package", "java.x"),
        ("package", "Com.acme"),
        ("package", "com..acme"),
        ("package", "com.acme; import x"),
        ("group", "a b"),
        ("group", "<group>"),
    ],
)
def test_what_java_does_not_take_is_refused(bundles: Path, key: str, value: str) -> None:
    with pytest.raises(ValueError, match=key):
        Jvm.options(**{key: value})
