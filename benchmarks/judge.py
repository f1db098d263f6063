"""One process of the benchmark: the artifacts of one format, measured and run in turns.

    python -m benchmarks.judge FORMAT FOLDER

The last line of the output is JSON, with the figures of each side.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

SIDES = ("kspec", "peer")
ROUNDS, ENOUGH = 60, 12.0
"""Turns of each artifact, and the CPU seconds after which there are no more of them."""
SUFFIXES = {"onnx": ".onnx", "coreml": ".mlpackage", "tflite": ".tflite", "tf_serving": ""}

Array = np.ndarray[Any, Any]
Call = Callable[[], Array]


def main(format_: str, folder: str) -> None:
    where = Path(folder)
    rows = load_file(where / "rows.safetensors")
    expected = load_file(where / "expected.safetensors")["expected"]
    found: dict[str, Any] = {}
    calls: dict[str, Call] = {}
    for side in SIDES:
        path = where / f"{side}-{format_}{SUFFIXES[format_]}"
        if not path.exists():
            continue
        found[side] = {"bytes": size(path), **nodes(format_, path)}
        try:
            calls[side] = OPENERS[format_](path, rows)
            found[side] |= errors(calls[side](), expected)
        except Exception as error:  # noqa: BLE001 - whatever a runtime dies of is the result
            calls.pop(side, None)
            if (format_, side) == ("coreml", "peer"):
                continue  # NumPy's evaluation knows the forms that kspec writes, not all there are
            words = " ".join(str(error).replace(f"{folder}/", "").split())[:160]
            found[side]["failure"] = f"{type(error).__name__}: {words}"
    if format_ != "coreml":  # NumPy evaluates it here, which says nothing of Core ML's speed
        for side, seconds in latencies(calls).items():
            found[side]["latency"] = float(np.median(seconds))
    print(json.dumps(found))


def latencies(calls: Mapping[str, Call]) -> dict[str, list[float]]:
    """CPU seconds of each call, the sides taking turns, so that the machine's moods hit both."""
    taken: dict[str, list[float]] = {side: [] for side in calls}
    started = time.process_time()
    for turn in range(ROUNDS):
        for side in sorted(calls, reverse=bool(turn % 2)):
            before = time.process_time()
            calls[side]()
            taken[side].append(time.process_time() - before)
        if time.process_time() - started > ENOUGH:
            break
    return {side: seconds[1:] or seconds for side, seconds in taken.items() if seconds}


def errors(found: Array, expected: Array) -> dict[str, float]:
    """The greatest difference, relative to max(1, |expected|) of its element, and to the greatest
    element of all."""
    if found.shape != expected.shape:
        raise ValueError(f"an output of {found.shape} where Keras gives {expected.shape}")
    apart = np.abs(found.astype(np.float64) - expected)
    return {
        "absolute": float((apart / np.maximum(1, np.abs(expected))).max()),
        "relative": float(apart.max() / np.abs(expected).max()),
    }


def open_onnx(path: Path, rows: Mapping[str, Array]) -> Call:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    given = matched([each.name for each in session.get_inputs()], rows)
    return lambda: np.asarray(session.run(None, given)[0])


def open_tflite(path: Path, rows: Mapping[str, Array]) -> Call:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    details = {each["name"]: each["index"] for each in interpreter.get_input_details()}
    given = {details[name]: array for name, array in matched(list(details), rows).items()}
    (output,) = (each["index"] for each in interpreter.get_output_details())

    def call() -> Array:
        interpreter.reset_all_variables()
        for place, array in given.items():
            interpreter.set_tensor(place, array)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(output))

    return call


def open_saved_model(path: Path, rows: Mapping[str, Array]) -> Call:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    model = tf.saved_model.load(str(path / "1"))
    signature = model.signatures["serving_default"]
    names = list(signature.structured_input_signature[1])
    given = {name: tf.constant(array) for name, array in matched(names, rows).items()}

    def call(_alive: Any = model) -> Array:
        (result,) = signature(**given).values()
        return np.asarray(result.numpy())

    return call


def open_coreml(path: Path, rows: Mapping[str, Array]) -> Call:
    """Ours says which public name each input has; the peer's names are the public ones."""
    from kspec.targets.formats.coreml.evaluator.program import Program
    from kspec.targets.formats.coreml.run import CoreMLRunner

    if path.name.startswith("kspec"):
        runner = CoreMLRunner(path)
        return lambda: next(iter(runner(rows).values()))
    program = Program(path)
    given = matched(list(program.inputs), rows)
    return lambda: next(iter(program.run(given).values()))


OPENERS: Mapping[str, Callable[[Path, Mapping[str, Array]], Call]] = {
    "onnx": open_onnx,
    "coreml": open_coreml,
    "tflite": open_tflite,
    "tf_serving": open_saved_model,
}


def matched(names: list[str], rows: Mapping[str, Array]) -> dict[str, Array]:
    """The rows by an artifact's own names, which contain ours or are none (``inputs_3``)."""
    if len(names) == len(rows) == 1:
        return {names[0]: next(iter(rows.values()))}
    found = {name: rows[ours] for name in names for ours in rows if ours in name}
    if unknown := [name for name in names if name not in found]:
        raise ValueError(f"it wants inputs that the model does not have: {', '.join(unknown)}")
    return found


def size(path: Path) -> int:
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(each.stat().st_size for each in files)


def nodes(format_: str, path: Path) -> dict[str, int]:
    """Operators that compute, and how many of them are transposes."""
    kinds = [each.lower() for each in KINDS[format_](path)]
    kinds = [each for each in kinds if each not in {"const", "constant", "placeholder", "noop"}]
    return {"nodes": len(kinds), "transposes": kinds.count("transpose")}


def kinds_onnx(path: Path) -> list[str]:
    import onnx

    model = onnx.load(path, load_external_data=False)
    return [node.op_type for node in model.graph.node]


def kinds_coreml(path: Path) -> list[str]:
    from coremltools.proto import Model_pb2

    spec = Model_pb2.Model.FromString(next(path.rglob("*.mlmodel")).read_bytes())
    (function,) = spec.mlProgram.functions.values()
    (block,) = function.block_specializations.values()
    return [operation.type for operation in block.operations]


def kinds_tflite(path: Path) -> list[str]:
    from ai_edge_litert import schema_py_generated as schema

    codes = {value: key for key, value in vars(schema.BuiltinOperator).items() if key.isupper()}
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes())
    return [
        codes[model.operatorCodes[each.opcodeIndex].builtinCode]
        for graph in model.subgraphs
        for each in graph.operators
    ]


def kinds_saved_model(path: Path) -> list[str]:
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel.FromString((path / "1" / "saved_model.pb").read_bytes())
    graph = model.meta_graphs[0].graph_def
    functions = [each.node_def for each in graph.library.function]
    return [node.op for each in (graph.node, *functions) for node in each]


KINDS: Mapping[str, Callable[[Path], list[str]]] = {
    "onnx": kinds_onnx,
    "coreml": kinds_coreml,
    "tflite": kinds_tflite,
    "tf_serving": kinds_saved_model,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
