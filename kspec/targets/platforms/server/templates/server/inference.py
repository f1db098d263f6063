"""The Open Inference Protocol, version 2, as in KServe: JSON and binary tensors."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import orjson
from starlette.requests import Request
from starlette.responses import Response

from .answers import answer, wants_labels
from .bodies import Body, parse, receive
from .description import DTYPES
from .engine import Arrays, Engine, Rows
from .errors import RequestError
from .settings import Settings
from .signature import Input, Output
from .tensors import array_of, cast, checked, file_of

HEADER: Final = "inference-header-content-length"
BYTES: Final = "BYTES"
LABELS: Final = ".labels"
"""The suffix of tensors with an output's labels, one text per row. Output names have no dot."""
_LENGTH: Final = struct.Struct("<I")


class Inference:
    """The routes below /v2, for one model."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._model, self._settings = engine, engine.model, settings
        self._outputs = {each.name: each for each in self._model.outputs}
        self._labels = {
            f"{each.name}{LABELS}": each for each in self._model.outputs if each.decides
        }

    async def server(self, _request: Request) -> Response:
        about = {
            "name": "kspec",
            "version": self._model.release,
            "extensions": ["binary_tensor_data"],
        }
        return answer(about)

    async def live(self, _request: Request) -> Response:
        return answer({"live": True})

    async def model_ready(self, _request: Request) -> Response:
        return answer({"name": self._model.name, "ready": True})

    async def metadata(self, _request: Request) -> Response:
        labels = [{"name": name, "datatype": BYTES, "shape": [-1]} for name in self._labels]
        return answer(
            {
                "name": self._model.name,
                "versions": [self._model.version],
                "platform": "onnxruntime_onnx",
                "inputs": [_described(each) for each in self._model.inputs],
                "outputs": [*(_described(each) for each in self._model.outputs), *labels],
            }
        )

    async def infer(self, request: Request) -> Response:
        content = await receive(request, self._settings)
        header, tail = _split(content, request.headers.get(HEADER))
        body = parse(header, self._settings)
        value = body.value
        parameters = _parameters(value)
        asked, by_query = _truth(parameters, "labels"), wants_labels(request)
        names = self._wanted(value.get("outputs"), parameters, labels=asked or by_query)
        identity = value.get("id", "")
        if type(identity) is not str:
            raise RequestError(400, "id is not a text")
        outputs = await self._engine.infer(self._rows(body, tail))
        described, blobs = [], []
        for name, binary in names.items():
            tensor, blob = self._answer(name, outputs, binary=binary)
            described.append(tensor)
            blobs.append(blob)
        found = {
            "model_name": self._model.name,
            "model_version": self._model.version,
            **({"id": identity} if identity else {}),
            "outputs": described,
        }
        return _with_blobs(found, blobs) if any(names.values()) else answer(found)

    def _wanted(self, outputs: Any, parameters: dict[str, Any], *, labels: bool) -> dict[str, bool]:
        """Return the names of the requested tensors, and whether each is binary."""
        binary = _truth(parameters, "binary_data_output")
        if outputs is None or outputs == []:
            found = dict.fromkeys(self._outputs, binary)
        else:
            found = {}
            for each in _objects(outputs, "outputs"):
                name = each.get("name")
                if type(name) is not str or not (name in self._outputs or name in self._labels):
                    raise RequestError(400, f"there is no output {name!r}")
                found[name] = _truth(_parameters(each), "binary_data", default=binary)
        return found | dict.fromkeys(self._labels, binary) if labels else found

    def _rows(self, body: Body, tail: memoryview) -> Rows:
        wanted = {each.name: each for each in self._model.inputs}
        arrays: dict[str, np.ndarray] = {}
        files: dict[str, list[bytes]] = {}
        for given in _objects(body.value.get("inputs"), "inputs"):
            name = given.get("name")
            each = wanted.pop(name, None) if type(name) is str else None
            if each is None:
                raise RequestError(400, f"{name!r} is not an input, or is duplicated")
            size = _parameters(given).get("binary_data_size")
            if size is None:
                blob = None
            elif type(size) is int and 0 <= size <= len(tail) and "data" not in given:
                blob, tail = tail[:size], tail[size:]
            else:
                raise RequestError(400, f"binary_data_size of {name} does not fit the body")
            shape, kind = _shape(given, each), given.get("datatype")
            if kind == BYTES and each.steps:
                files[each.name] = _files(given, blob, shape, each)
            elif kind == DTYPES[each.dtype]:
                arrays[each.name] = _array(given, blob, shape, each, body)
            else:
                raise RequestError(400, f"{name} takes {DTYPES[each.dtype]} only")
        if wanted:
            raise RequestError(400, f"the input {next(iter(wanted))!r} is missing")
        if tail:
            raise RequestError(400, f"{len(tail)} bytes of the body belong to no tensor")
        return checked(arrays, files, self._model, self._settings)

    def _answer(self, name: str, outputs: Arrays, *, binary: bool) -> tuple[dict[str, Any], bytes]:
        if name in self._labels:
            output = self._labels[name]
            labels = output.decide(outputs[output.name])
            found = {"name": name, "datatype": BYTES, "shape": [len(labels)]}
            texts = [label.encode() for label in labels]
            blob = b"".join(_LENGTH.pack(len(text)) + text for text in texts) if binary else b""
            return _filled(found, labels, blob, binary=binary)
        array, kind = outputs[name], DTYPES[self._outputs[name].dtype]
        found = {"name": name, "datatype": kind, "shape": list(array.shape)}
        return _filled(found, array.reshape(-1), array.tobytes() if binary else b"", binary=binary)


def _split(content: bytes, length: str | None) -> tuple[bytes, memoryview]:
    """Return the JSON of a body, and the binary tensors after it."""
    if length is None:
        return content, memoryview(b"")
    if not (length.isascii() and length.isdigit() and int(length) <= len(content)):
        raise RequestError(400, f"{HEADER} does not fit the body")
    return content[: int(length)], memoryview(content)[int(length) :]


def _objects(value: Any, key: str) -> Iterable[dict[str, Any]]:
    if type(value) is not list or not all(type(each) is dict for each in value):
        raise RequestError(400, f"{key} is not a list of objects")
    return value


def _parameters(value: dict[str, Any]) -> dict[str, Any]:
    found = value.get("parameters")
    if found is None:
        return {}
    if type(found) is not dict:
        raise RequestError(400, "parameters is not an object")
    return found


def _truth(parameters: dict[str, Any], key: str, *, default: bool = False) -> bool:
    found = parameters.get(key, default)
    if type(found) is not bool:
        raise RequestError(400, f"{key} is not true or false")
    return found


def _shape(given: dict[str, Any], wanted: Input) -> list[int]:
    shape = given.get("shape")
    if type(shape) is not list or not all(type(each) is int and each > 0 for each in shape):
        raise RequestError(400, f"the shape of {wanted.name} is not a list of sizes")
    if not 1 <= len(shape) <= 1 + len(wanted.shape):
        raise RequestError(400, f"the shape of {wanted.name} has {len(shape)} sizes")
    return shape


def _array(
    given: dict[str, Any], blob: memoryview | None, shape: list[int], wanted: Input, body: Body
) -> np.ndarray:
    if blob is None:
        found = array_of(given.get("data"), wanted, body)
    else:
        dtype = np.dtype(wanted.dtype).newbyteorder("<")
        if len(blob) % dtype.itemsize:
            raise RequestError(400, f"{len(blob)} bytes are not a tensor of {wanted.dtype}")
        found = cast(np.frombuffer(blob, dtype), wanted)
    try:
        return found.reshape(shape)
    except (ValueError, OverflowError):
        raise RequestError(400, f"{wanted.name} has {found.size} values for its shape") from None


def _files(
    given: dict[str, Any], blob: memoryview | None, shape: list[int], wanted: Input
) -> list[bytes]:
    """Return files: in JSON a list of base64 texts; in binary each file after its length."""
    if blob is None:
        texts = given.get("data")
        if type(texts) is not list:
            raise RequestError(400, f"the data of {wanted.name} is not a list")
        files = [file_of(text, wanted) for text in texts]
    else:
        files = []
        while blob:
            end = 4 + (_LENGTH.unpack_from(blob)[0] if len(blob) >= _LENGTH.size else len(blob))
            if end > len(blob):
                raise RequestError(400, f"the binary data of {wanted.name} is cut off")
            files.append(bytes(blob[4:end]))
            blob = blob[end:]
    if shape not in ([len(files)], [len(files), 1]):
        raise RequestError(400, f"{wanted.name} has {len(files)} files for its shape")
    return files


def _filled(
    found: dict[str, Any], data: Any, blob: bytes, *, binary: bool
) -> tuple[dict[str, Any], bytes]:
    if binary:
        return found | {"parameters": {"binary_data_size": len(blob)}}, blob
    return found | {"data": data}, b""


def _with_blobs(found: dict[str, Any], blobs: list[bytes]) -> Response:
    header = orjson.dumps(found, option=orjson.OPT_SERIALIZE_NUMPY)
    headers = {HEADER: str(len(header))}
    return Response(b"".join([header, *blobs]), 200, headers, "application/octet-stream")


def _described(each: Input | Output) -> dict[str, Any]:
    sizes = (size if isinstance(size, int) else -1 for size in each.shape)
    return {"name": each.name, "datatype": DTYPES[each.dtype], "shape": [-1, *sizes]}
