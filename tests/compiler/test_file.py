"""The file form: round trips, bytes, and refused files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import numpy as safetensors

from kspec.compiler import ops
from kspec.compiler.file import CONSTANTS, GRAPH, IrFileError, digest, load, save
from tests.graphs import ALL_GRAPHS, GRAPHS, Builder, GraphCase

_CLASSIFIER = next(case.graph for case in GRAPHS if case.id == "network-classifier")


@pytest.mark.parametrize("case", ALL_GRAPHS, ids=lambda case: case.id)
def test_round_trip(case: GraphCase, tmp_path: Path) -> None:
    save(case.graph, tmp_path / "graph")
    loaded = load(tmp_path / "graph")
    assert replace(loaded, constants={}) == replace(case.graph, constants={})
    assert loaded.constants.keys() == case.graph.constants.keys()
    for name, array in case.graph.constants.items():
        np.testing.assert_array_equal(loaded.constants[name], array, strict=True)
    assert digest(loaded) == digest(case.graph)
    assert [path.name for path in tmp_path.iterdir()] == ["graph"]


def test_bytes_do_not_vary(tmp_path: Path) -> None:
    reordered = replace(_CLASSIFIER, constants=dict(reversed(_CLASSIFIER.constants.items())))
    save(_CLASSIFIER, tmp_path / "a")
    save(reordered, tmp_path / "b")
    for name in (GRAPH, CONSTANTS):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    program = (
        "from kspec.compiler.file import digest; from tests.compiler.test_file import _CLASSIFIER;"
        "print(digest(_CLASSIFIER))"
    )
    path = os.pathsep.join((str(Path(__file__).parents[2]), *sys.path))
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": path}
    other = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, check=True, text=True
    )
    assert other.stdout.strip() == digest(_CLASSIFIER)


def test_the_digest_reads_everything() -> None:
    bias = _CLASSIFIER.constants["dense/bias"]
    nudged = {**_CLASSIFIER.constants, "dense/bias": np.nextafter(bias, np.float32(9))}
    *others, last = _CLASSIFIER.nodes
    moved = replace(last, op=ops.Softmax(1))
    graphs = (
        _CLASSIFIER,
        replace(_CLASSIFIER, name="other"),
        replace(_CLASSIFIER, constants=nudged),
        _CLASSIFIER.with_nodes((*others, moved)),
    )
    assert len({digest(graph) for graph in graphs}) == len(graphs)


def test_arrays_that_are_views_keep_their_elements(tmp_path: Path) -> None:
    build = Builder("views")
    kernel = np.arange(6, dtype=np.float32).reshape(2, 3).T
    product = build.add(
        "out", ops.Linear(), build.input("x", "batch", 3), build.constant("k", kernel)
    )
    save(build.case(product).graph, tmp_path / "graph")
    np.testing.assert_array_equal(load(tmp_path / "graph").constants["k"], kernel)


def test_nothing_is_overwritten_or_left_behind(tmp_path: Path) -> None:
    folder = tmp_path / "graph"
    save(_CLASSIFIER, folder)
    with pytest.raises(OSError, match="graph"):
        save(replace(_CLASSIFIER, name="other"), folder)
    assert load(folder).name == _CLASSIFIER.name
    assert [path.name for path in tmp_path.iterdir()] == ["graph"]


def _with_node(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda file: file["nodes"][-1].update(changes)


_DAMAGED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "version": lambda file: file.update(version=2),
    "no version": lambda file: file.pop("version"),
    "key not known": lambda file: file.update(python="import os"),
    "operation not known": _with_node(op="builtins.exec"),
    "operation that is a base": _with_node(op="Binary", fields={}),
    "field not known": _with_node(fields={"axis": -1, "code": "1"}),
    "field missing": _with_node(fields={}),
    "field of another type": _with_node(fields={"axis": "0"}),
    "boolean for a number": _with_node(fields={"axis": True}),
    "stride of zero": lambda file: file["nodes"][4]["fields"].update(strides=[0, 0]),
    "pads of no rank": _with_node(op="Pad", fields={"low": [], "high": []}),
    "input not known": _with_node(inputs=["nowhere"]),
    "another type": lambda file: file["nodes"][0]["outputs"][0].update(shape=["batch", 7]),
    "dtype not known": lambda file: file["inputs"][0].update(dtype="object"),
    "dimension below zero": lambda file: file["inputs"][0].update(shape=[-1, 8, 8, 1]),
    "constant of another size": lambda file: file["constants"][0].update(shape=[5]),
    "constant not there": lambda file: file["constants"][0].update(name="nowhere"),
    "constant not declared": lambda file: file["constants"].pop(),
    "output not known": lambda file: file.update(outputs=["nowhere"]),
}


@pytest.mark.parametrize("damage", _DAMAGED.values(), ids=_DAMAGED.keys())
def test_damaged_graphs_are_refused(damage: Callable[[Any], Any], tmp_path: Path) -> None:
    folder = tmp_path / "graph"
    save(_CLASSIFIER, folder)
    file = json.loads((folder / GRAPH).read_text())
    damage(file)
    (folder / GRAPH).write_text(json.dumps(file))
    with pytest.raises(IrFileError):
        load(folder)


_ARRAYS = dict(_CLASSIFIER.constants)
_CONTENTS: dict[str, tuple[str, bytes]] = {
    "no JSON": (GRAPH, b"{"),
    "not UTF-8": (GRAPH, b'{"\xff": 1}'),
    "nested without end": (GRAPH, b"[" * 100_000),
    "a pickle": (CONSTANTS, b"\x80\x04K\x01."),
    "cut short": (CONSTANTS, safetensors.save(_ARRAYS)[:-4]),
    "longer": (CONSTANTS, safetensors.save(_ARRAYS) + b"1234"),
    "another element type": (
        CONSTANTS,
        safetensors.save({name: array.astype(np.float64) for name, array in _ARRAYS.items()}),
    ),
    "one too many": (CONSTANTS, safetensors.save({**_ARRAYS, "more": np.zeros(1)})),
}


@pytest.mark.parametrize(("name", "content"), _CONTENTS.values(), ids=_CONTENTS.keys())
def test_damaged_files_are_refused(name: str, content: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "graph"
    save(_CLASSIFIER, folder)
    (folder / name).write_bytes(content)
    with pytest.raises(IrFileError):
        load(folder)
