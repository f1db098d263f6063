"""Recurrent layers and loops as each format has them natively."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from kspec.compiler import ops
from kspec.compiler.ir import Array
from kspec.targets.formats.tflite import TFLite
from kspec.targets.formats.tflite.options import TFLiteOptions
from tests.graphs import RECURRENT, GraphCase, feeds
from tests.graphs.recurrent import recurrent

BY_ID = {case.id: case for case in RECURRENT}


def write(case: GraphCase, folder: Path) -> Path:
    path = folder / "model.tflite"
    TFLite().write(TFLite().lower(case.graph), path, TFLiteOptions(batch=2))
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
