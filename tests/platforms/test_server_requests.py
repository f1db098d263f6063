"""What the web service answers, and that nothing hostile gets more than a short refusal."""

from __future__ import annotations

import asyncio
import base64
import gzip
import io
import json
import struct
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from kspec.features.cells import read_cell
from kspec.schemas.features import Image as Kind
from tests.platforms import service

NAMES = {"digits": ("pixels", "digit"), "breast-cancer": ("nuclei", "diagnosis")}
Response = httpx.Response


@pytest.fixture(scope="module")
def apps(bundles: Path) -> dict[str, Any]:
    return {
        example: service.application(bundles / example / "server", f"server_{place}", rows=64)
        for place, example in enumerate(NAMES)
    }


@pytest.fixture
def golden(bundles: Path, example: str) -> dict[str, Any]:
    return dict(load_file(bundles / example / "server/golden/golden.safetensors"))


def post(app: Any, path: str, *, headers: Any = None, **how: Any) -> Response:
    async def ask() -> Response:
        async with service.client(app) as client:
            return await client.post(path, headers=headers, **how)

    return asyncio.run(ask())


def get(app: Any, path: str) -> Response:
    async def ask() -> Response:
        async with service.client(app) as client:
            return await client.get(path)

    return asyncio.run(ask())


def labels_of(golden: dict[str, Any], output: str) -> list[str]:
    return [bytes(row).rstrip(b"\0").decode() for row in golden[f"decision/{output}"]]


def test_every_form_of_a_request_gets_the_same(
    apps: dict[str, Any], bundles: Path, example: str, golden: dict[str, Any]
) -> None:
    app, (given, made) = apps[example], NAMES[example]
    rows, expected = golden[f"input/{given}"], golden[f"output/{made}"]
    about = json.loads((bundles / example / "server/kspec-bundle.json").read_text())
    values = rows.tolist()
    path = f"/v1/models/{example}:predict"
    tensor = {"name": given, "shape": list(rows.shape), "datatype": "FP32"}
    bodies = [
        {"instances": values},
        {"signature_name": "serving_default", "instances": [{given: row} for row in values]},
        {"inputs": values},
        {"inputs": {given: values}},
    ]
    if example == "breast-cancer":
        columns = about["signature"]["inputs"][0]["columns"]
        bodies.append({"instances": [dict(zip(columns, row, strict=True)) for row in values]})
    found = []
    for version in ("", "/versions/1"):
        for body in bodies:
            answer = post(app, f"/v1/models/{example}{version}:predict", json=body).json()
            found.append(answer.get("predictions", answer.get("outputs")))
    for data in (rows.reshape(-1).tolist(), values):
        body = {"inputs": [{**tensor, "data": data}]}
        (output,) = post(app, f"/v2/models/{example}/infer", json=body).json()["outputs"]
        found.append(np.reshape(output["data"], output["shape"]).tolist())
    np.testing.assert_allclose(found[0], expected, rtol=1e-5, atol=1e-5)
    assert all(each == found[0] for each in found)
    assert "labels" not in post(app, path, json=bodies[0]).json()
    answer = post(app, f"{path}?labels=true", json=bodies[0]).json()
    assert answer["labels"] == {made: labels_of(golden, made)}
    examples = {"examples": [{given: row} for row in values]}
    scored = post(app, f"/v1/models/{example}:classify", json=examples).json()["results"]
    best = [max(row, key=lambda pair: pair[1])[0] for row in scored]
    assert best == labels_of(golden, made)
    assert all(sum(score for _, score in row) == pytest.approx(1) for row in scored)


