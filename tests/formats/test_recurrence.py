"""Recurrent layers and loops as each format has them natively."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from kspec.compiler import ops
from kspec.compiler.ir import Array
from kspec.compiler.reference import evaluate
from kspec.targets.formats.onnx.format import Onnx
from kspec.targets.formats.onnx.options import OnnxOptions
from kspec.targets.formats.onnx.run import OnnxRunner
from kspec.targets.formats.tflite.format import TFLite
from kspec.targets.formats.tflite.options import TFLiteOptions
from tests.graphs import RECURRENT, Builder, GraphCase, feeds
from tests.graphs.recurrent import recurrent

BY_ID = {case.id: case for case in RECURRENT}


def write(case: GraphCase, folder: Path) -> Path:
    path = folder / "model.tflite"
    options = TFLiteOptions(batch=2)
    TFLite().write(TFLite().lower(case.graph, options), path, options)
    return path


@pytest.mark.parametrize("name", ["Lstm", "Rnn", "Lstm-reverse", "Gru", "Rnn-inputs", "Scan"])
@pytest.mark.parametrize("resolver", [OpResolverType.AUTO, OpResolverType.BUILTIN_REF])
def test_tflite_keeps_nothing_between_calls(
    name: str, resolver: OpResolverType, tmp_path: Path
) -> None:
    """Though the application never resets its variables, and has given it NaN before."""
    case = BY_ID[name]
    interpreter = Interpreter(
        str(write(case, tmp_path)), num_threads=1, experimental_op_resolver_type=resolver
    )
    interpreter.allocate_tensors()
    places = {each["name"]: each["index"] for each in interpreter.get_input_details()}
    rows = feeds(case, 2)

    def call(rows: dict[str, Array]) -> list[Array]:
        for key, array in rows.items():
            interpreter.set_tensor(places[key], array)
        interpreter.invoke()
        return [interpreter.get_tensor(each["index"]) for each in interpreter.get_output_details()]

    first = call(rows)
    spoilt = call({key: np.full_like(array, np.nan) for key, array in rows.items()})
    assert all(np.isnan(each).any() for each in spoilt)
    for before, after in zip(first, call(rows), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("op", [ops.Lstm(), ops.Gru(), ops.Rnn(activation="softsign")])
def test_tflite_takes_no_more_room_for_more_steps(op: ops.Recurrent, tmp_path: Path) -> None:
    found = []
    for time in (30, 300):
        (tmp_path / str(time)).mkdir()
        path = write(recurrent("layer", op, time=time), tmp_path / str(time))
        found.append(path.stat().st_size)
    assert max(found) - min(found) <= 64


def both_ways(op: ops.Recurrent, *, chained: bool = False) -> GraphCase:
    """Layers that read one sequence in both directions, joined in each way; ``chained``, the second
    one starts from what the first one ends with."""
    build, units = Builder("both"), 4
    x = build.input("x", "batch", "time", 3)
    start = build.input("start", "batch", units)
    found = []
    for name, direction in (("ahead", "forward"), ("back", "reverse")):
        weights = [
            build.random(f"{name}/kernel", 3, op.gates * units),
            build.random(f"{name}/recurrent", units, op.gates * units),
            build.random(f"{name}/bias", *op.bias_shape(units)),
        ]
        zeros = [build.constant(f"{name}/zeros{k}", np.zeros((1, units), np.float32)) for k in "hc"]
        states = [found[0][1] if chained and found else start, *zeros][: op.states]
        names = [f"{name}/{part}" for part in ("sequence", "h", "c")][: op.states + 1]
        each = replace(op, direction=direction)
        found.append(build.add_all(names, each, x, *weights, *states))
    (ahead, *finals), (back, *others) = found
    joined = [
        build.add("wide", ops.Concat(2), ahead, back),
        build.add("swapped", ops.Concat(2), back, ahead),
        build.add("sum", ops.Add(), ahead, back),
        build.add("last", ops.Concat(1), finals[0], others[0]),
    ]
    return build.case(*joined, finals[-1], others[-1])


@pytest.mark.parametrize("op", [ops.Lstm(), ops.Gru(), ops.Rnn(activation="hard_sigmoid")])
@pytest.mark.parametrize("chained", [False, True])
def test_onnx_reads_a_sequence_in_both_directions_at_once(
    op: ops.Recurrent, chained: bool, tmp_path: Path
) -> None:
    case, path = both_ways(op, chained=chained), tmp_path / "model.onnx"
    lowered = Onnx().lower(case.graph, OnnxOptions())
    Onnx().write(lowered, path, OnnxOptions())
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    assert kinds.count(type(op).__name__.upper()) == (2 if chained else 1)
    for batch in (1, 3):
        rows = feeds(case, batch, time=5)
        found, expected = OnnxRunner(path)(rows), evaluate(case.graph, rows)
        for name, each in expected.items():
            np.testing.assert_allclose(found[name], each, rtol=1e-5, atol=1e-5)
