"""What TensorFlow Serving takes: the SavedModel, in TensorFlow's C library, and its company."""

from __future__ import annotations

import io
import json
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from safetensors.numpy import load_file

from kspec.features.cells import read_cell
from kspec.schemas.features import Image as Kind

LIBRARY = Path(str(find_spec("tensorflow").origin)).parent
NAMES = {"digits": ("pixels", "digit"), "breast-cancer": ("nuclei", "diagnosis")}


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C program, compiled against the headers and library that are in TensorFlow's wheel."""
    compiler = shutil.which("cc")
    assert compiler, "a C compiler is needed: apt-get install gcc libc6-dev"
    folder, source = tmp_path_factory.mktemp("loader"), Path(__file__).with_name("saved_model.c")
    libraries = [f"-L{LIBRARY}", "-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"]
    command = [compiler, "-Wall", "-Wextra", f"-I{LIBRARY / 'include'}", str(source), *libraries]
    command += [f"-Wl,-rpath,{LIBRARY}", "-Wl,--allow-shlib-undefined", "-o", str(folder / "run")]
    subprocess.run(command, check=True, timeout=120)
    return folder / "run"


def run(program: Path, folder: Path, *arguments: object, given: bytes) -> np.ndarray:
    done = subprocess.run(
        [program, folder, *map(str, arguments)],
        input=given,
        capture_output=True,
        timeout=120,
        check=False,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert done.returncode == 0, done.stderr.decode()
    assert b"tensorflow 2." in done.stderr
    return np.frombuffer(done.stdout, np.float32)


def tensors(folder: Path) -> dict[str, tuple[dict[str, str], dict[str, str]]]:
    """The names of tensors of each signature, of inputs and of outputs."""
    model = message("SavedModel").FromString((folder / "saved_model.pb").read_bytes())
    return {
        each.key: tuple(
            {info.key: info.value.name.removesuffix(":0") for info in side}
            for side in (each.value.inputs, each.value.outputs)
        )
        for each in model.meta_graphs.signature_def
    }


def test_the_c_library_answers_golden_rows(program: Path, bundles: Path, example: str) -> None:
    bundle, (given, made) = bundles / example / "server", NAMES[example]
    folder = bundle / "models" / example / "1"
    golden = load_file(bundle / "golden/golden.safetensors")
    rows, expected = golden[f"input/{given}"], golden[f"output/{made}"]
    signatures = tensors(folder)
    inputs, outputs = signatures["serving_default"]
    shape = "x".join(map(str, rows.shape[1:]))
    found = run(
        program, folder, inputs[given], shape, len(rows), outputs[made], given=rows.tobytes()
    )
    scale = 1e-5 * min(1.0, float(np.abs(expected).max())) + 1e-5 * np.abs(expected)
    assert (np.abs(found.reshape(expected.shape) - expected) <= scale).all()
    if example == "digits":
        inputs, outputs = signatures["serving_bytes"]
        picture = (bundle / "golden/golden-pixels.png").read_bytes()
        by_bytes = run(program, folder, inputs[given], "bytes", 1, outputs[made], given=picture)
        kind = Kind(height=8, width=8, channels=1, maximum=16.0, resize="bilinear")
        pixels = read_cell(io.BytesIO(picture), kind).astype(np.float32)
        inputs, outputs = signatures["serving_default"]
        by_tensor = run(
            program, folder, inputs[given], shape, 1, outputs[made], given=pixels.tobytes()
        )
        np.testing.assert_array_equal(by_bytes, by_tensor)
    else:
        assert list(signatures) == ["serving_default"]


FIELDS: dict[str, list[tuple[str, int, str]]] = {
    "SavedModel": [("meta_graphs", 2, "MetaGraph")],
    "MetaGraph": [("signature_def", 5, "Signatures*")],
    "Signatures": [("key", 1, "string"), ("value", 2, "Signature")],
    "Signature": [("inputs", 1, "Infos*"), ("outputs", 2, "Infos*")],
    "Infos": [("key", 1, "string"), ("value", 2, "Info")],
    "Info": [("name", 1, "string")],
    "PredictionLog": [("predict_log", 6, "PredictLog")],
    "PredictLog": [("request", 1, "PredictRequest")],
    "PredictRequest": [("model_spec", 1, "ModelSpec"), ("inputs", 2, "Tensors*")],
    "ModelSpec": [("name", 1, "string"), ("signature_name", 3, "string")],
    "Tensors": [("key", 1, "string"), ("value", 2, "Tensor")],
    "Tensor": [
        ("dtype", 1, "int64"),
        ("tensor_shape", 2, "Shape"),
        ("float_val", 5, "float*"),
        ("string_val", 8, "bytes*"),
    ],
    "Shape": [("dim", 2, "Dim*")],
    "Dim": [("size", 1, "int64")],
}
"""What is read here of the messages of TensorFlow and TensorFlow Serving, by their .proto files:
importing TensorFlow for it would take longer than everything else."""


def message(name: str) -> Any:
    """The class of a message, of protobuf's own making."""
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="t.proto", package="t", syntax="proto3")
    for each, fields in FIELDS.items():
        made = file.message_type.add(name=each)
        for field, number, written in fields:
            kind = written.removesuffix("*")
            label = kinds.LABEL_REPEATED if written.endswith("*") else kinds.LABEL_OPTIONAL
            added = made.field.add(name=field, number=number, label=label)
            if kind in FIELDS:
                added.type, added.type_name = kinds.TYPE_MESSAGE, f".t.{kind}"
            else:
                added.type = getattr(kinds, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"t.{name}"))


