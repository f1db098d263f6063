"""What kspec writes as a SavedModel, run in TensorFlow against the NumPy reference.

This process writes; a second one, fresh, loads and runs everything, and writes again.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from tensorflow.core.protobuf import saved_model_pb2

from kspec.compiler import ops
from kspec.compiler.ir import Graph
from kspec.compiler.reference import evaluate
from kspec.targets.formats.tf_serving.format import TfServing
from kspec.targets.formats.tf_serving.library import LibraryError
from kspec.targets.formats.tf_serving.options import TfServingOptions
from kspec.targets.formats.tf_serving.run import TfServingRunner
from kspec.targets.formats.tf_serving.signatures import read_signatures
from tests.formats.test_onnx import small_network
from tests.graphs import (
    CHANNELS_FIRST,
    GRAPHS,
    RECURRENT,
    RECURRENT_SYMBOLIC,
    SYMBOLIC,
    Builder,
    GraphCase,
    feeds,
)


def fused_network() -> GraphCase:
    """Windows with explicit paddings and biases under activations, which Grappler fuses."""
    build = Builder("fused")
    x = build.input("x", "batch", 8, 8, 4)
    for place, (groups, filters) in enumerate([(1, 8), (8, 8), (4, 8), (1, 4)]):
        kernel = build.random(f"kernel{place}", 3, 3, int(x.shape[-1]) // groups, filters)
        conv = ops.Conv((1, 1), ((1, 2), (2, 1)), "last", (1, 1), groups, "relu6")
        x = build.add(f"conv{place}", conv, x, kernel, build.random(f"bias{place}", filters))
    return build.case(x)


RECURRENCES = (*RECURRENT, *RECURRENT_SYMBOLIC)
CASES = (small_network(), fused_network(), *GRAPHS, *SYMBOLIC, *RECURRENCES)
BATCHES = (1, 3)


def write(graph: Graph, folder: Path, version: int = 1) -> Path:
    options = TfServingOptions(version=version)
    (file,) = TfServing().write(TfServing().lower(graph, options), folder, options)
    return folder.parent / file


def run_everything(folder: Path) -> None:
    """In the second process: results and errors of each case into one file each."""
    for place, case in enumerate(CASES):
        try:
            runner = TfServingRunner(folder / str(place), threads=2)
            for batch in BATCHES:
                results = runner(feeds(case, batch))
                arrays = [results[value.name] for value in case.graph.outputs]
                np.savez(folder / f"{place}-{batch}.npz", *arrays)
        except (LibraryError, ValueError) as error:
            (folder / f"{place}.error").write_text(str(error))
        if place == 0:
            types = {**runner.inputs, **runner.outputs}
            declared = {name: [each.dtype, each.rank] for name, each in types.items()}
            (folder / "types.json").write_text(json.dumps(declared))
    write(CASES[0].graph, folder / "again")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved_models")
    for place, case in enumerate(CASES):
        write(case.graph, path / str(place))
    script = (
        "import sys; from pathlib import Path; from tests.formats.test_tf_serving import *;"
        "run_everything(Path(sys.argv[1]))"
    )
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, "-c", script, path], check=True, env=quiet)
    return path


@pytest.mark.parametrize("place", range(len(CASES)), ids=[case.id for case in CASES])
def test_every_operation_agrees_with_the_reference(folder: Path, place: int) -> None:
    """Within 1e-5 · max(1, |reference|)."""
    case, error = CASES[place], folder / f"{place}.error"
    assert not error.exists(), error.read_text()
    for batch in BATCHES:
        expected = evaluate(case.graph, feeds(case, batch))
        with np.load(folder / f"{place}-{batch}.npz") as results:
            for result, value in zip(results.values(), case.graph.outputs, strict=True):
                reference = expected[value.name]
                assert result.dtype == reference.dtype
                assert result.shape == reference.shape
                np.testing.assert_allclose(result, reference, rtol=5e-6, atol=5e-6)


def test_every_operation_has_a_rule() -> None:
    layers = {op for op in ops.OPS.values() if issubclass(op, ops.Recurrent)}  # become loops
    assert set(TfServing.rules) == set(ops.OPS.values()) - layers


def test_the_signature_bears_the_graphs_names(folder: Path) -> None:
    declared = json.loads((folder / "types.json").read_text())
    graph = CASES[0].graph
    assert declared == {
        value.name: [value.dtype, value.type.rank] for value in (*graph.inputs, *graph.outputs)
    }


def test_another_process_writes_the_same_bytes(folder: Path) -> None:
    again = folder / "again" / "1"
    assert [each.name for each in again.iterdir()] == ["saved_model.pb"]
    here = folder / "0" / "1" / "saved_model.pb"
    assert (again / "saved_model.pb").read_bytes() == here.read_bytes()


def test_what_the_process_did_before_does_not_show(tmp_path: Path) -> None:
    first = write(small_network().graph, tmp_path / "first")
    tf.function(lambda x: tf.Variable(x) + 1, autograph=False).python_function(tf.ones(3))
    second = write(small_network().graph, tmp_path / "second", version=7)
    assert second.parent.name == "7"
    assert first.read_bytes() == second.read_bytes()


def test_weights_are_stored_once(tmp_path: Path) -> None:
    build = Builder("wide")
    kernel = build.random("kernel", 512, 512)
    product = build.add("product", ops.Linear(), build.input("x", "batch", 512), kernel)
    case = build.case(product, build.add("again", ops.Linear(), product, kernel))
    path = write(case.graph, tmp_path / "wide")
    assert path.stat().st_size <= 1.01 * build.constants["kernel"].nbytes
    content = path.read_bytes()
    message = saved_model_pb2.SavedModel.FromString(content)
    assert message.SerializeToString(deterministic=True) == content
    kinds = {node.name: node.op for node in message.meta_graphs[0].graph_def.node}
    assert kinds["kernel"] == "Const"
    inputs = feeds(case, 2)
    loaded = tf.saved_model.load(str(path.parent))
    found = loaded.signatures["serving_default"](**{k: tf.constant(v) for k, v in inputs.items()})
    for name, expected in evaluate(case.graph, inputs).items():
        np.testing.assert_allclose(found[name].numpy(), expected, rtol=1e-4, atol=1e-3)


def test_more_weights_than_a_message_holds_are_refused() -> None:
    build = Builder("wide")
    x, small, large = build.input("x", "batch", 8), build.random("a", 8, 8), build.random("b", 8, 9)
    hidden = build.add("hidden", ops.Linear(), x, small)
    graph = build.case(build.add("out", ops.Linear(), hidden, large)).graph

    def of(limit: int) -> TfServing:
        class Limited(TfServing):
            largest_bytes = limit

        return Limited()

    assert of(4 * (64 + 72)).refusals(graph, TfServingOptions()) == ()
    (refusal,) = of(4 * (64 + 72) - 1).refusals(graph, TfServingOptions())
    assert (refusal.node, refusal.op) == ("out", "Linear")
    assert "544 bytes" in refusal.reason


def test_it_holds_no_variables_and_no_training_ops(folder: Path) -> None:
    (meta,) = saved_model_pb2.SavedModel.FromString(
        (folder / "0" / "1" / "saved_model.pb").read_bytes()
    ).meta_graphs
    kinds = {node.op for node in meta.graph_def.node}
    assert kinds <= {"Placeholder", "Const", "Conv2D", "BiasAdd", "Relu", "Reshape", "MatMul"} | {
        "Softmax",
        "AddV2",
        "Identity",
    }
    assert list(meta.signature_def) == ["serving_default"]


def test_the_loader_of_the_model_server_takes_it(folder: Path) -> None:
    """TensorFlow's C API opens it as TensorFlow Serving does, without Python."""
    library = ctypes.CDLL(str(Path(tf.__file__).parent / "libtensorflow_cc.so.2"))
    pointer = ctypes.c_void_p
    for name in ("TF_NewStatus", "TF_NewSessionOptions", "TF_NewGraph"):
        getattr(library, name).restype = pointer
    library.TF_LoadSessionFromSavedModel.restype = pointer
    library.TF_Message.restype = ctypes.c_char_p
    status = pointer(library.TF_NewStatus())
    library.TF_LoadSessionFromSavedModel(
        pointer(library.TF_NewSessionOptions()),
        None,
        str(folder / "0" / "1").encode(),
        (ctypes.c_char_p * 1)(b"serve"),
        1,
        pointer(library.TF_NewGraph()),
        None,
        status,
    )
    assert library.TF_GetCode(status) == 0, library.TF_Message(status)


def test_channels_first_is_refused(tmp_path: Path) -> None:
    case = next(case for case in CHANNELS_FIRST if isinstance(case.graph.nodes[0].op, ops.Conv))
    with pytest.raises(ValueError, match="channels last"):
        write(case.graph, tmp_path / "first")


@given(content=st.binary(max_size=60))
def test_bytes_that_are_not_signatures_are_refused(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        read_signatures(content)
    with contextlib.suppress(ValueError):  # an entry of the map of signatures
        read_signatures(b"\x2a" + bytes([len(content)]) + content)


def test_tensorflow_is_not_imported_to_run_a_saved_model(folder: Path) -> None:
    script = (
        "import sys; from pathlib import Path;"
        "from kspec.targets.formats.tf_serving.run import TfServingRunner as Runner;"
        "runner = Runner(Path(sys.argv[1])); print(runner.runtime);"
        "assert not [name for name in sys.modules if name.startswith(('tensorflow', 'keras'))]"
    )
    command = [sys.executable, "-c", script, folder / "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"tensorflow {tf.__version__}"
