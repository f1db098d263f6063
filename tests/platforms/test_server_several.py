"""The web service of a model with several inputs and outputs, one of them of varying length."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from kspec.features.cells import read_cell
from kspec.pipeline.bundles.seal import seal
from kspec.schemas.features import Image as Kind
from kspec.targets.platforms.server import Server
from tests.platforms import service
from tests.platforms.descriptions import described, description, golden_of, picture_steps, port

ROWS, STEPS = 6, 5
PICTURE = Kind(height=4, width=5, channels=3, maximum=255.0, resize="nearest")
LABELS = ("a", "b", "c")


def network() -> onnx.ModelProto:
    """Means of the picture and of the steps, and the vector, through a matrix."""
    random = np.random.default_rng(8)
    constants = {
        "matrix": random.normal(size=(6, 3)).astype(np.float32),
        "column": random.normal(size=(3, 1)).astype(np.float32),
        "scale": np.array(1 / 255, np.float32),
    }
    nodes = [
        helper.make_node("ReduceMean", ["picture"], ["colours"], axes=[1, 2], keepdims=0),
        helper.make_node("Mul", ["colours", "scale"], ["scaled"]),
        helper.make_node("Cast", ["steps"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["numbers"], ["step"], axes=[1], keepdims=0),
        helper.make_node("Concat", ["scaled", "vector", "step"], ["all"], axis=1),
        helper.make_node("MatMul", ["all", "matrix"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["kind"], axis=1),
        helper.make_node("MatMul", ["logits", "column"], ["size"]),
    ]
    inputs = [
        helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["batch", 4, 5, 3]),
        helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["batch", 2]),
        helper.make_tensor_value_info("steps", TensorProto.INT32, ["batch", "time", 1]),
    ]
    outputs = [
        helper.make_tensor_value_info("kind", TensorProto.FLOAT, ["batch", 3]),
        helper.make_tensor_value_info("size", TensorProto.FLOAT, ["batch", 1]),
    ]
    made = [numpy_helper.from_array(each, name) for name, each in constants.items()]
    graph = helper.make_graph(nodes, "several", inputs, outputs, made)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def golden(folder: Path) -> dict[str, np.ndarray]:
    random = np.random.default_rng(9)
    inputs = {
        "picture": random.integers(0, 256, (ROWS, 4, 5, 3)).astype(np.float32),
        "vector": random.normal(size=(ROWS, 2)).astype(np.float32),
        "steps": random.integers(-3, 9, (ROWS, STEPS, 1)).astype(np.int32),
    }
    session = onnxruntime.InferenceSession(str(folder / "models/several.onnx"))
    kind, size = session.run(["kind", "size"], inputs)
    texts = [LABELS[index].encode() for index in kind.argmax(axis=1)]
    pixels = read_cell(io.BytesIO(golden_of(PICTURE)), PICTURE).astype(np.float32)
    return {
        **{f"input/{name}": each for name, each in inputs.items()},
        "output/kind": kind,
        "output/size": size,
        "decision/kind": np.stack([np.frombuffer(text, np.uint8) for text in texts]),
        "picture/picture": pixels[None],
    }


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("several")
    for name in ("models", "golden"):
        (folder / name).mkdir()
    onnx.save(network(), folder / "models/several.onnx")
    rows = {name: np.ascontiguousarray(each) for name, each in golden(folder).items()}
    save_file(rows, folder / "golden/golden.safetensors")
    (folder / "golden/golden-picture.png").write_bytes(golden_of(PICTURE))
    steps = picture_steps(3, PICTURE.maximum, ("nearest", 4, 5))
    about = description(
        "several",
        [
            port("picture", "image", [4, 5, 3], columns=["picture"], steps=steps),
            port("vector", "number", [2], columns=["left", "right"], columns_by_name=True),
            port("steps", "tensor", ["time", 1], dtype="int32", columns=["steps"]),
        ],
        [
            port("kind", "category", [3], decision={"labels": list(LABELS)}),
            port("size", "number", [1]),
        ],
        [
            {"path": "models/several.onnx"},
            {"path": "models/several", "format": "tf_serving", "options": {"version": 12}},
        ],
        {
            "file": "golden/golden.safetensors",
            "pictures": {"picture": "golden/golden-picture.png"},
        },
        version="2.0.0",
    )
    for path, content in Server().files(described(about)).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    seal(folder, described({**about, "ignored": list(Server.ignored)}))
    assert "several" in Server().usage(described(about))
    return folder


def test_the_self_test_passes(bundle: Path) -> None:
    command = [sys.executable, "-m", "server", "--self-test"]
    done = subprocess.run(
        command, cwd=bundle, capture_output=True, text=True, timeout=120, check=False
    )
    report = json.loads(done.stdout.removeprefix("KSPEC-SELFTEST "))
    assert (done.returncode, report["problems"], report["rows"]) == (0, [], ROWS)
    assert report["picture_error"] == 0.0


def test_forms(bundle: Path) -> None:
    app = service.application(bundle, "server_several")
    arrays = golden(bundle)
    given = {name: arrays[f"input/{name}"].tolist() for name in ("picture", "vector", "steps")}
    rows = [dict(zip(given, row, strict=True)) for row in zip(*given.values(), strict=True)]
    named = [
        {
            "picture": row["picture"],
            "steps": row["steps"],
            **dict(zip(("left", "right"), row["vector"], strict=True)),
        }
        for row in rows
    ]
    tensors = [
        {
            "name": name,
            "shape": np.shape(values),
            "datatype": "INT32" if name == "steps" else "FP32",
            "data": np.ravel(values).tolist(),
        }
        for name, values in given.items()
    ]
    wrong = [
        {"inputs": {**given, "steps": given["steps"][:-1]}},
        {"inputs": {**given, "steps": np.full((ROWS, STEPS, 1), 1.5).tolist()}},
        {"inputs": {**given, "steps": np.full((ROWS, STEPS, 1), 2**31).tolist()}},
        {"inputs": {**given, "steps": np.full((ROWS, STEPS, 1), 2**70).tolist()}},
        {"inputs": {**given, "steps": np.full((ROWS, 0, 1), 1).tolist()}},
        {"inputs": given["picture"]},
        {"inputs": {name: given[name] for name in ("picture", "vector")}},
        {"instances": [1]},
        {"instances": [*rows[:-1], {**rows[-1], "left": 1.0}]},
        {"instances": [{**rows[0], "steps": rows[0]["steps"][1:]}, *rows[1:]]},
    ]

    async def ask() -> None:
        base = "/v1/models/several/versions/12"
        async with service.client(app) as client:

            async def post(path: str, body: Any) -> Any:
                response = await client.post(path, json=body)
                return response.status_code, response.json()

            status, answer = await post(f"{base}:predict?labels=true", {"inputs": given})
            assert status == 200
            found = {name: np.array(values) for name, values in answer["outputs"].items()}
            for name, values in found.items():
                np.testing.assert_allclose(values, arrays[f"output/{name}"], rtol=1e-5, atol=1e-5)
            labels = [LABELS[index] for index in found["kind"].argmax(axis=1)]
            assert answer["labels"] == {"kind": labels}
            for body in (rows, named):
                status, by_row = await post(f"{base}:predict", {"instances": body})
                assert status == 200, by_row
                expected = [
                    {"kind": kind, "size": size}
                    for kind, size in zip(*answer["outputs"].values(), strict=True)
                ]
                assert by_row["predictions"] == expected
            _, regressed = await post(f"{base}:regress", {"examples": named})
            assert regressed["results"] == [size for (size,) in answer["outputs"]["size"]]
            _, classified = await post(f"{base}:classify", {"examples": rows})
            assert classified["results"][0][1] == ["b", pytest.approx(found["kind"][0, 1], 1e-6)]
            status, inferred = await post("/v2/models/several/infer", {"inputs": tensors[::-1]})
            kind, size = inferred["outputs"]
            assert (status, kind["name"], size["shape"]) == (200, "kind", [ROWS, 1])
            assert kind["data"] == np.ravel(answer["outputs"]["kind"]).tolist()
            for body in wrong:
                status, answer = await post(f"{base}:predict", body)
                assert (status, list(answer)) == (400, ["error"]), body
            assert (await client.get(base)).status_code == 200
            assert (await client.get("/v1/models/several/versions/1")).status_code == 404

    asyncio.run(ask())