def records(content: bytes) -> Iterator[bytes]:
    """Of a TFRecord file: length, its checksum, the record, its checksum."""
    while content:
        (length,) = struct.unpack_from("<Q", content)
        record = content[12 : 12 + length]
        sums = content[8:12] + content[12 + length : 16 + length]
        assert struct.unpack("<II", sums) == (checksum(content[:8]), checksum(record))
        content = content[16 + length :]
        yield record


def checksum(content: bytes) -> int:
    """CRC-32C, as TFRecord files mask it."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def test_warm_up_requests_are_read_back_and_run(program: Path, bundles: Path, example: str) -> None:
    """Each signature has one, for tensors that it has; the model answers it."""
    bundle, (given, made) = bundles / example / "server", NAMES[example]
    folder = bundle / "models" / example / "1"
    path = folder / "assets.extra/tf_serving_warmup_requests"
    read, signatures, seen = message("PredictionLog"), tensors(folder), []
    for record in records(path.read_bytes()):
        request = read.FromString(record).predict_log.request
        seen.append(request.model_spec.signature_name)
        (entry,) = request.inputs
        assert entry.key == given
        inputs, outputs = signatures[seen[-1]]
        sizes = [dim.size for dim in entry.value.tensor_shape.dim]
        if entry.value.string_val:
            (content,), kind = entry.value.string_val, "bytes"
        else:
            (value,) = entry.value.float_val
            content, kind = (
                np.full(sizes, value, np.float32).tobytes(),
                "x".join(map(str, sizes[1:])),
            )
        found = run(program, folder, inputs[given], kind, 1, outputs[made], given=content)
        assert sizes[0] == 1
        assert np.isfinite(found).all()
    assert sorted(seen) == sorted(signatures)


def test_the_model_server_is_told_where_the_model_lies(bundles: Path, example: str) -> None:
    bundle = bundles / example / "server"
    text = (bundle / "tensorflow_serving/models.config").read_text()
    assert f'name: "{example}"' in text
    assert f'base_path: "/models/{example}"' in text
    compose = (bundle / "compose.yaml").read_text()
    for line in ("./models:/models:ro", "./tensorflow_serving:/etc/tensorflow-serving:ro"):
        assert line in compose
    about = json.loads((bundle / "kspec-bundle.json").read_text())
    assert [each["path"] for each in about["artifacts"]] == [
        f"models/{example}.onnx",
        f"models/{example}",
    ]
