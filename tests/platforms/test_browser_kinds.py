"""Every kind of input and output at once, by a network written by hand, one a large picture."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from safetensors.numpy import save_file

from kspec.features.cells import read_cell
from kspec.pipeline.bundles.seal import seal
from kspec.schemas.features import Image
from kspec.targets.platforms.browser import Browser
from tests.platforms import web
from tests.platforms.descriptions import described, description, golden_of, picture_steps, port

pytestmark = web.needed(web.missing())
ROWS = 6
INPUTS = {
    "photo": (TensorProto.FLOAT, ["batch", 200, 240, 3]),
    "row": (TensorProto.FLOAT, ["batch", 3]),
    "series": (TensorProto.FLOAT, ["batch", "time", 2]),
    "words": (TensorProto.INT32, ["batch", 4]),
}
OUTPUTS = {
    "mood": ["batch", 3],
    "alarm": ["batch", 1],
    "price": ["batch", 1],
    "pair": ["batch", 2],
    "steps": ["batch", "time", 2],
}
PHOTO = Image(height=200, width=240, channels=3, maximum=1.0)
LABELS = {"mood": ["constructor", "__proto__", "7"], "alarm": ["no", "yes"]}


def network() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Softmax", ["row"], ["mood"], axis=-1),
        helper.make_node("ReduceMean", ["photo"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "one"], ["column"]),
        helper.make_node("Sub", ["column", "half"], ["middle"]),
        helper.make_node("Sigmoid", ["middle"], ["alarm"]),
        helper.make_node("Cast", ["words"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["numbers"], ["price"], axes=[1], keepdims=1),
        helper.make_node("ReduceMean", ["series"], ["pair"], axes=[1], keepdims=0),
        helper.make_node("Mul", ["series", "series"], ["steps"]),
    ]
    constants = [
        helper.make_tensor("one", TensorProto.INT64, [1], [1]),
        helper.make_tensor("half", TensorProto.FLOAT, [], [0.5]),
    ]
    graph = helper.make_graph(
        nodes,
        "kinds",
        [helper.make_tensor_value_info(name, *each) for name, each in INPUTS.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in OUTPUTS.items()],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def ports() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Inputs and outputs as kspec-bundle.json has them."""
    kinds = {"photo": "image", "row": "number"}
    columns = {"row": ["toString", "b\u2028", "c"]}
    inputs = [
        port(
            name,
            kinds.get(name, "tensor"),
            shape[1:],
            dtype="int32" if dtype == TensorProto.INT32 else "float32",
            columns=columns.get(name, [name]),
            columns_by_name=name in columns,
            steps=picture_steps(3, PHOTO.maximum, None) if name == "photo" else [],
        )
        for name, (dtype, shape) in INPUTS.items()
    ]
    decisions = {
        "mood": {"labels": LABELS["mood"]},
        "alarm": {"labels": LABELS["alarm"], "threshold": 0.5},
    }
    meanings = {"mood": "category", "alarm": "binary"}
    outputs = [
        port(name, meanings.get(name, "number"), shape[1:], decision=decisions.get(name))
        for name, shape in OUTPUTS.items()
    ]
    return inputs, outputs


