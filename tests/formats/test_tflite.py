"""What kspec writes as TFLite, run in LiteRT against the NumPy reference."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from kspec.compiler import ops
from kspec.compiler.ir import DType, Graph, Node
from kspec.compiler.ops.neural import Windowed
from kspec.compiler.passes import run_passes
from kspec.compiler.passes.common import COMMON
from kspec.compiler.reference import evaluate
from kspec.compiler.table import Table
from kspec.targets.formats.card import Card
from kspec.targets.formats.tflite.builtins import Fused, Mirror, Padding
from kspec.targets.formats.tflite.format import TFLite
from kspec.targets.formats.tflite.options import TFLiteOptions
from kspec.targets.formats.tflite.program import TENSOR_TYPES, Emitter, TFLiteError
from kspec.targets.formats.tflite.run import LiteRTRunner
from kspec.targets.formats.tflite.versions import minimum_runtime
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

CASES = (*GRAPHS, *SYMBOLIC, *RECURRENT, *RECURRENT_SYMBOLIC)

TIME = 5


def write(graph: Graph, folder: Path, batch: int = 1, tflite: TFLite | None = None) -> Path:
    tflite, path = tflite or TFLite(), folder / f"model{batch}.tflite"
    options = TFLiteOptions(batch=batch, dimensions={"time": TIME})
    lowered = tflite.lower(graph, options)
    assert not tflite.refusals(lowered, options)
    assert tflite.write(lowered, path, options) == (path.name,)
    return path


def worst_error(case: GraphCase, path: Path, batch: int = 1, *, delegate: bool = True) -> float:
    """The largest difference from the reference, relative to max(1, |reference|)."""
    inputs = feeds(case, batch, time=TIME)
    results, expected = LiteRTRunner(path, delegate=delegate)(inputs), evaluate(case.graph, inputs)
    assert results.keys() == expected.keys()
    return max(_error(results[name], each) for name, each in expected.items())


def _error(result: np.ndarray, expected: np.ndarray) -> float:
    assert (result.dtype, result.shape) == (expected.dtype, expected.shape)
    if not expected.size or np.array_equal(result, expected, equal_nan=expected.dtype.kind == "f"):
        return 0.0
    wide = expected.astype(np.float64)
    difference = np.abs(result.astype(np.float64) - wide) / np.maximum(1, np.abs(wide))
    return float("inf") if np.isnan(difference).any() else float(difference.max())


def operators(path: Path) -> list[tuple[str, int]]:
    """Each operator of the file with its version."""
    names = {number: name for name, number in vars(schema.BuiltinOperator).items()}
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes())
    codes = [(names[each.builtinCode], each.version) for each in model.operatorCodes]
    return [codes[each.opcodeIndex] for each in model.subgraphs[0].operators]


def network() -> GraphCase:
    """A convolution with BatchNorm, a residual, a flattening; two outputs, names from hell."""
    build = Builder("network")
    x = build.input("self", "batch", 6, 6, 3)
    conv = ops.Conv((1, 1), ((1, 1), (1, 1)), "last", (1, 1))
    features = build.add("conv", conv, x, build.random("k/0", 3, 3, 3, 4))
    statistics = [build.random(f"statistics {i}", 4, low=0.5) for i in range(4)]
    features = build.add("norm", ops.BatchNorm(3, 1e-3), features, *statistics)
    features = build.add("relu", ops.Clip(0.0, 6.0), features)
    again = build.add("Größe\n☃", conv, features, build.random("k/1", 3, 3, 4, 4))
    merged = build.add("merged", ops.Relu(), build.add("sum", ops.Add(), features, again))
    twice = build.add("twice", ops.Relu(), build.add("sum again", ops.Add(), features, again))
    merged = build.add("largest", ops.Maximum(), merged, twice)
    squeezed = build.add("squeezed", ops.Mean((1, 2)), merged)
    gate = build.add("gate", ops.Reshape(("batch", 1, 1, 4)), squeezed)
    gated = build.add("gated", ops.Multiply(), merged, gate)
    flat = build.add("flat", ops.Reshape(("batch", 144)), gated)
    same = build.random("k/2", 144, 5)
    copy = build.constant("k/3", build.constants["k/2"].copy())
    other = build.add("../class:0", ops.Softmax(1), build.add("twin", ops.Linear(), flat, copy))
    return build.case(other, build.add('"logits"', ops.Linear(), flat, same))


@pytest.fixture
def small(tmp_path: Path) -> tuple[GraphCase, Path]:
    case = network()
    return case, write(run_passes(case.graph, COMMON), tmp_path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_operation_agrees_with_the_reference(case: GraphCase, tmp_path: Path) -> None:
    for batch in (1, 3):
        path = write(case.graph, tmp_path, batch)
        for delegate in (True, False):
            assert worst_error(case, path, batch, delegate=delegate) <= 1e-5


def test_every_operation_has_a_rule() -> None:
    lowered = [TFLite().lower(case.graph, TFLiteOptions()) for case in GRAPHS]
    left = {type(node.op) for graph in lowered for node in graph.nodes}
    assert left <= set(TFLite.rules)


@st.composite
def windows(draw: st.DrawFn) -> GraphCase:
    """One convolution, transposed convolution or pooling, anyhow."""
    rank = draw(st.integers(1, 3))

    def each(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(rank))

    size, strides, low, high = each(1, 3), each(1, 3), each(0, 2), each(0, 2)
    padding = tuple(zip(low, high, strict=True))
    dilations = each(1, 2) if max(strides) == 1 else (1,) * rank
    groups = draw(st.sampled_from([1, 1, 2, 4]))
    spatial = each(4, 7)
    build = Builder("window")
    x = build.input("x", "batch", *spatial, 4)
    kernel = build.random("kernel", *size, 4 // groups, 4 * draw(st.integers(1, 2)))
    flipped = build.random("flipped", *size, 3, 4)
    extra = tuple(draw(st.integers(0, max(stride - 1, 0))) for stride in strides)
    op, weights = draw(
        st.sampled_from(
            [
                (ops.Conv(strides, padding, "last", dilations, groups, "relu"), (kernel,)),
                (ops.ConvTranspose(strides, padding, "last", dilations, extra), (flipped,)),
                (ops.MaxPool(strides, padding, "last", size), ()),
                (ops.AveragePool(strides, padding, "last", size), ()),
            ]
        )
    )
    assume(
        not isinstance(op, ops.Pooling)
        or all(max(p) < k for p, k in zip(padding, size, strict=True))
    )
    try:
        return build.case(build.add("y", op, x, *weights))
    except ops.OpError:
        assume(False)
        raise


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(windows())
def test_windows_of_every_kind_agree_with_the_reference(tmp_path: Path, case: GraphCase) -> None:
    path = write(case.graph, tmp_path, 2)
    for delegate in (True, False):
        assert worst_error(case, path, 2, delegate=delegate) <= 1e-5


STEPS: tuple[ops.Op, ...] = (
    ops.Relu(),
    ops.Clip(0.0, 6.0),
    ops.Tanh(),
    ops.Identity(),
    ops.Add(),
    ops.Multiply(),
    ops.Mean((1, 2)),
    ops.Max((1, 2), keepdims=True),
    ops.Reshape((2, 1, 1, 6)),
    ops.Reshape((2, 2, 1, 3)),
    ops.Reshape((2, 6)),
    ops.BroadcastTo((2, 2, 1, 6)),
    ops.Transpose((0, 2, 1, 3)),
)


@st.composite
def tangles(draw: st.DrawFn) -> GraphCase:
    """A DAG of what the peepholes merge: any value may be read anywhere, and be an output."""
    build = Builder("tangle")
    values = [build.input("x", 2, 1, 2, 3)]
    for number in range(draw(st.integers(1, 12))):
        op = draw(st.sampled_from(STEPS))
        inputs = [draw(st.sampled_from(values)) for _ in range(getattr(op, "arity", 1))]
        with contextlib.suppress(ops.OpError):
            values.append(build.add(f"v{number}", op, *inputs))
    computed = values[1:]
    assume(computed)
    chosen = draw(st.lists(st.sampled_from(computed), min_size=1, unique=True))
    return build.case(*chosen)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tangles())
def test_what_is_merged_computes_the_same(tmp_path: Path, case: GraphCase) -> None:
    assert worst_error(case, write(case.graph, tmp_path), delegate=False) <= 1e-5


def test_names_types_and_signature_are_the_graphs(small: tuple[GraphCase, Path]) -> None:
    case, path = small
    assert worst_error(case, path) <= 1e-5
    runner = LiteRTRunner(path, threads=2)
    assert list(runner.inputs) == ["self"]
    assert runner.inputs["self"].shape == (1, 6, 6, 3)
    assert runner.outputs.keys() == {"../class:0", '"logits"'}
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes())
    assert [each.signatureKey for each in model.signatureDefs] == [b"serving_default"]
    names = [each.name.decode() for each in model.subgraphs[0].tensors]
    assert len(set(names)) == len(names)
    assert {"relu", "merged", "twin"} <= set(names)
    assert path.read_bytes()[4:8] == b"TFL3"


def test_a_card_and_labels_lie_beside_the_network(
    small: tuple[GraphCase, Path], tmp_path: Path
) -> None:
    case, plain = small
    labels = {"../class:0": ("a\n", "b"), '"logits"': ("über $x", "", "<c>")}
    options = [
        TFLiteOptions(card=Card(version="1.2.3", description="näher", labels=labels)),
        TFLiteOptions(card=Card(version="1.2.3", description="näher", labels=dict(labels))),
        TFLiteOptions(card=Card(labels={'"logits"': ("x", "y", "z")})),
    ]
    paths = [tmp_path / f"{number}.tflite" for number in range(3)]
    lowered = TFLite().lower(run_passes(case.graph, COMMON), TFLiteOptions())
    for path, each in zip(paths, options, strict=True):
        TFLite().write(lowered, path, each)
        assert worst_error(case, path) == worst_error(case, plain)
    first, second, named = (path.read_bytes() for path in paths)
    assert first == second
    with pytest.raises(BadZipFile):
        ZipFile(paths[0])
    with ZipFile(paths[2]) as archive:
        assert archive.read("labels-1.txt") == b"x\ny\nz\n"
    model = schema.ModelT.InitFromPackedBuf(named)
    kept = {each.name: model.buffers[each.buffer].data for each in model.metadata}
    record = bytes(kept[b"TFLITE_METADATA"])
    assert record[4:8] == b"M001"
    assert all(each.encode() in record for each in ("self", "../class:0", "labels-1.txt"))


def test_activations_and_norms_cost_no_operator(small: tuple[GraphCase, Path]) -> None:
    kinds = [code for code, _ in operators(small[1])]
    assert kinds == [
        *("CONV_2D", "CONV_2D", "ADD", "MAXIMUM", "MEAN", "MUL", "RESHAPE"),
        *("FULLY_CONNECTED", "SOFTMAX", "FULLY_CONNECTED"),
    ]


def test_a_factor_is_read_transposed_rather_than_moved(tmp_path: Path) -> None:
    build = Builder("attention")
    query, key = (build.input(name, "batch", 4, 2, 3) for name in ("query", "key"))
    heads = build.add("heads", ops.Transpose((0, 2, 1, 3)), query)
    moved = build.add("moved", ops.Transpose((0, 2, 3, 1)), key)
    scores = build.add("scores", ops.MatMul(), heads, moved)
    turned = build.add("turned", ops.Transpose((0, 1, 3, 2)), scores)
    case = build.case(build.add("products", ops.MatMul(), scores, turned))
    path = write(case.graph, tmp_path)
    assert worst_error(case, path) <= 1e-5
    kinds = [code for code, _ in operators(path)]
    assert kinds == ["TRANSPOSE", "TRANSPOSE", "BATCH_MATMUL", "BATCH_MATMUL"]


def test_equal_constants_are_stored_once_and_aligned(small: tuple[GraphCase, Path]) -> None:
    content = small[1].read_bytes()
    model = schema.Model.GetRootAs(content)
    buffers = [model.Buffers(i) for i in range(model.BuffersLength())]
    arrays = [each.DataAsNumpy() for each in buffers if not each.DataIsNone()]
    assert len({array.tobytes() for array in arrays}) == len(arrays)
    start = np.frombuffer(content, np.uint8).ctypes.data
    assert {(array.ctypes.data - start) % 16 for array in arrays} == {0}


def test_the_file_is_little_larger_than_its_weights(tmp_path: Path) -> None:
    build = Builder("dense")
    x = build.input("x", "batch", 512)
    for layer in range(4):
        x = build.add(f"y{layer}", ops.Linear(), x, build.random(f"k{layer}", 512, 512))
    path = write(build.case(x).graph, tmp_path)
    assert path.stat().st_size <= 1.01 * 4 * 512 * 512 * 4


def test_another_process_writes_the_same_bytes(
    small: tuple[GraphCase, Path], tmp_path: Path
) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.formats.test_tflite import *;"
        "write(run_passes(network().graph, COMMON), Path(sys.argv[1]))"
    )
    there = tmp_path / "there"
    there.mkdir()
    subprocess.run([sys.executable, "-c", script, there], check=True)
    assert (there / "model1.tflite").read_bytes() == small[1].read_bytes()


def test_the_format_is_known_without_flatbuffers() -> None:
    script = (
        "import sys; from kspec.targets.formats.tflite.format import TFLite; len(TFLite.rules);"
        "heavy = {'flatbuffers', 'ai_edge_litert', 'tensorflow', 'keras'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def transposed_kernel(op: ops.Conv, node: Node, out: Emitter) -> None:
    """The rule for convolutions with height and width of the kernel mixed up."""
    x, kernel, *bias = node.inputs
    array = out.array(kernel)
    assert array is not None
    wrong = out.weights(kernel, array.swapaxes(0, 1))
    TFLite.rules[ops.Conv](op, Node(op, (x, wrong, *bias), node.outputs), out)


def forgotten_padding(op: Windowed, node: Node, out: Emitter) -> None:
    """The rule for pooling with padding that counts."""
    padded = ops.AveragePool(op.strides, ((0, 0),) * 2, op.channels, node.op.window)
    low, high = ([0, *side, 0] for side in zip(*op.padding, strict=True))
    x = out.emit(
        "PAD",
        node.inputs[0],
        out.constant(np.array([low, high], np.int32).T),
        type_=ops.Pad(tuple(low), tuple(high)).infer(node.inputs[0].type)[0],
    )
    TFLite.rules[ops.AveragePool](padded, Node(padded, (x,), node.outputs), out)


def swapped_operands(_op: ops.Subtract, node: Node, out: Emitter) -> None:
    x, y = node.inputs
    TFLite.rules[ops.Subtract](_op, Node(_op, (y, x), node.outputs), out)


@pytest.mark.parametrize("rule", [transposed_kernel, forgotten_padding, swapped_operands])
def test_a_wrong_rule_is_seen(rule, tmp_path: Path) -> None:
    kind = {
        transposed_kernel: ops.Conv,
        forgotten_padding: ops.AveragePool,
        swapped_operands: ops.Subtract,
    }[rule]
    build = Builder("sabotage")
    x = build.input("x", "batch", 7, 7, 2)
    padding = ((1, 1), (1, 1))
    conv = ops.Conv((1, 1), padding, "last", (1, 1))
    y = build.add("conv", conv, x, build.random("kernel", 3, 3, 2, 2))
    pooled = build.add("pool", ops.AveragePool((1, 1), padding, "last", (3, 3)), y)
    case = build.case(build.add("out", ops.Subtract(), pooled, x))

    class Sabotaged(TFLite):
        rules = Table("tflite", {**TFLite.rules, kind: rule})

    assert worst_error(case, write(case.graph, tmp_path)) <= 1e-5
    assert worst_error(case, write(case.graph, tmp_path, 2, Sabotaged()), 2) > 1e-3


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    tflite = TFLite()
    build = Builder("refused")
    x = build.input("x", 2, 3, dtype=DType.int32)
    y = build.input("y", 3, 2, dtype=DType.int32)
    (refusal,) = tflite.refusals(
        build.case(build.add("product", ops.MatMul(), x, y)).graph, TFLiteOptions()
    )
    assert (refusal.node, refusal.op) == ("product", "MatMul")
    assert "float32 only" in refusal.reason
    deep = Builder("deep")
    high = deep.add("sum", ops.Sum((0,)), deep.input("x", *(2,) * 7))
    assert "6 dimensions" in tflite.refusals(deep.case(high).graph, TFLiteOptions())[0].reason
    first = CHANNELS_FIRST[0].graph
    assert any("channels last" in each.reason for each in tflite.refusals(first, TFLiteOptions()))
    lowered = tflite.lower(SYMBOLIC[0].graph, TFLiteOptions())
    with pytest.raises(TFLiteError, match="time"):
        tflite.write(lowered, tmp_path / "x.tflite", TFLiteOptions())
    assert not list(tmp_path.iterdir())


def test_two_gigabytes_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    build = Builder("large")
    huge = build.constant("huge", np.broadcast_to(np.float32(1), (2**14, 2**15)))
    case = build.case(build.add("y", ops.Gather(0), huge, build.input("i", 1, dtype=DType.int32)))
    path = tmp_path / "large.tflite"
    (refusal,) = TFLite().refusals(case.graph, TFLiteOptions())
    assert "2,147,483,648 bytes of weights" in refusal.reason
    with pytest.raises(TFLiteError, match="2 GB"):
        TFLite().write(case.graph, path, TFLiteOptions())
    assert not path.exists()


@pytest.mark.parametrize(
    ("numbers", "names"),
    [
        ({each.name: each.value for each in Padding}, schema.Padding),
        ({each.name: each.value for each in Fused}, schema.ActivationFunctionType),
        ({each.name: each.value for each in Mirror}, schema.MirrorPadMode),
        (
            {"bool" if t is DType.boolean else t.value: n for t, n in TENSOR_TYPES.items()},
            schema.TensorType,
        ),
    ],
)
def test_numbers_are_the_schemas(numbers: Mapping[str, int], names: type) -> None:
    assert numbers == {name: getattr(names, name.upper()) for name in numbers}


def test_versions_are_as_low_as_they_may_be(tmp_path: Path) -> None:
    def versions(case: GraphCase) -> dict[str, int]:
        return dict(operators(write(case.graph, tmp_path)))

    build = Builder("versions")
    x = build.input("x", 1, 4, 4, 4)
    still, pads = (1, 1), ((0, 0), (0, 0))
    grouped = ops.Conv(still, pads, "last", still, groups=2)
    y = build.add("grouped", grouped, x, build.random("k", 1, 1, 2, 4))
    depthwise = ops.Conv(still, pads, "last", (2, 2), groups=4)
    y = build.add("depthwise", depthwise, y, build.random("d", 2, 2, 1, 4))
    y = build.add("dense", ops.Linear(), y, build.random("l", 4, 3))
    y = build.add("resize", ops.Resize((8, 8), "bilinear", "last"), y)
    assert versions(build.case(y)) == {
        "CONV_2D": 6,
        "DEPTHWISE_CONV_2D": 2,
        "FULLY_CONNECTED": 5,
        "RESIZE_BILINEAR": 3,
    }
    model = schema.ModelT.InitFromPackedBuf((tmp_path / "model1.tflite").read_bytes())
    (metadata,) = model.metadata
    assert metadata.name == b"min_runtime_version"
    assert bytes(model.buffers[metadata.buffer].data) == b"2.9.0".ljust(16, b"\0")
    assert minimum_runtime([]) == "1.15.0"