def test_binary_tensors(apps: dict[str, Any], example: str, golden: dict[str, Any]) -> None:
    app, (given, made) = apps[example], NAMES[example]
    rows = golden[f"input/{given}"]
    size = {"binary_data_size": rows.nbytes}
    tensor = {"name": given, "shape": list(rows.shape), "datatype": "FP32", "parameters": size}
    wanted = [
        {"name": made, "parameters": {"binary_data": True}},
        {"name": f"{made}.labels"},
    ]
    header = json.dumps({"id": "7", "inputs": [tensor], "outputs": wanted}).encode()
    length = {"inference-header-content-length": str(len(header))}
    path, content = f"/v2/models/{example}/infer", header + rows.tobytes()
    response = post(app, path, content=content, headers=length)
    end = int(response.headers["inference-header-content-length"])
    about = json.loads(response.content[:end])
    numbers, labels = about["outputs"]
    assert about["id"] == "7"
    assert numbers["parameters"]["binary_data_size"] == len(response.content) - end
    values = np.frombuffer(response.content[end:], np.float32).reshape(numbers["shape"])
    np.testing.assert_allclose(values, golden[f"output/{made}"], rtol=1e-5, atol=1e-5)
    assert (labels["datatype"], labels["data"]) == ("BYTES", labels_of(golden, made))
    for wrong in (content[:-1], content + b"x", content[: end // 2]):
        refused(post(app, path, content=wrong, headers=length), 400)
    for wrong in ("-1", "1e3", "999999999", "x", "²"):
        length = {"inference-header-content-length": wrong.encode()}
        refused(post(app, path, content=content, headers=length), 400)


def pictures() -> list[bytes]:
    pixels = np.random.default_rng(3).integers(0, 256, (23, 17, 3), dtype=np.uint8)
    turned = Image.Exif()
    turned[0x0112] = 6
    found = []
    for how in ({"format": "PNG"}, {"format": "JPEG", "exif": turned}, {"format": "WEBP"}):
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, **how)
        found.append(buffer.getvalue())
    return found


def test_a_picture_is_what_it_is_in_training(apps: dict[str, Any]) -> None:
    app, files = apps["digits"], pictures()
    texts = [base64.b64encode(each).decode() for each in files]
    kind = Kind(height=8, width=8, channels=1, maximum=16.0, resize="bilinear")
    tensors = [read_cell(io.BytesIO(each), kind).astype(np.float32).tolist() for each in files]
    path = "/v1/models/digits:predict"
    expected = post(app, path, json={"instances": tensors}).json()["predictions"]
    encoded = [{"b64": text} for text in texts]
    for key, value in (
        ("instances", encoded),
        ("instances", [{"pixels": each} for each in encoded]),
        ("inputs", encoded),
        ("inputs", {"pixels": encoded}),
    ):
        answer = post(app, path, json={key: value}).json()
        assert answer.get("predictions", answer.get("outputs")) == expected
    tensor = {"name": "pixels", "shape": [len(files)], "datatype": "BYTES"}
    blob = b"".join(struct.pack("<I", len(each)) + each for each in files)
    sized = {**tensor, "parameters": {"binary_data_size": len(blob)}}
    header = json.dumps({"inputs": [sized]}).encode()
    length = {"inference-header-content-length": str(len(header))}
    infer = "/v2/models/digits/infer"
    for response in (
        post(app, infer, json={"inputs": [{**tensor, "data": texts}]}),
        post(app, infer, content=header + blob, headers=length),
    ):
        (output,) = response.json()["outputs"]
        assert np.reshape(output["data"], output["shape"]).tolist() == expected


ROW = np.arange(64).reshape(8, 8, 1).tolist()
TEXT = json.dumps(ROW)
TENSOR = {"name": "pixels", "shape": [1, 8, 8, 1], "datatype": "FP32", "data": [ROW]}
PIXEL = base64.b64encode(pictures()[0]).decode()


def with_number(text: str) -> bytes:
    """A row whose first number is that."""
    return f'{{"instances": [{TEXT.replace("[0]", f"[{text}]", 1)}]}}'.encode()


def with_tensor(**changed: Any) -> bytes:
    kept = {key: value for key, value in (TENSOR | changed).items() if value is not None}
    return json.dumps({"inputs": [kept]}).encode()


HOSTILE_ROWS = {
    "nothing": b"",
    "no object": b"[]",
    "no JSON": b"{'instances': 1}",
    "not UTF-8": b"\xff\xfe{",
    "half a pair": b'{"instances": "\\ud800"}',
    "neither": b"{}",
    "both": f'{{"instances": [{TEXT}], "inputs": [{TEXT}]}}'.encode(),
    "an unknown key": f'{{"instances": [{TEXT}], "instance": 1}}'.encode(),
    "a key twice": f'{{"instances": [{TEXT}], "instances": [{TEXT}]}}'.encode(),
    "an inner key twice": f'{{"instances": [{{"pixels": {TEXT}, "pixels": {TEXT}}}]}}'.encode(),
    "a key twice, escaped": f'{{"instances": [{TEXT}], "\\u0069nstances": [{TEXT}]}}'.encode(),
    "no rows": b'{"instances": []}',
    "empty rows": b'{"instances": [[]]}',
    "no list": b'{"instances": 1}',
    "null": b'{"instances": null}',
    "NaN": with_number("NaN"),
    "Infinity": with_number("-Infinity"),
    "beyond float64": with_number("1e999"),
    "beyond float32": with_number("1e39"),
    "beyond the network": json.dumps({"instances": [np.full((8, 8, 1), 3e38).tolist()]}).encode(),
    "a long number": with_number("9" * 400),
    "text": with_number('"0"'),
    "a truth": with_number("true"),
    "an inner null": with_number("null"),
    "ragged": with_number("0, 1"),
    "a wrong shape": b'{"instances": [[1, 2, 3]]}',
    "too few rows of pixels": json.dumps({"instances": [ROW[:7]]}).encode(),
    "an unknown input": f'{{"instances": [{{"x": {TEXT}}}]}}'.encode(),
    "an input too many": f'{{"instances": [{{"pixels": {TEXT}, "x": 1}}]}}'.encode(),
    "an unknown column": f'{{"inputs": {{"x": [{TEXT}]}}}}'.encode(),
    "no column": b'{"inputs": {}}',
    "forms mixed": f'{{"instances": [{{"pixels": {TEXT}}}, {TEXT}]}}'.encode(),
    "no base64": b'{"instances": [{"b64": "%%%"}]}',
    "base64 of a number": b'{"instances": [{"b64": 7}]}',
    "no picture": b'{"instances": [{"b64": "eHh4"}]}',
    "half a picture": f'{{"instances": [{{"b64": "{PIXEL[:80]}"}}]}}'.encode(),
    "pictures mixed": f'{{"instances": [{{"b64": "{PIXEL}"}}, {TEXT}]}}'.encode(),
    "depth": b'{"instances": ' + b"[" * 40 + b"]" * 40 + b"}",
    "depth beside": f'{{"instances": [{TEXT}], "x": '.encode() + b"[" * 40 + b"]" * 40 + b"}",
    "depth behind texts": b'{"a": "]]]", "instances": '
    + b'[{"b": ' * 30
    + b'"[["'
    + b"}]" * 30
    + b"}",
    "abysmal depth": b"[" * 100_000,
    "another signature": f'{{"signature_name": "x", "instances": [{TEXT}]}}'.encode(),
    "no signature": f'{{"signature_name": ["x"], "instances": [{TEXT}]}}'.encode(),
}
HOSTILE_TENSORS = {
    "nothing": b"",
    "no tensors": b'{"inputs": []}',
    "no list": b'{"inputs": {}}',
    "no objects": b'{"inputs": [1]}',
    "a tensor twice": json.dumps({"inputs": [TENSOR, TENSOR]}).encode(),
    "another name": with_tensor(name="x"),
    "no name": with_tensor(name=None),
    "a name that is none": with_tensor(name=["pixels"]),
    "another type": with_tensor(datatype="FP64"),
    "bytes": with_tensor(datatype="BYTES"),
    "no type": with_tensor(datatype=None),
    "no shape": with_tensor(shape=None),
    "an empty shape": with_tensor(shape=[]),
    "another shape": with_tensor(shape=[1, 8, 8]),
    "a negative shape": with_tensor(shape=[-1, 8, 8, 1]),
    "zero rows": with_tensor(shape=[0, 8, 8, 1], data=[]),
    "a huge shape": with_tensor(shape=[2**62, 8, 8, 1]),
    "a shape beyond": with_tensor(shape=[2**64 - 1, 1, 1, 1]),
    "a shape of truths": with_tensor(shape=[True, 8, 8, 1]),
    "a shape of fractions": with_tensor(shape=[1.5, 8, 8, 1]),
    "no data": with_tensor(data=None),
    "text": with_tensor(data="x" * 64),
    "an object": with_tensor(data={"a": 1}),
    "truths": with_tensor(data=[True] * 64),
    "too few": with_tensor(data=[0.0] * 63),
    "a size without binary": with_tensor(data=None, parameters={"binary_data_size": 256}),
    "a size that is none": with_tensor(data=None, parameters={"binary_data_size": "256"}),
    "parameters that are none": with_tensor(parameters=[]),
    "an unknown output": json.dumps({"inputs": [TENSOR], "outputs": [{"name": "x"}]}).encode(),
    "an output that is none": json.dumps({"inputs": [TENSOR], "outputs": [1]}).encode(),
    "an id that is none": json.dumps({"inputs": [TENSOR], "id": 7}).encode(),
    "labels that are none": json.dumps({"inputs": [TENSOR], "parameters": {"labels": 1}}).encode(),
}


def refused(response: Response, status: int) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert list(response.json()) == ["error"]
    assert 0 < len(response.json()["error"]) <= 201
    assert "Traceback" not in response.text


@pytest.mark.parametrize("content", HOSTILE_ROWS.values(), ids=HOSTILE_ROWS)
def test_hostile_rows_are_refused(apps: dict[str, Any], content: bytes) -> None:
    for verb in ("predict", "classify"):
        body = content.replace(b"instances", b"examples") if verb == "classify" else content
        if verb == "predict" or b"inputs" not in body:
            refused(post(apps["digits"], f"/v1/models/digits:{verb}", content=body), 400)


@pytest.mark.parametrize("content", HOSTILE_TENSORS.values(), ids=HOSTILE_TENSORS)
def test_hostile_tensors_are_refused(apps: dict[str, Any], content: bytes) -> None:
    refused(post(apps["digits"], "/v2/models/digits/infer", content=content), 400)


def test_columns_are_checked(apps: dict[str, Any], bundles: Path) -> None:
    about = json.loads((bundles / "breast-cancer/server/kspec-bundle.json").read_text())
    columns = about["signature"]["inputs"][0]["columns"]
    right = dict.fromkeys(columns, 1.0)
    path = "/v1/models/breast-cancer:predict"
    assert post(apps["breast-cancer"], path, json={"instances": [right]}).status_code == 200
    missing = dict.fromkeys(columns[1:], 1.0)
    for row in (missing, right | {"x": 1.0}, right | {columns[0]: "1"}, right | {columns[0]: [1]}):
        for rows in ([row], [right, row]):
            refused(post(apps["breast-cancer"], path, json={"instances": rows}), 400)


def test_bounds(bundles: Path) -> None:
    app = service.application(
        bundles / "digits/server", "server_bounds", body=20_000, rows=3, seconds=0.2
    )
    path = "/v1/models/digits:predict"
    assert post(app, path, json={"instances": [ROW] * 3}).status_code == 200
    refused(post(app, path, json={"instances": [ROW] * 4}), 413)
    refused(post(app, path, content=b" " * 20_001), 413)
    packed = gzip.compress(json.dumps({"instances": [ROW]}).encode())
    refused(post(app, path, content=packed, headers={"content-encoding": "gzip"}), 415)

    async def endless(pause: float) -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1000
            await asyncio.sleep(pause)

    refused(post(app, path, content=endless(0)), 413)
    refused(post(app, path, content=endless(0.05)), 408)
    refused(get(app, path), 405)
    refused(get(app, "/v1/models/other"), 404)
    refused(post(app, f"{path}?labels=x", json={"instances": [ROW]}), 400)
    body = {"inputs": [TENSOR], "parameters": {"labels": None}}
    refused(post(app, "/v2/models/digits/infer?labels=true", json=body), 400)


def test_a_picture_has_a_bounded_number_of_pixels(bundles: Path) -> None:
    bundle = bundles / "digits/server"
    package = service.load(bundle, "server_pixels")
    model = service.part(package, "model").MODEL
    (given,) = model.inputs
    decode, *others = given.steps
    small = replace(given, steps=(replace(decode, max_pixels=100), *others))
    settings = service.part(package, "settings").Settings()
    app = service.part(package, "app").App(replace(model, inputs=(small,)), bundle, settings)
    answer = post(app, "/v1/models/digits:predict", json={"instances": [{"b64": PIXEL}]})
    refused(answer, 400)
    assert answer.json() == {"error": "pixels: 17 × 23 pixels, more than 100"}


def test_long_calls_are_bounded_and_ended(bundles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers, room for three calls, and a model that takes its time."""
    app = service.application(
        bundles / "digits/server", "server_long", waiting=3, workers=2, seconds=0.3
    )
    engine = app.engine
    monkeypatch.setattr(engine, "_latency", 1.0)
    run, asked = engine._run, []

    def slow(arrays: Any, options: Any) -> Any:
        for _ in range(100):
            if options.terminate:
                asked.append(options)
                raise RuntimeError("ended")
            threading.Event().wait(0.01)
        return run(arrays, options)

    monkeypatch.setattr(engine, "_run", slow)

    async def ask() -> list[int]:
        async with service.client(app) as client:
            path, body = "/v1/models/digits:predict", {"instances": [ROW]}
            every = await asyncio.gather(*(client.post(path, json=body) for _ in range(5)))
            ready = await client.get("/v2/health/ready")
            return [*(each.status_code for each in every), ready.status_code]

    assert sorted(asyncio.run(ask())) == [200, 503, 503, 504, 504, 504]
    engine.close()
    assert len(asked) >= 2


def test_what_it_says_of_itself(apps: dict[str, Any], example: str) -> None:
    app, (given, made) = apps[example], NAMES[example]
    assert get(app, "/v1/models").json() == {"models": [example]}
    state = get(app, f"/v1/models/{example}").json()["model_version_status"]
    assert [(each["version"], each["state"]) for each in state] == [("1", "AVAILABLE")]
    signature = get(app, f"/v1/models/{example}/metadata").json()["metadata"]["signature_def"]
    assert list(signature["signature_def"]["serving_default"]["inputs"]) == [given]
    tensors = get(app, f"/v2/models/{example}/versions/1").json()
    assert [each["name"] for each in tensors["inputs"]] == [given]
    assert [each["name"] for each in tensors["outputs"]] == [made, f"{made}.labels"]
    assert get(app, "/v2/health/live").json() == {"live": True}
    assert get(app, f"/v2/models/{example}/ready").json()["ready"]
    metrics = get(app, "/metrics").text
    assert f'kspec_requests_total{{path="/v1/models/{example}",status="200"}}' in metrics
    paths = get(app, "/openapi.json").json()["paths"]
    for path, methods in paths.items():
        for method in methods:
            answer = get(app, path) if method == "get" else post(app, path, content=b"{}")
            assert answer.status_code == (200 if method == "get" else 400), path
    app.draining = True
    assert get(app, "/v2/health/ready").status_code == 503
    last = get(app, "/v2/health/live")
    assert (last.status_code, last.headers["connection"]) == (200, "close")
    app.draining = False
