"""The self-test of a bundle: the application answers every golden row, and each answer is compared
with the reference.

Requests and answers are the bytes that a client would send and receive.
"""

from __future__ import annotations

import base64
import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from starlette.types import Message

from .app import App
from .description import DTYPES, Model
from .engine import Arrays
from .files import altered_files
from .golden import described_columns, read_safetensors
from .inference import BYTES, HEADER, LABELS
from .proof import Judge, Report, check_pictures
from .settings import Settings

CALLS = 20
"""The number of calls whose median time is the latency."""


async def report(model: Model, folder: Path, settings: Settings) -> Report:
    """Run the self-test."""
    artifact = model.artifact.file
    found = Report("server", model.name, model.release, "onnxruntime", "cpu", artifact)
    found.problems += altered_files(folder)
    try:
        app = App(model, folder, settings)
        found.engine = app.engine.name
        proof = _Proof(app, folder, found)
        await proof.rows()
        await proof.pictures()
        await proof.latency()
    except Exception as error:  # noqa: BLE001 - whatever ends the test is its result
        found.add(f"{type(error).__name__}: {error}"[:200])
    return found


class _Proof:
    """The tests that fill a report."""

    def __init__(self, app: App, folder: Path, found: Report) -> None:
        self._app, self._folder, self._found = app, folder, found
        self._model = model = app.engine.model
        self._golden = read_safetensors(folder / model.golden.file)
        self._inputs = {each.name: self._golden[f"input/{each.name}"] for each in model.inputs}
        self._count = len(next(iter(self._inputs.values())))
        self._columns = self._named_columns(described_columns(folder))
        self._path = f"/v1/models/{model.name}:predict?labels=true"
        self._judge = Judge(model.outputs, model.artifact, self._golden, found)

    async def rows(self) -> None:
        """Test single rows, then all rows at once, by row and by column."""
        self._found.rows = self._count
        for row in range(self._count):
            one = self._instances(slice(row, row + 1))
            self._compare("a row", await self._predict("instances", one), row)
        whole = self._instances(slice(0, self._count))
        self._compare("all rows", await self._predict("instances", whole))
        self._compare("all columns", await self._predict("inputs", self._inputs))
        if self._columns:
            self._compare("named numbers", await self._predict("instances", self._named()))
        self._compare("binary tensors", await self._infer())
        self._judge.finish()

    async def pictures(self) -> None:
        """Test the tensor of each golden picture, and the answer to the picture."""
        model = self._model
        read = check_pictures(model.inputs, model.golden, self._golden, self._folder, self._found)
        for name, (content, tensor) in read.items():
            first = {each: array[:1] for each, array in self._inputs.items()}
            encoded = [{"b64": base64.b64encode(content).decode()}]
            by_file = await self._predict("inputs", {**first, name: encoded})
            by_tensor = await self._predict("inputs", {**first, name: tensor[None]})
            if by_file != by_tensor:
                self._found.add("a picture and its tensor have different answers")

    async def latency(self) -> None:
        """Measure the time of one row, in milliseconds, without network transfer."""
        body = self._instances(slice(0, 1))
        times = []
        for _ in range(CALLS):
            started = time.perf_counter()
            await self._predict("instances", body)
            times.append(time.perf_counter() - started)
        self._found.latency_ms = round(1000 * statistics.median(times), 3)

    def _named_columns(self, columns: Mapping[str, list[str]]) -> list[str]:
        """Return the names of all numbers of a row if every input is a vector of named numbers."""
        if not all(each.columns for each in self._model.inputs):
            return []
        return [name for each in self._model.inputs for name in columns[each.name]]

    def _instances(self, rows: slice) -> list[Any]:
        columns = [array[rows] for array in self._inputs.values()]
        if len(columns) == 1:
            return list(columns[0])
        return [dict(zip(self._inputs, row, strict=True)) for row in zip(*columns, strict=True)]

    def _named(self) -> list[dict[str, Any]]:
        """Return each number by its column's name in the bundle's description, not in the code."""
        joined = np.concatenate(list(self._inputs.values()), axis=1)
        return [dict(zip(self._columns, row, strict=True)) for row in joined]

    async def _infer(self) -> dict[str, Any]:
        """Return the answer of the Open Inference Protocol, with all tensors in binary, in the form
        of TensorFlow Serving's answer."""
        inputs = [
            {
                "name": each.name,
                "shape": list(self._inputs[each.name].shape),
                "datatype": DTYPES[each.dtype],
                "parameters": {"binary_data_size": self._inputs[each.name].nbytes},
            }
            for each in self._model.inputs
        ]
        parameters = {"binary_data_output": True, "labels": True}
        header = orjson.dumps({"inputs": inputs, "parameters": parameters})
        blobs = [self._inputs[each.name].tobytes() for each in self._model.inputs]
        path = f"/v2/models/{self._model.name}/infer"
        headers = {HEADER: str(len(header))}
        status, headers, content = await call(self._app, path, b"".join([header, *blobs]), headers)
        if status != 200:
            raise RuntimeError(f"the answer is {status}: {content[:100].decode()}")
        start = int(headers[HEADER])
        found, labels = {}, {}
        for each in orjson.loads(content[:start])["outputs"]:
            blob = content[start : start + each["parameters"]["binary_data_size"]]
            start += len(blob)
            name = each["name"].removesuffix(LABELS)
            if each["datatype"] == BYTES:
                labels[name] = _texts(blob)
            else:
                found[name] = np.frombuffer(blob, "<f4").reshape(each["shape"])
        outputs = found if len(found) > 1 else next(iter(found.values()))
        return {"outputs": outputs, "labels": labels}

    async def _predict(self, key: str, value: Any) -> dict[str, Any]:
        content = orjson.dumps({key: value}, option=orjson.OPT_SERIALIZE_NUMPY)
        status, _, answer = await call(self._app, self._path, content, {})
        if status != 200:
            raise RuntimeError(f"the answer is {status}: {answer[:100].decode()}")
        return dict(orjson.loads(answer))

    def _compare(self, what: str, answer: Mapping[str, Any], start: int = 0) -> None:
        self._judge.compare(what, self._values(answer), answer["labels"], start)

    def _values(self, answer: Mapping[str, Any]) -> Arrays:
        outputs, several = self._model.outputs, len(self._model.outputs) > 1
        if "outputs" in answer:
            found = answer["outputs"] if several else {outputs[0].name: answer["outputs"]}
        else:
            rows = answer["predictions"]
            found = {
                each.name: [row[each.name] for row in rows] if several else rows for each in outputs
            }
        return {each.name: np.array(found[each.name], np.float64) for each in outputs}


def _texts(blob: bytes) -> list[str]:
    """Return the texts of a tensor, in which each follows its length."""
    found = []
    while blob:
        end = 4 + int.from_bytes(blob[:4], "little")
        found.append(blob[4:end].decode())
        blob = blob[end:]
    return found


async def call(
    app: App, path: str, body: bytes, headers: Mapping[str, str]
) -> tuple[int, dict[str, str], bytes]:
    """Call the application with a POST; return status, headers and body of the answer."""
    path, _, query = path.partition("?")
    given = {"content-length": str(len(body)), **headers}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "client": None,
        "server": None,
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent[1:])
