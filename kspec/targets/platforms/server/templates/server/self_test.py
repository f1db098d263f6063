"""The proof of a bundle: every golden row through the application, answers held to the reference.

Each request is the bytes that a client would send, each answer the bytes that it would receive.
"""

from __future__ import annotations

import base64
import json
import statistics
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from starlette.types import Message

from .app import App
from .engine import Arrays
from .errors import RequestError
from .files import altered_files
from .golden import named_columns, read_safetensors, read_texts
from .inference import BYTES, HEADER, LABELS
from .pictures import decode
from .settings import Settings
from .signature import DTYPES, Input, Model, Output

CALLS = 20
"""Calls whose median is the latency."""
PICTURE_ERROR = 1e-6
"""The largest error of a picture's tensor, of its maximum."""


@dataclass(slots=True)
class Report:
    """What is printed."""

    platform: str
    name: str
    version: str
    engine: str
    device: str
    artifact: str
    rows: int = 0
    worst_error_ratio: float | None = None
    flips: int = 0
    picture_error: float | None = None
    latency_ms: float | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.problems

    def line(self) -> str:
        found = asdict(self)
        problems = found.pop("problems")
        shown = json.dumps(found | {"pass": self.passed, "problems": problems}, allow_nan=False)
        return f"KSPEC-SELFTEST {shown}"


async def report(model: Model, folder: Path, settings: Settings) -> Report:
    """Run everything."""
    found = Report("server", model.name, model.release, "onnxruntime", "cpu", model.artifact)
    found.problems += altered_files(folder)
    try:
        app = App(model, folder, settings)
        found.engine = app.engine.name
        golden = read_safetensors(folder / model.golden)
        proof = _Proof(app, model, golden, named_columns(folder, model), found)
        await proof.rows()
        await proof.pictures(folder, settings)
        await proof.latency()
    except Exception as error:  # noqa: BLE001 - whatever ends the test is its result
        found.problems.append(f"{type(error).__name__}: {error}"[:200])
    return found


