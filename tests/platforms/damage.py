"""Bundles that are damaged: their files, and weights that their golden rows react to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from kspec.pipeline.bundles.seal import seal
from tests.platforms.descriptions import described

PLAIN = 10.0
"""How many times the tolerance damage must move an output to be called visible."""
Array = np.ndarray


def about_of(bundle: Path) -> dict[str, Any]:
    return dict(json.loads((bundle / "kspec-bundle.json").read_text("utf-8")))


def reseal(bundle: Path, **changes: Any) -> None:
    """List the files as they are now, as if they had been built so."""
    seal(bundle, described({**about_of(bundle), **changes}))


def change_every_file(bundle: Path) -> set[str]:
    """Append a line feed to each file, except one that is deleted; add one. What a self-test must
    say of them."""
    listed = sorted(about_of(bundle)["files"])
    missing, added = "README.md", "added file"
    for name in (*listed, "kspec-bundle.json"):
        with (bundle / name).open("ab") as file:
            file.write(b"\n")
    (bundle / missing).unlink()
    (bundle / added).write_text("")
    changed = {*listed, "kspec-bundle.json"} - {missing}
    return {
        *(f"{name} is not the file that was built" for name in changed),
        f"{missing} is missing",
        f"{added} does not belong to the bundle",
    }


def visible(artifact: Path, bundle: Path, bit: int = 0x80) -> tuple[int, bytes]:
    """Where in an artifact's file a float32 begins whose damage moves the answers to the golden
    rows plainly, and the file with that bit of its last byte turned: by default, the sign.

    Every tensor's largest weights are tried in turn, each in the format's own runtime.
    """
    content = artifact.read_bytes()
    places, run = FORMATS[artifact.suffix]
    for place in places(content):
        damaged = bytearray(content)
        damaged[place + 3] ^= bit
        if judge(bundle, bytes(damaged), run) > PLAIN:
            return place, bytes(damaged)
    raise AssertionError(f"no weight of {artifact.name} moves the answers to the golden rows")


Run = Callable[[bytes, Mapping[str, Array]], Mapping[str, Array]]


def judge(bundle: Path, content: bytes, run: Run) -> float:
    """The largest error of the golden rows in units of the tolerance; nothing where a value is not
    finite or the file does not run."""
    about = described(about_of(bundle))
    golden, tolerances = load_file(bundle / about.golden.file), about.artifacts[0].tolerances
    inputs = {each.name: golden[f"input/{each.name}"] for each in about.signature.inputs}
    try:
        found = run(content, inputs)
    except (ValueError, RuntimeError):
        return 0.0
    ratios = []
    for name in (each.name for each in about.signature.outputs):
        exact = golden[f"output/{name}"].astype(np.float64)
        scale = min(1.0, np.abs(exact).max()) or 1.0
        tolerance = tolerances[name]
        allowed = tolerance.atol * scale + tolerance.rtol * np.abs(exact)
        ratios.append(float((np.abs(found[name] - exact) / allowed).max()))
    return max(ratios) if np.isfinite(ratios).all() else 0.0


def _largest(content: bytes, tensors: Iterator[bytes]) -> Iterator[int]:
    """The places of the largest number of each tensor, the longest tensor first."""
    for tensor in sorted(tensors, key=len, reverse=True):
        start = content.index(tensor)
        for index in np.argsort(-np.abs(np.frombuffer(tensor, "<f4")))[:8].tolist():
            yield start + 4 * index


def _onnx_places(content: bytes) -> Iterator[int]:
    import onnx

    graph = onnx.load_from_string(content).graph
    floats = (each for each in graph.initializer if each.data_type == onnx.TensorProto.FLOAT)
    return _largest(content, (each.raw_data for each in floats if len(each.raw_data) >= 64))


def _onnx_run(content: bytes, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
    import onnxruntime

    session = onnxruntime.InferenceSession(content)
    names = [each.name for each in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(inputs)), strict=True))


def _tflite_places(content: bytes) -> Iterator[int]:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(content)
    graph = model.Subgraphs(0)
    tensors = (graph.Tensors(index) for index in range(graph.TensorsLength()))
    floats = {each.Buffer() for each in tensors if each.Type() == schema.TensorType.FLOAT32}
    buffers = (model.Buffers(index) for index in sorted(floats))
    data = (each.DataAsNumpy() for each in buffers if each.DataLength() >= 64)
    return _largest(content, (each.tobytes() for each in data))


def _tflite_run(content: bytes, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    (key,) = interpreter.get_signature_list()
    run = interpreter.get_signature_runner(key)
    (batch,) = {int(each["shape"][0]) for each in run.get_input_details().values()}
    assert batch == 1
    count = len(next(iter(inputs.values())))
    found = [run(**{k: v[row : row + 1] for k, v in inputs.items()}) for row in range(count)]
    return {name: np.concatenate([each[name] for each in found]) for name in found[0]}


FORMATS: Mapping[str, tuple[Callable[[bytes], Iterator[int]], Run]] = {
    ".onnx": (_onnx_places, _onnx_run),
    ".tflite": (_tflite_places, _tflite_run),
}