def golden(content: bytes) -> dict[str, Any]:
    """Rows, and what ONNX Runtime for Python says of them."""
    drawn = np.random.default_rng(5)
    feeds = {
        "photo": drawn.random((ROWS, 200, 240, 3), np.float32)
        * np.linspace(0.4, 1.6, ROWS, dtype="f")[:, None, None, None],
        "row": drawn.normal(size=(ROWS, 3)).astype(np.float32),
        "series": drawn.normal(size=(ROWS, 7, 2)).astype(np.float32),
        "words": drawn.integers(0, 99, (ROWS, 4), np.int32),
    }
    found = dict(
        zip(OUTPUTS, onnxruntime.InferenceSession(content).run(list(OUTPUTS), feeds), strict=True)
    )
    labels = {
        "mood": [LABELS["mood"][each] for each in found["mood"].argmax(-1)],
        "alarm": [LABELS["alarm"][int(each > 0.5)] for each in found["alarm"][:, 0]],
    }
    assert all(len(set(each)) > 1 for each in labels.values())
    texts = {
        f"decision/{k}": np.array(v, "S").view(np.uint8).reshape(ROWS, -1)
        for k, v in labels.items()
    }
    rows = {f"input/{k}": v for k, v in feeds.items()} | {
        f"output/{k}": v for k, v in found.items()
    }
    rows["picture/photo"] = read_cell(io.BytesIO(golden_of(PHOTO)), PHOTO)[None]
    return {k: np.ascontiguousarray(v) for k, v in (rows | texts).items()}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    content = network().SerializeToString()
    (tmp_path / "kinds.onnx").write_bytes(content)
    (tmp_path / "golden-photo.png").write_bytes(golden_of(PHOTO))
    save_file(golden(content), tmp_path / "golden.safetensors")
    about = description(
        "Many_Kinds",
        *ports(),
        [{"path": "kinds.onnx"}],
        {
            "file": "golden.safetensors",
            "rows": ROWS,
            "pictures": {"photo": "golden-photo.png"},
        },
        options={"engine": "onnxruntime"},
    )
    for name, content in Browser().files(described(about)).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    seal(tmp_path, described({**about, "ignored": list(Browser.ignored)}))
    web.vendor(tmp_path, "onnxruntime")
    return tmp_path


def test_all_kinds_under_node(bundle: Path) -> None:
    done = web.node("selftest.mjs", folder=bundle)
    assert done.returncode == 0, done.stdout
    script = (
        'import { load } from "./index.js"; const model = await load();'
        "const row = (count) => ({ photo: new Float32Array(144000).fill(0.5), row: [1, 2, 3],"
        " series: { data: new Float32Array(2 * count).fill(2), shape: [count, 2] },"
        " words: { data: Int32Array.of(1, 2, 3, 4), shape: [4] } });"
        "const found = await model.predictAll([row(1), row(2)]);"
        "console.log(JSON.stringify(found.map((each) => ({ ...each, pair: [...each.pair],"
        " steps: each.steps.shape, keys: Object.keys(each.mood.probabilities) }))));"
    )
    done = web.node("--input-type=module", "-e", script, folder=bundle)
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)
    assert first["mood"]["label"] == "7"
    assert first["keys"] == ["7", "constructor", "__proto__"]
    assert first["alarm"] == {
        "label": "no", "confidence": 0.5, "probabilities": {"no": 0.5, "yes": 0.5}
    }  # fmt: skip
    assert (first["price"], first["pair"]) == (2.5, [2, 2])
    assert [first["steps"], second["steps"]] == [[1, 2], [2, 2]]


def test_all_kinds_have_types(bundle: Path) -> None:
    (bundle / "use.ts").write_text("""\
import { load } from "./index.js";
const model = await load();
const answers = await model.predict({
  photo: new Float32Array(144000),
  row: { toString: 1, "b\\u2028": 2, c: 3 },
  series: { data: new Float32Array(4), shape: [2, 2] },
  words: { data: new Int32Array(4), shape: [4] },
});
const price: number = answers.price + answers.pair[0] + answers.steps.data[0];
const label: "no" | "yes" = answers.alarm.label;
export { label, price };
""")
    config = {"strict": True, "noEmit": True, "module": "nodenext", "target": "es2022", "types": []}
    files = {"compilerOptions": {**config, "lib": ["es2024", "dom"]}, "files": ["use.ts"]}
    (bundle / "tsconfig.json").write_text(json.dumps(files))
    checker = web.FOLDER / "drivers/node_modules/typescript/bin/tsc"
    assert web.node(checker, folder=bundle).stdout == ""


@web.needed(web.no_browser())
def test_all_kinds_in_a_page(bundle: Path) -> None:
    (report,) = web.drive("page.mjs", pages=[{"bundle": str(bundle), "scenario": "examples"}])
    assert report["found"]["verdict"] == "pass"
    assert (report["errors"], report["failed"], report["outside"]) == ([], [], [])
    for each in report["found"]["examples"]:
        assert each["truth"].startswith(f"The trained model said: {each['answer'].split(', ')[0]}")
    assert (report["found"]["unnamed"], report["found"]["overflow"]) == ([], 0)
