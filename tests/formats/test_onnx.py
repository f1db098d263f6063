"""What kspec writes as ONNX, run in ONNX Runtime against the NumPy reference."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import onnxruntime
import pytest

from kspec.compiler import ops
from kspec.compiler.ir import Graph
from kspec.compiler.reference import evaluate
from kspec.targets.formats.onnx.directions import Bidirectional
from kspec.targets.formats.onnx.format import Onnx
from kspec.targets.formats.onnx.options import OnnxOptions
from kspec.targets.formats.onnx.run import OnnxRunner
from kspec.targets.formats.onnx.write import OnnxError, write_model
from tests.graphs import (
    ALL_GRAPHS,
    RECURRENT,
    RECURRENT_SYMBOLIC,
    Builder,
    GraphCase,
    feeds,
)

CASES = (*ALL_GRAPHS, *RECURRENT, *RECURRENT_SYMBOLIC)


def lower(graph: Graph) -> Graph:
    return Onnx().lower(graph, OnnxOptions())


def write(graph: Graph, folder: Path) -> Path:
    path = folder / "model.onnx"
    assert Onnx().write(lower(graph), path, OnnxOptions()) == (path.name,)
    return path


def assert_runs(case: GraphCase, path: Path, *batches: int) -> None:
    """Equal to the reference within 1e-5 · max(1, |reference|)."""
    runner = OnnxRunner(path)
    for batch in batches:
        inputs = feeds(case, batch)
        results, expected = runner(inputs), evaluate(case.graph, inputs)
        assert list(results) == [value.name for value in case.graph.outputs]
        for name, reference in expected.items():
            assert results[name].dtype == reference.dtype
            assert results[name].shape == reference.shape
            np.testing.assert_allclose(results[name], reference, rtol=5e-6, atol=5e-6)


def small_network() -> GraphCase:
    """A convolution, a flattening and two outputs, under names that other formats would refuse."""
    build = Builder("small")
    x = build.input("Bild/pixel values:0", "batch", 6, 6, 3)
    kernel, bias = build.random("0-kernel", 3, 3, 3, 4), build.random("Größe", 4)
    conv = ops.Conv((1, 1), ((1, 1), (0, 1)), "last", (1, 1))
    features = build.add("x", ops.Relu(), build.add("out/constant", conv, x, kernel, bias))
    flat = build.add("flat", ops.Reshape(("batch", 120)), features)
    same = build.random("again", 120, 5)
    copy = build.constant("copy of again", build.constants["again"].copy())
    logits = build.add("out", ops.Linear(), flat, same)
    other = build.add("class", ops.Softmax(1), build.add("twin", ops.Linear(), flat, copy))
    return build.case(other, logits)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_operation_agrees_with_the_reference(case: GraphCase, tmp_path: Path) -> None:
    assert_runs(case, write(case.graph, tmp_path), 1, 3)


@pytest.mark.parametrize(("size", "new"), [(6, 5), (9, 14), (7, 13), (5, 13)])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_sizes_survive_a_factor_that_rounding_makes_too_small(
    size: int, new: int, interpolation: Literal["nearest", "bilinear"], tmp_path: Path
) -> None:
    build = Builder(f"{size}-{new}")
    resize = ops.Resize((new, 2 * size), interpolation, "last")
    case = build.case(build.add("out", resize, build.input("x", "batch", size, size, 2)))
    assert_runs(case, write(case.graph, tmp_path), 2)


def test_every_operation_has_a_rule() -> None:
    assert set(Onnx.rules) == {*ops.OPS.values(), Bidirectional}


def test_names_types_and_producer_are_the_graphs(tmp_path: Path) -> None:
    case = small_network()
    path = write(case.graph, tmp_path)
    assert_runs(case, path, 1, 2)
    runner, model = OnnxRunner(path, threads=2), onnx.load(path)
    assert runner.inputs == {value.name: value.type for value in case.graph.inputs}
    assert runner.outputs == {value.name: value.type for value in case.graph.outputs}
    assert runner.runtime == f"onnxruntime {onnxruntime.__version__}"
    assert [(each.domain, each.version) for each in model.opset_import] == [("", 18)]
    assert (model.producer_name, model.graph.name) == ("kspec", "small")
    typed = {info.name for info in (*model.graph.value_info, *model.graph.output)}
    assert {node.name for node in lower(case.graph).nodes} <= typed


def test_the_operator_set_is_the_oldest_that_has_all_operators(tmp_path: Path) -> None:
    """Runtimes have slow kernels, or none, for newer ones."""
    build = Builder("gelu")
    case = build.case(build.add("y", ops.Gelu(False), build.input("x", "batch", 3)))
    path = write(case.graph, tmp_path)
    assert onnx.load(path).opset_import[0].version == 20
    assert_runs(case, path, 2)


@pytest.mark.parametrize("times", [2, 3, 7, 41, 55])
@pytest.mark.parametrize("size", [1, 33, 700])
def test_repeated_pixels_are_equal_to_the_bit(times: int, size: int, tmp_path: Path) -> None:
    build = Builder("repeat")
    x = build.input("x", "batch", size, 3, 2)
    tall = build.add("tall", ops.Repeat(times, 1), x)
    both = build.add("both", ops.Repeat(2, 2), tall)
    series = build.input("series", "batch", 2, size)
    long = build.add("long", ops.Repeat(times, 2), series)
    case = build.case(both, long)
    path = write(case.graph, tmp_path)
    assert [node.op_type for node in onnx.load(path).graph.node if node.op_type == "Gather"] == []
    inputs = feeds(case, 2)
    found, expected = OnnxRunner(path)(inputs), evaluate(case.graph, inputs)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)


def test_the_file_is_as_protobuf_itself_writes_it(tmp_path: Path) -> None:
    """Though the weights are written from where they lie, whatever their length takes."""
    for units in (1, 3, 40, 300):
        build = Builder("wide")
        kernel = build.random("kernel", 130, units)
        x = build.add("y", ops.Linear(), build.input("x", "batch", 130), kernel)
        content = write(build.case(x).graph, tmp_path).read_bytes()
        message = onnx.ModelProto.FromString(content)
        assert message.SerializeToString(deterministic=True) == content


def test_equal_constants_are_stored_once_and_in_order(tmp_path: Path) -> None:
    weights = onnx.load(write(small_network().graph, tmp_path)).graph.initializer
    names = [each.name for each in weights]
    assert names == sorted(names)
    assert len({(tuple(each.dims), each.raw_data) for each in weights}) == len(weights)
    assert sum(len(each.raw_data) for each in weights) <= 4 * (3 * 3 * 3 * 4 + 4 + 120 * 5) + 64


def test_a_transpose_stands_only_where_the_layout_enters(tmp_path: Path) -> None:
    nodes = onnx.load(write(small_network().graph, tmp_path)).graph.node
    kinds = [node.op_type for node in nodes]
    assert kinds == ["Transpose", "Conv", "Relu", "Reshape", "Gemm", "Gemm", "Softmax"]


def test_weights_past_the_limit_lie_beside_the_model(tmp_path: Path) -> None:
    case = small_network()
    path = tmp_path / "large.onnx"
    files = Onnx(largest_message=2400).write(lower(case.graph), path, OnnxOptions())
    assert files == (path.name, f"{path.name}.data")
    assert {each.name for each in tmp_path.iterdir()} == set(files)
    weights = onnx.load(path, load_external_data=False).graph.initializer
    outside = {each.name for each in weights if each.data_location == onnx.TensorProto.EXTERNAL}
    assert outside
    assert len(outside) < len(weights)
    assert path.stat().st_size < 2400
    assert_runs(case, path, 2)


def test_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.formats.test_onnx import *;"
        "write(small_network().graph, Path(sys.argv[1]))"
    )
    here = write(small_network().graph, tmp_path)
    there = tmp_path / "there"
    there.mkdir()
    subprocess.run([sys.executable, "-c", script, there], check=True)
    assert (there / "model.onnx").read_bytes() == here.read_bytes()


def test_a_wrong_type_does_not_pass_the_checker(tmp_path: Path) -> None:
    case = small_network()
    table = type(Onnx.rules)(
        "wrong", {**Onnx.rules, ops.Softmax: lambda _, n, emit: emit.result("Shape", *n.inputs)}
    )
    with pytest.raises(OnnxError):
        write_model(lower(case.graph), table, tmp_path / "wrong.onnx")
    assert not list(tmp_path.iterdir())


def test_channels_last_is_a_bug_of_the_passes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="channels first"):
        write_model(small_network().graph, Onnx.rules, tmp_path / "last.onnx")
