"""What kspec writes for Core ML: read back from disk and run, against the NumPy reference."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kspec.compiler import ops
from kspec.compiler.ir import Array, DType, Graph, Node
from kspec.compiler.reference import evaluate
from kspec.targets.formats.card import Card
from kspec.targets.formats.coreml.emission import Emission, Rule, Var
from kspec.targets.formats.coreml.evaluator.block import Block, Step
from kspec.targets.formats.coreml.evaluator.errors import PackageError
from kspec.targets.formats.coreml.evaluator.kernels import KERNELS
from kspec.targets.formats.coreml.evaluator.messages import messages
from kspec.targets.formats.coreml.evaluator.program import Program
from kspec.targets.formats.coreml.format import CoreML
from kspec.targets.formats.coreml.names import Identifiers
from kspec.targets.formats.coreml.options import CoreMLOptions, Minimum
from kspec.targets.formats.coreml.rules import RULES, neural
from kspec.targets.formats.coreml.run import CoreMLRunner
from tests.graphs import (
    ALL_GRAPHS,
    RECURRENT,
    RECURRENT_SYMBOLIC,
    Builder,
    GraphCase,
    feeds,
)

REFUSED = {
    "Cast-int32-int64": "not with int64",
    "Cast-uint8-float32": "not with uint8",
}
"""What Core ML cannot do, and the reason that is given."""
RECURRENCES = [*RECURRENT, *RECURRENT_SYMBOLIC]
BY_ID = {case.id: case for case in (*ALL_GRAPHS, *RECURRENCES)}
MODEL = "Data/com.apple.CoreML/model.mlmodel"
WEIGHTS = "Data/com.apple.CoreML/weights/weight.bin"


def write(graph: Graph, folder: Path, options: CoreMLOptions | None = None) -> Path:
    path, options = folder / "model.mlpackage", options or CoreMLOptions()
    lowered = CoreML().lower(graph, options)
    assert CoreML().refusals(lowered, options) == ()
    files = CoreML().write(lowered, path, options)
    assert sorted(files) == sorted(
        each.relative_to(folder).as_posix() for each in path.rglob("*") if each.is_file()
    )
    return path


def worst_error(case: GraphCase, path: Path, batch: int) -> float:
    """The greatest |result - reference| / max(1, |reference|), NaN and infinities being equal to
    themselves; infinite where shapes differ."""
    runner, inputs = CoreMLRunner(path), feeds(case, batch)
    results, expected = runner(inputs), evaluate(case.graph, inputs)
    assert list(results) == [value.name for value in case.graph.outputs]
    return max(_error(results[name], reference) for name, reference in expected.items())


def _error(result: Array, reference: Array) -> float:
    if result.shape != reference.shape:
        return np.inf
    result, reference = result.astype(np.float64), reference.astype(np.float64)
    same = (result == reference) | (np.isnan(result) & np.isnan(reference))
    with np.errstate(invalid="ignore"):
        errors = np.abs(result - reference) / np.maximum(1, np.abs(reference))
    return float(np.max(np.where(same, 0, np.nan_to_num(errors, nan=np.inf)), initial=0))


def steps(block: Block) -> Iterator[Step]:
    """The operations of a block, those of loops among them."""
    for step in block.steps:
        yield step
        for inner in step.blocks:
            yield from steps(inner)


def network() -> GraphCase:
    """Most families of operations in one network, under names that are not identifiers."""
    build = Builder("network of families")
    x = build.input("Bild/pixel values:0", "batch", 7, 6, 3)
    kernel, bias = build.random("0-kernel", 3, 3, 3, 4), build.random("Größe", 4)
    conv = ops.Conv((1, 1), ((1, 1), (0, 1)), "last", (1, 1))
    features = build.add("tensor", ops.Relu(), build.add("conv/constant", conv, x, kernel, bias))
    wide = build.add("resize", ops.Resize((14, 10), "bilinear", "last"), features)
    pool = ops.AveragePool((2, 2), ((0, 0), (1, 1)), "last", (2, 2))
    flat = build.add("flat", ops.Reshape(("batch", 168)), build.add("pool/0", pool, wide))
    scale, shift = build.random("scale", 168), build.random("shift", 168)
    normal = build.add("pool 0", ops.LayerNorm(1e-3), flat, scale, shift)
    logits = build.add("pool_0", ops.Linear(), normal, build.random("again", 168, 5))
    likely = build.add("fp32", ops.Softmax(1), logits)
    return build.case(likely, build.add("is it?", ops.Greater(), logits, likely))


def scalar() -> GraphCase:
    """A factor of rank 0, and booleans as an input, moved and given back."""
    build = Builder("scalar")
    x, mask = build.input("x", "batch", 3), build.input("mask", 4, 2, dtype=DType.boolean)
    factor = build.add("factor", ops.Reshape(()), build.input("one", 1, 1))
    order = build.constant("order", np.array([3, 0, 1], np.int32))
    rows = build.add("rows", ops.Gather(0), mask, order)
    return build.case(build.add("scaled", ops.Multiply(), x, factor), rows)


def signs() -> GraphCase:
    """An output made of another output, and an input given back."""
    build = Builder("signs")
    x = build.input("x", "batch", 3)
    sign = build.add("sign", ops.Sign(), x)
    return build.case(sign, build.add("same", ops.Identity(), x), build.add("abs", ops.Abs(), sign))


def repeat() -> GraphCase:
    """A constant of so many integers that iOS 18 keeps it among the weights."""
    build = Builder("repeat")
    return build.case(build.add("out", ops.Repeat(7, 1), build.input("x", "batch", 3)))


WRITTEN = [
    *(case for case in ALL_GRAPHS if case.id not in REFUSED),
    *RECURRENCES,
    network(),
    scalar(),
    signs(),
]


@pytest.mark.parametrize("case", WRITTEN, ids=lambda case: case.id)
def test_every_operation_agrees_with_the_reference(case: GraphCase, tmp_path: Path) -> None:
    path = write(case.graph, tmp_path)
    assert max(worst_error(case, path, batch) for batch in (1, 3)) <= 1e-5


@pytest.mark.parametrize("minimum", ["iOS16", "iOS17"])
@pytest.mark.parametrize(
    "name",
    ["Lstm", "Lstm-constants", "Rnn-inputs", "Gru", "Lstm-masked", "Gru-time", "Scan-nested"],
)
def test_recurrent_layers_in_half_precision(name: str, minimum: Minimum, tmp_path: Path) -> None:
    options = CoreMLOptions(minimum=minimum, precision="float16")
    path = write(BY_ID[name].graph, tmp_path, options)
    assert 1e-7 < worst_error(BY_ID[name], path, 3) <= 1e-2


@pytest.mark.parametrize("minimum", ["iOS17", "iOS18"])
@pytest.mark.parametrize(
    "name", ["Where-broadcast", "ArgMax-ties", "Repeat-many", "network", "Gru-time-masked"]
)
def test_later_systems_have_their_own_operations(
    minimum: Minimum, name: str, tmp_path: Path
) -> None:
    case = BY_ID.get(name) or {"network": network, "Repeat-many": repeat}[name]()
    path = write(case.graph, tmp_path, CoreMLOptions(minimum=minimum))
    assert worst_error(case, path, 3) <= 1e-5
    model = messages().Model_pb2.Model.FromString((path / MODEL).read_bytes())
    assert model.specificationVersion == {"iOS17": 8, "iOS18": 9}[minimum]


def test_what_cannot_be_written_is_refused_with_the_node_and_a_reason() -> None:
    for name, reason in REFUSED.items():
        (refusal,) = CoreML().refusals(
            CoreML().lower(BY_ID[name].graph, CoreMLOptions()), CoreMLOptions()
        )
        assert refusal.node == "out"
        assert reason in refusal.reason
    build = Builder("integers")
    x = build.input("x", 2, 3, dtype=DType.int32)
    padded = build.add("padded", ops.Pad((0, 1), (0, 1)), x)
    deep = build.add("deep", ops.Reshape((1, 1, 1, 1, 2, 5)), padded)
    found = CoreML().refusals(build.case(deep).graph, CoreMLOptions())
    assert [(each.node, each.op) for each in found] == [("padded", "Pad"), ("deep", "Reshape")]
    assert "pads floats only" in found[0].reason
    assert "5 axes at most" in found[1].reason


def test_names_and_ranges_reach_the_signature(tmp_path: Path) -> None:
    case = network()
    path = write(case.graph, tmp_path, CoreMLOptions(largest_dimension=64))
    runner = CoreMLRunner(path)
    assert runner.runtime.startswith("numpy") or runner.runtime.startswith("Core ML")
    assert {name: str(each) for name, each in runner.inputs.items()} == {
        "Bild/pixel values:0": "float32[batch, 7, 6, 3]"
    }
    assert {name: str(each) for name, each in runner.outputs.items()} == {
        "fp32": "float32[batch, 5]",
        "is it?": "int32[batch, 5]",
    }
    program = Program(path)
    kept = program.run({"Bild_pixel_values_0": feeds(case, 2)["Bild/pixel values:0"]}, keep=True)
    assert len(kept) == len(set(kept))
    assert all(name.isascii() and name.isidentifier() for name in kept)
    assert {"pool_0", "v_fp32", "is_it_"} <= set(kept)
    (feature,) = program.description.input
    (batch, *_) = feature.type.multiArrayType.shapeRange.sizeRanges
    assert (batch.lowerBound, batch.upperBound) == (1, 64)


def test_a_fixed_batch_and_a_card_reach_the_description(tmp_path: Path) -> None:
    case = network()
    card = Card(version="1.2.3", description="näher", labels={"fp32": ("a", "\n", '"', "{", "")})
    path = write(case.graph, tmp_path, CoreMLOptions(batch=2, card=card))
    assert worst_error(case, path, 2) <= 1e-5
    runner, description = CoreMLRunner(path), Program(path).description
    assert [each.shape for each in runner.inputs.values()] == [(2, 7, 6, 3)]
    (feature,) = description.input
    assert not feature.type.multiArrayType.WhichOneof("ShapeFlexibility")
    assert list(feature.type.multiArrayType.shape) == [2, 7, 6, 3]
    metadata = description.metadata
    assert (metadata.versionString, metadata.shortDescription) == ("1.2.3", "näher")
    labels = json.loads(metadata.userDefined["kspec.labels"])
    assert labels == {"fp32": ["a", "\n", '"', "{", ""]}
    assert ["kspec.labels" in each.shortDescription for each in description.output] == [True, False]


def test_a_size_that_varies_starts_where_every_window_fits(tmp_path: Path) -> None:
    build = Builder("windows")
    x, kernel = build.input("x", "batch", "time", 4), build.random("kernel", 3, 4, 5)
    first = build.add("first", ops.Conv((2,), ((0, 0),), "last", (1,)), x, kernel)
    pooled = build.add("pooled", ops.MaxPool((1,), ((0, 0),), "last", (2,)), first)
    case = build.case(pooled)
    path = write(case.graph, tmp_path, CoreMLOptions(largest_dimension=20))
    (feature,) = Program(path).description.input
    array = feature.type.multiArrayType
    bounds = [(each.lowerBound, each.upperBound) for each in array.shapeRange.sizeRanges]
    assert bounds == [(1, 20), (5, 20), (4, 4)]
    assert tuple(array.shape) == (1, 5, 4)
    runner, inputs = CoreMLRunner(path), feeds(case, 2, time=5)
    assert _error(runner(inputs)["pooled"], evaluate(case.graph, inputs)["pooled"]) <= 1e-5
    with pytest.raises(PackageError, match="axis of 21, allowed are 5 to 20"):
        runner(feeds(case, 2, time=21))


def test_values_keep_their_names(tmp_path: Path) -> None:
    """A value's name means the same numbers in the file as in the graph: what lets verification
    name the first node that went wrong."""
    case = network()
    inputs = feeds(case, 2)
    lowered = CoreML().lower(case.graph, CoreMLOptions())
    expected = evaluate(lowered, inputs, keep=True)
    kept = Program(write(case.graph, tmp_path)).run(
        {"Bild_pixel_values_0": inputs["Bild/pixel values:0"]}, keep=True
    )
    identifiers = Identifiers.of(lowered)
    for node in lowered.nodes:
        assert _error(kept[identifiers[node.name]], expected[node.name]) <= 1e-5


@pytest.mark.parametrize("name", ["network", "Gather-embedding", "LayerNorm-3d"])
def test_half_precision_inside_single_outside(name: str, tmp_path: Path) -> None:
    case = BY_ID.get(name) or network()
    path = write(case.graph, tmp_path, CoreMLOptions(precision="float16"))
    runner = CoreMLRunner(path)
    assert not {each.dtype for each in (*runner.inputs.values(), *runner.outputs.values())} & {
        DType.float16
    }
    given = [item for step in runner.program.block.steps for item in step.outputs.items()]
    computed = {type_.dtype for name, type_ in given if name not in runner.program.outputs}
    assert DType.float16 in computed
    assert DType.float32 not in computed
    inputs = feeds(case, 3)
    for result, reference in zip(
        runner(inputs).values(), evaluate(case.graph, inputs).values(), strict=True
    ):
        if reference.dtype == np.float32:
            assert _error(result, reference) <= 5e-3


_WRITE = """
import sys
from pathlib import Path
from kspec.targets.formats.card import Card
from kspec.targets.formats.coreml.format import CoreML
from kspec.targets.formats.coreml.names import Identifiers
from kspec.targets.formats.coreml.options import CoreMLOptions
from tests.formats.test_coreml import BY_ID, network
assert "coremltools" not in sys.modules
cases = {"network": network(), "loop": BY_ID["Gru-time-masked"]}
for folder in sys.argv[1:]:
    for name, case in cases.items():
        lowered = CoreML().lower(case.graph, CoreMLOptions())
        CoreML().write(lowered, Path(folder, name), CoreMLOptions())