class _Proof:
    """Fills a report."""

    def __init__(
        self, app: App, model: Model, golden: Arrays, columns: list[str], found: Report
    ) -> None:
        self._app, self._model, self._golden, self._found = app, model, golden, found
        self._inputs = {each.name: golden[f"input/{each.name}"] for each in model.inputs}
        self._count = len(next(iter(self._inputs.values())))
        self._columns = columns
        self._path = f"/v1/models/{model.name}:predict?labels=true"
        self._flipped: set[tuple[str, int]] = set()

    async def rows(self) -> None:
        """Each row by itself, then all of them at once, by row and by column."""
        self._found.rows = self._count
        for row in range(self._count):
            one = slice(row, row + 1)
            self._judge(await self._predict("instances", self._instances(one)), one, "a row")
        whole = slice(0, self._count)
        self._judge(await self._predict("instances", self._instances(whole)), whole, "all rows")
        self._judge(await self._predict("inputs", self._inputs), whole, "all columns")
        if self._columns:
            self._judge(await self._predict("instances", self._named()), whole, "named numbers")
        self._judge(await self._infer(), whole, "binary tensors")
        self._found.flips = len(self._flipped)
        if self._flipped:
            self._found.problems.append(f"{len(self._flipped)} labels differ")

    async def pictures(self, folder: Path, settings: Settings) -> None:
        """What a golden picture becomes, and the answer to it."""
        for each in self._model.inputs:
            if each.picture is None:
                continue
            content = (folder / self._model.pictures[each.name]).read_bytes()
            expected = self._golden[f"picture/{each.name}"]
            try:
                tensor = decode(content, each, settings.pixels)[None]
            except RequestError as refusal:
                self._found.problems.append(f"the golden picture is refused: {refusal.message}")
                continue
            if tensor.shape != expected.shape:
                self._found.problems.append(f"the picture's shape is {tensor.shape}")
                continue
            error = float(np.abs(tensor - expected).max()) / each.picture.maximum
            self._found.picture_error = max(self._found.picture_error or 0.0, error)
            if not error <= PICTURE_ERROR:
                self._found.problems.append(f"the picture's tensor is off by {error:.2g}")
            await self._same_answer(each, content, tensor)

    async def latency(self) -> None:
        """Of one row, in milliseconds, without the network."""
        body = self._instances(slice(0, 1))
        times = []
        for _ in range(CALLS):
            started = time.perf_counter()
            await self._predict("instances", body)
            times.append(time.perf_counter() - started)
        self._found.latency_ms = round(1000 * statistics.median(times), 3)

    async def _same_answer(self, given: Input, content: bytes, tensor: np.ndarray) -> None:
        first = {name: array[:1] for name, array in self._inputs.items()}
        encoded = [{"b64": base64.b64encode(content).decode()}]
        by_file = await self._predict("inputs", {**first, given.name: encoded})
        by_tensor = await self._predict("inputs", {**first, given.name: tensor})
        if by_file != by_tensor:
            self._found.problems.append("a picture and its tensor have different answers")

    def _instances(self, rows: slice) -> list[Any]:
        columns = [array[rows] for array in self._inputs.values()]
        if len(columns) == 1:
            return list(columns[0])
        return [dict(zip(self._inputs, row, strict=True)) for row in zip(*columns, strict=True)]

    def _named(self) -> list[dict[str, Any]]:
        """Each number under the name that the bundle's description, not the code, gives it."""
        joined = np.concatenate(list(self._inputs.values()), axis=1)
        return [dict(zip(self._columns, row, strict=True)) for row in joined]

    async def _infer(self) -> dict[str, Any]:
        """The answer by the other protocol, all tensors in binary, as the first would have it."""
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
                labels[name] = read_texts(blob)
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

    def _judge(self, answer: Mapping[str, Any], rows: slice, what: str) -> None:
        labels = answer["labels"]
        for output, values in self._outputs(answer):
            expected = self._golden[f"output/{output.name}"][rows]
            ratio = self._ratio(output, values, expected)
            if ratio is None:
                self._found.problems.append(f"{output.name} of {what} is not finite, or misshaped")
                continue
            self._found.worst_error_ratio = max(self._found.worst_error_ratio or 0.0, ratio)
            if ratio > 1 and len(self._found.problems) < 5:
                self._found.problems.append(f"{output.name} of {what}: {ratio:.3g} × the tolerance")
            if output.decides:
                self._compare(output, labels[output.name], expected, rows.start)

    def _outputs(self, answer: Mapping[str, Any]) -> list[tuple[Output, np.ndarray]]:
        outputs, several = self._model.outputs, len(self._model.outputs) > 1
        if "outputs" in answer:
            found = answer["outputs"] if several else {outputs[0].name: answer["outputs"]}
        else:
            rows = answer["predictions"]
            found = {
                each.name: [row[each.name] for row in rows] if several else rows for each in outputs
            }
        return [(each, np.array(found[each.name], np.float64)) for each in outputs]

    def _ratio(self, output: Output, values: np.ndarray, expected: np.ndarray) -> float | None:
        if values.shape != expected.shape or not np.isfinite(values).all():
            return None
        bound = self._bound(output, expected)
        return float((np.abs(values - expected) / bound).max())

    def _bound(self, output: Output, expected: np.ndarray) -> np.ndarray:
        size = float(np.abs(self._golden[f"output/{output.name}"]).max())
        scale = min(size, 1.0) or 1.0
        return self._model.atol * scale + self._model.rtol * np.abs(expected.astype(np.float64))

    def _compare(self, output: Output, labels: list[str], expected: np.ndarray, start: int) -> None:
        """A label may differ where the reference itself is undecided within the tolerance."""
        texts = self._golden[f"decision/{output.name}"]
        for row, label in enumerate(labels):
            right = bytes(texts[start + row]).rstrip(b"\0").decode()
            values = expected[row].astype(np.float64)
            width = float(self._bound(output, values).max())
            if label != right and output.margin(values) > width:
                self._flipped.add((output.name, start + row))


async def call(
    app: App, path: str, body: bytes, headers: Mapping[str, str]
) -> tuple[int, dict[str, str], bytes]:
    """A POST, without a network: status, headers and body of the answer."""
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
