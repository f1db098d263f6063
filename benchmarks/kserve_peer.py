"""KServe's own server and client on a server's bundle, in an environment that holds KServe.

    python -m benchmarks.kserve_peer serve BUNDLE --port 8080
    python -m benchmarks.kserve_peer ask BUNDLE URL

``ask`` prints one line of JSON: what the client got from the server at the address.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from kserve import (
    InferenceRESTClient,
    InferInput,
    InferOutput,
    InferRequest,
    InferResponse,
    Model,
    ModelServer,
    RESTConfig,
)
from kserve.protocol.infer_type import RequestedOutput

NAMES = {"float32": "FP32", "int32": "INT32"}


class Served(Model):
    """The ONNX file as KServe's documentation has one write a model."""

    def __init__(self, bundle: Path, about: dict[str, Any]) -> None:
        super().__init__(about["name"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        (artifact,) = (each for each in about["artifacts"] if each["format"] == "onnx")
        self.session = onnxruntime.InferenceSession(str(bundle / artifact["path"]), options)
        (self.given,) = (each["name"] for each in about["signature"]["inputs"])
        (self.made,) = (each["name"] for each in about["signature"]["outputs"])
        self.ready = True

    def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:  # noqa: ARG002
        if isinstance(payload, dict):
            rows = np.array(payload["instances"], np.float32)
            return {"predictions": self._run(rows).tolist()}
        result = self._run(payload.inputs[0].as_numpy())
        output = InferOutput(self.made, list(result.shape), "FP32")
        output.set_data_from_numpy(result, binary_data=False)
        return InferResponse(payload.id, self.name, [output])

    def _run(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(self.session.run([self.made], {self.given: rows})[0])


async def ask(bundle: Path, url: str, about: dict[str, Any]) -> dict[str, Any]:
    """The greatest difference of each protocol from the reference."""
    name, signature = about["name"], about["signature"]
    (given,), (made,) = (
        [each["name"] for each in signature[part]] for part in ("inputs", "outputs")
    )
    arrays = read(bundle / about["golden"]["file"])
    rows, expected = arrays[f"input/{given}"], arrays[f"output/{made}"]
    found: dict[str, Any] = {}
    for protocol in ("v1", "v2"):
        client = InferenceRESTClient(RESTConfig(protocol=protocol, retries=0))
        found[f"{protocol} ready"] = await client.is_model_ready(url, name)
        if protocol == "v1":
            answer = await client.infer(url, {"instances": rows.tolist()}, model_name=name)
            found["v1"] = distance(np.array(answer["predictions"]), expected)
            continue
        found["v2 live"] = await client.is_server_live(url)
        found["v2 server ready"] = await client.is_server_ready(url)
        for binary in (False, True):
            tensor = InferInput(given, list(rows.shape), NAMES[str(rows.dtype)])
            tensor.set_data_from_numpy(rows, binary_data=binary)
            wanted = [RequestedOutput(made, parameters={"binary_data": binary})]
            request = InferRequest(name, [tensor], request_outputs=wanted)
            answer = await client.infer(url, request, model_name=name)
            key = "v2 binary" if binary else "v2 JSON"
            found[key] = distance(answer.outputs[0].as_numpy(), expected)
    return found


def distance(values: np.ndarray, expected: np.ndarray) -> float:
    assert values.shape == expected.shape
    return float(np.abs(values - expected).max())


def read(path: Path) -> dict[str, np.ndarray]:
    """The float32 tensors of a safetensors file."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    found = {}
    for name, each in header.items():
        if each.get("dtype") == "F32":
            first, last = (start + offset for offset in each["data_offsets"])
            found[name] = np.frombuffer(content[first:last], "<f4").reshape(each["shape"])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.kserve_peer")
    parser.add_argument("what", choices=["serve", "ask"])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("url", nargs="?")
    parser.add_argument("--port", type=int)
    parser.add_argument("--quiet", action="store_true", help="no line for each request")
    chosen = parser.parse_args()
    about = json.loads((chosen.bundle / "kspec-bundle.json").read_text("utf-8"))
    if chosen.what == "ask":
        print(json.dumps(asyncio.run(ask(chosen.bundle, chosen.url, about))))
        return
    server = ModelServer(
        http_port=chosen.port, enable_grpc=False, enable_latency_logging=False, workers=1
    )
    if chosen.quiet:
        for name in ("uvicorn.access", "kserve.trace"):
            logging.getLogger(name).setLevel(logging.WARNING)
    server.start([Served(chosen.bundle, about)])


if __name__ == "__main__":
    main()