"""


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    """And so does a process that has written others before: nothing is numbered across files."""
    folders = [tmp_path / name for name in "abc"]
    for names in (folders[:2], folders[2:]):
        command = [sys.executable, "-W", "ignore", "-c", _WRITE, *map(str, names)]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    contents = [
        {
            str(file.relative_to(folder)): file.read_bytes()
            for file in folder.rglob("*.*")
            if file.is_file()
        }
        for folder in folders
    ]
    expected = {f"{name}/{part}" for name in ("network", "loop") for part in (MODEL, WEIGHTS)}
    assert expected <= set(contents[0])
    assert contents[0] == contents[1] == contents[2]


def test_the_weights_are_those_of_the_file(tmp_path: Path) -> None:
    case = BY_ID["Conv-2d-same"]
    path = write(case.graph, tmp_path)
    inputs = feeds(case, 1)
    before = CoreMLRunner(path)(inputs)["out"]
    content = bytearray((path / WEIGHTS).read_bytes())
    content[128 + 3] ^= 0x40  # the exponent of the first weight: header and metadata take 128 bytes
    (path / WEIGHTS).write_bytes(content)
    assert not np.array_equal(CoreMLRunner(path)(inputs)["out"], before)
    content[64] ^= 1  # the sentinel of its metadata
    (path / WEIGHTS).write_bytes(content)
    with pytest.raises(PackageError, match="offset 64"):
        CoreMLRunner(path)


def _retype(model: object) -> None:
    _operations(model)[-1].outputs[0].type.tensorType.dimensions[1].constant.size = 7


def _rename_kind(model: object) -> None:
    _operations(model)[-1].type = "einsum"


def _raise_version(model: object) -> None:
    model.specificationVersion = 9


def _describe_anew(model: object) -> None:
    model.description.output[0].type.multiArrayType.dataType = 131104


def _operations(model: object) -> list:
    function = model.mlProgram.functions["main"]
    return function.block_specializations[function.opset].operations


@pytest.mark.parametrize(
    ("falsify", "complaint"),
    [
        (_retype, "is declared as"),
        (_rename_kind, "einsum is not known"),
        (_raise_version, "specification version 9"),
        (_describe_anew, "two element types"),
    ],
)
def test_a_package_that_contradicts_itself_is_refused(
    falsify: Callable[[object], None], complaint: str, tmp_path: Path
) -> None:
    case = BY_ID["Softmax-2d"]
    path = write(case.graph, tmp_path)
    model = messages().Model_pb2.Model.FromString((path / MODEL).read_bytes())
    falsify(model)
    (path / MODEL).write_bytes(model.SerializeToString())
    with pytest.raises(PackageError, match=complaint):
        CoreMLRunner(path)(feeds(case, 1))


def test_the_manifest_names_the_contents(tmp_path: Path) -> None:
    manifest = json.loads((write(network().graph, tmp_path) / "Manifest.json").read_text())
    root = manifest["itemInfoEntries"][manifest["rootModelIdentifier"]]
    assert root["path"] == "com.apple.CoreML/model.mlmodel"
    assert {each["name"] for each in manifest["itemInfoEntries"].values()} == {
        "model.mlmodel",
        "weights",
    }


def _transposed_kernel(op: Any, node: Node, emit: Emission) -> Var:
    kernel = node.inputs[1]
    array = emit.graph.constants[kernel.name]
    emit.bind(kernel, emit.constant("transposed", np.ascontiguousarray(array.mT)))
    return neural.conv(op, node, emit)


def _without_offset(op: Any, node: Node, emit: Emission) -> Var:
    offset = node.inputs[2]
    emit.bind(offset, emit.constant("nothing", np.zeros(offset.shape, np.float32)))
    return neural.layer_norm(op, node, emit)


def _counting_padding(_op: Any, node: Node, emit: Emission) -> Var:
    parameters = neural._pooling(node, emit)
    return emit("avg_pool", node.name, exclude_padding_from_average=False, **parameters)


def _other_axis(_op: Any, node: Node, emit: Emission) -> Var:
    return emit("softmax", node.name, x=emit[node.inputs[0]], axis=0)


@pytest.mark.parametrize(
    ("op", "wrong"),
    [
        (ops.Conv, _transposed_kernel),
        (ops.LayerNorm, _without_offset),
        (ops.AveragePool, _counting_padding),
        (ops.Softmax, _other_axis),
    ],
)
def test_a_wrong_rule_shows(
    op: type[ops.Op], wrong: Rule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RULES._rules, op, wrong)
    case = network()
    assert worst_error(case, write(case.graph, tmp_path), 3) > 1e-3


def test_the_evaluator_knows_what_the_rules_write_and_nothing_else(tmp_path: Path) -> None:
    used = set()
    for number, case in enumerate(WRITTEN):
        (tmp_path / str(number)).mkdir()
        program = Program(write(case.graph, tmp_path / str(number)))
        used |= {step.kind for step in steps(program.block)}
    assert used == {*KERNELS, "while_loop"}


def test_a_layer_over_rows_that_no_input_counts(tmp_path: Path) -> None:
    build = Builder("rows")
    x = build.input("x", "batch", 5, 4, 3)
    rows = build.add("rows", ops.Reshape(("batch*5", 4, 3)), x)
    weights = [build.random(name, *shape) for name, shape in (("k", (3, 8)), ("r", (2, 8)))]
    starts = [build.random(f"{name}_start", 1, 2) for name in "hc"]
    layer = (rows, *weights, build.random("b", 8), *starts)
    _, h, _ = build.add_all(("sequence", "h", "c"), ops.Lstm(), *layer)
    case = build.case(build.add("out", ops.Reshape(("batch", 5, 2)), h))
    assert worst_error(case, write(case.graph, tmp_path), 3) <= 1e-5


def test_layers_that_share_weights_store_them_once(tmp_path: Path) -> None:
    build = Builder("shared")
    x, kernel = build.input("x", "batch", 64), build.random("kernel", 64, 64)
    steps = build.input("steps", "batch", 9, 64)
    layer = (build.random("wide", 64, 192), build.random("bias", 2, 192))
    starts = build.constant("zeros", np.zeros((1, 64), np.float32))
    y = build.add("once", ops.Linear(), x, kernel)
    for name in ("first", "second"):
        given = (steps, layer[0], layer[0], layer[1], starts)
        (_, h) = build.add_all((f"{name}/all", f"{name}/last"), ops.Gru(), *given)
        y = build.add(f"{name}/sum", ops.Add(), build.add(name, ops.Linear(), y, kernel), h)
    path = write(build.case(y).graph, tmp_path)
    stored = (path / WEIGHTS).stat().st_size
    assert stored <= 1.1 * sum(array.nbytes for array in build.constants.values())
